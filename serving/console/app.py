"""The console's files: one page at every address under `/console`, and what it loads.

In: `assets/`, plain ES modules and one style sheet, as they lie in the package: no build step. Out: a mounted
application. It knows nothing of complaints: its pages ask `/v1` as any client does (`serving/api/v1/session.py`).
"""

from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

PATH = "/console"
ASSETS = str(files("serving.console").joinpath("assets"))


def create_console() -> Starlette:
    """The application to mount at `PATH`."""
    return Starlette(
        routes=[
            Mount("/assets", StaticFiles(directory=ASSETS), name="console-assets"),
            Route("/{page:path}", _page, methods=["GET"]),
        ]
    )


async def _page(_: Request) -> FileResponse:
    """The one page: which view it shows, its scripts read from the address."""
    return FileResponse(f"{ASSETS}/index.html", media_type="text/html; charset=utf-8")
