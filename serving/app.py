"""The FastAPI application that BentoML mounts: all of `/v1`, the documentation, the console, and nothing else.

BentoML keeps processes, `/livez` and `/metrics`; `/readyz` is `http/readiness.py`'s. The documentation page
uses the Swagger UI that ships inside BentoML, so it works where there is no internet.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files

import anyio.to_thread
from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.security import APIKeyHeader, HTTPBearer
from fastapi.staticfiles import StaticFiles

from data.complaints.masking import mask
from data.regions.region import load_region
from serving.analytics.surge_watch import watch_surges
from serving.api.v1 import (
    catalogue,
    classify,
    complaints,
    desk,
    emerging,
    events,
    feedback,
    forecast,
    heatmap,
    jobs,
    kpi,
    kpi_outlook,
    management_decisions,
    model_history,
    models,
    municipalities,
    outcomes,
    queue,
    region_map,
    report,
    series,
    session,
    surge_notes,
    surges,
    verdicts,
)
from serving.console.app import PATH as CONSOLE
from serving.console.app import create_console
from serving.http.error_docs import Responses, documented
from serving.http.errors import install_error_handlers
from serving.http.logs import configure_logs
from serving.live import end_with_process
from serving.runtime import open_runtime

RESOURCES = (
    *(classify, feedback, outcomes, forecast, surges, heatmap, emerging),
    *(kpi, kpi_outlook, report, management_decisions),
    *(complaints, queue, desk, catalogue, jobs, models, model_history),
    *(municipalities, region_map, series, surge_notes, verdicts, events, session),
)
TITLE = "TSUR"
VERSION = "0.1.0"
DESCRIPTION = """Routes citizens' complaints and forecasts their counts.

Every error has one shape, `{"error": {"code", "message", "details"}}`; `details` names each place
and what is wrong there. Where the service has keys, send `Authorization: Bearer KEY` or `X-API-Key: KEY`.
A key that opens several regions names one with `X-Region: NAME`; without it the service's own is meant."""
ASSETS = "/docs/assets"
A_FULL_NAME = "Обращается Иван Петров"
SWITCH_SECONDS = 0.0005
"""How long a computing thread may keep the interpreter from the event loop, which at Python's 5 ms would wait
behind every one of them for each step of each request."""
ERRORS: Responses = {
    **documented(400, "The body is not JSON", bad_json="the body is not JSON"),
    **documented(401, "No key or a wrong one", unauthorized="an API key is needed"),
    **documented(
        403,
        "A key whose role or regions are not enough",
        forbidden="the key is of the role analyst, which may not ask POST /v1/classify",
    ),
    **documented(413, "The body is too large", body_too_large="the body is larger than this service reads"),
    **documented(
        422,
        "A field does not fit, a label is not in the catalogue, or an `Idempotency-Key` was another request's",
        bad_request="items.0.text: the text is empty",
        unknown_label="items.0.sector: sector 'Космос' is not in the catalogue",
        idempotency_mismatch="this Idempotency-Key was sent with another request; give each request one of its own",
    ),
    **documented(
        429,
        "A key that has sent the requests that it may in a minute; `Retry-After` says when to come again",
        rate_limited="this key may send 3000 requests a minute; come again in 12 seconds",
    ),
    **documented(500, "A bug", internal="something went wrong inside the service; its log has the request id"),
    **documented(
        503,
        "No model yet, or no store; `Retry-After` says when to come again",
        no_champion="the registry holds no verkhnerechye.complaint-classifier: run `tsur train classifier`",
        not_ready="verkhnerechye.complaint-classifier is being loaded; ask again in a few seconds",
        bad_bundle="verkhnerechye.complaint-classifier: heads.safetensors cannot be read",
        store_unavailable="the store cannot be written (OperationalError); try again later",
    ),
    **documented(
        504,
        "The answer took too long",
        timeout="the answer took too long; ask for less at once, or again in a while",
    ),
}
"""What any address under `/v1` may answer; a route's own stand beside it."""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the runtime before the first request, close it after the last."""
    configure_logs(load_region().id)
    sys.setswitchinterval(SWITCH_SECONDS)
    runtime = open_runtime()
    app.state.runtime = runtime
    anyio.to_thread.current_default_thread_limiter().total_tokens = runtime.config.threads
    # the first full name loads natasha's models: seconds that no request should wait for
    await anyio.to_thread.run_sync(mask, A_FULL_NAME)
    await anyio.to_thread.run_sync(runtime.store_thread.once)
    runtime.store_thread.start()
    end_with_process(runtime.live.end)
    watching = asyncio.create_task(watch_surges(runtime))
    yield
    watching.cancel()
    runtime.close()


def create_app() -> FastAPI:
    """The application, without its runtime: that opens when it starts."""
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        generate_unique_id_function=lambda route: route.name,  # what a generated client calls it
    )
    install_error_handlers(app)
    keys = [
        Depends(HTTPBearer(auto_error=False, description="A key that `tsur keys make` has made")),
        Depends(APIKeyHeader(name="X-API-Key", auto_error=False, description="The same key, for simple clients")),
    ]
    v1 = APIRouter(prefix="/v1", dependencies=keys, responses=ERRORS)
    for resource in RESOURCES:
        v1.include_router(resource.router)
    app.include_router(v1)
    _document(app)
    app.mount(CONSOLE, create_console(), name="console")
    return app


def _document(app: FastAPI) -> None:
    content = str(files("bentoml").joinpath("_internal/server/static_content"))
    app.mount(ASSETS, StaticFiles(directory=content, check_dir=False), name="assets")

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=TITLE,
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon-light-32x32.png",
        )

    @app.get("/", include_in_schema=False)
    def index() -> RedirectResponse:
        return RedirectResponse("/docs")
