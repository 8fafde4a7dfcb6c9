"""`/v1/session`: logging in to the console with a key, who is logged in, logging out.

In: a key in the header, once. Out: a cookie that stands for it (`serving/auth/sessions.py`).
"""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from data.regions.region import known_regions, load_region
from serving.api.v1.session_types import RegionOut, SessionAnswer
from serving.auth.access import given_key
from serving.auth.principal import LOCAL, Principal
from serving.auth.requires import Caller
from serving.auth.roles import ALLOWED
from serving.auth.sessions import COOKIE, session_token
from serving.http.csv_answer import json_response
from serving.http.routes import NO_BODY, limited
from serving.runtime import CurrentRuntime, Runtime

router = APIRouter(tags=["service"])


@router.get("/session", summary="Who asks, and what that opens", response_model=SessionAnswer)
@limited(NO_BODY)
def session(runtime: CurrentRuntime, principal: Caller) -> Response:
    """Name and role of the key, its regions, and the addresses that it may ask: what the console shows."""
    return json_response(session_out(runtime, principal, None))


@router.post("/session", summary="Log in with a key", response_model=SessionAnswer)
@limited(NO_BODY)
def log_in(request: Request, runtime: CurrentRuntime, principal: Caller) -> Response:
    """Begin a session with the key in the header: the answer sets its cookie. Without a key none begins."""
    if given_key(request.headers) is None or principal is LOCAL:
        return json_response(session_out(runtime, principal, None))
    until = datetime.now(UTC) + runtime.sessions.lasts
    token = runtime.sessions.begin(principal)
    answer = json_response(session_out(runtime, principal, until))
    behind_tls = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
    seconds = int(runtime.sessions.lasts.total_seconds())
    answer.set_cookie(COOKIE, token, seconds, path="/", secure=behind_tls, httponly=True, samesite="strict")
    return answer


@router.delete("/session", summary="Log out", status_code=204)
@limited(NO_BODY)
def log_out(request: Request, runtime: CurrentRuntime, principal: Caller) -> Response:
    """End the session of the cookie; a key goes on."""
    token = session_token(request.headers)
    if token is not None:
        runtime.sessions.end(token)
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return answer


def session_out(runtime: Runtime, principal: Principal, until: datetime | None) -> SessionAnswer:
    """Who asks, as it goes over the wire."""
    served = [runtime.region.id] if runtime.others is None else known_regions()
    regions = [load_region(name) for name in served if principal.opens(name)]
    return SessionAnswer(
        name=principal.name,
        role=principal.role,
        region=runtime.region.id,
        regions=[RegionOut(id=each.id, title=each.title) for each in regions],
        may=[" ".join(endpoint) for endpoint, roles in ALLOWED.items() if principal.role in roles],
        today=str(datetime.now(runtime.region.zone).date()),
        until=until,
        keyless=principal is LOCAL,
    )
