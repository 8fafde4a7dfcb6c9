"""The middleware in front of everything, BentoML's own routes too.

In: every HTTP request. It gives the request an id, finds out who asks, stops bodies that are too large and
answers that take too long by the limits of the route, turns every error into the one shape, and writes one line,
the metrics and the audit. It lies outside of all routing, so an unknown address or a BentoML error comes by here.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from time import perf_counter

import anyio.to_thread
from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data.errors import RequestError, TsurError
from data.store.audit import AuditEntry
from serving.auth.access import METRICS, authenticate, given_key, is_guarded
from serving.auth.principal import Principal
from serving.auth.requires import check_allowed
from serving.auth.sessions import check_own_page, session_token
from serving.http import readiness
from serving.http.errors import CODE_HEADER, from_status, from_tsur_error
from serving.http.logs import LOGGER, log_request, where_it_failed
from serving.http.routes import Limits, Route, RouteTable
from serving.http.security_headers import security_headers
from serving.runtime import Runtime

logger = logging.getLogger(LOGGER)
PROBES = ("/livez", "/healthz", "/readyz", "/metrics")
REGION_HEADER = "X-Region"
"""Names the region of a request, where its key opens several."""
ELSEWHERE = "(elsewhere)"
"""An address that nobody serves: it may hold anything, so it is neither logged nor counted by name."""


class ResponseGuard:
    """An answer on its way out; an error body that is not ours is replaced by the one shape."""

    def __init__(self, send: Send, request_id: str, path: str, allowed: Callable[[str], str]) -> None:
        self._send = send
        self._headers = {"X-Request-Id": request_id, **security_headers(path)}
        self._path, self._allowed = path, allowed
        self.status = 0
        self.code: str | None = None
        self.closed = False

    async def __call__(self, message: Message) -> None:
        """Pass one ASGI message on."""
        if self.closed:
            return
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            self.status, self.code = message["status"], headers.get(CODE_HEADER)
            if self.status >= 400 and self.code is None:
                allowed = {"Allow": headers["allow"]} if "allow" in headers else None
                await self.close_with(from_status(self.status, allowed))
                return
            for name, value in self._headers.items():
                headers[name] = value
            if self.status == 405 and (methods := self._allowed(self._path)):
                headers["Allow"] = methods  # Starlette names the methods of the first of its routes only
        await self._send(message)

    async def close_with(self, response: Response) -> None:
        """Send this response, unless another one has begun, and nothing after it."""
        if not self.closed and (self.status == 0 or (self.code is None and self.status >= 400)):
            await response({"type": "http"}, _nothing, self)
        self.closed = True

    @property
    def begun(self) -> bool:
        """Whether a status line has gone out."""
        return self.status != 0


class Middleware:
    """ASGI middleware around BentoML's application; `api` is the mounted FastAPI app."""

    def __init__(self, app: ASGIApp, api: FastAPI) -> None:
        self.app = app
        self.api = api
        self.routes = RouteTable(api)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        runtime: Runtime = self.api.state.runtime
        request_id = uuid.uuid4().hex
        state = scope.setdefault("state", {})
        guard = ResponseGuard(send, request_id, scope["path"], self.routes.allowed)
        route = self.routes.find(scope["method"], scope["path"])
        started = perf_counter()
        try:
            await self._answer(runtime, route, scope, receive, guard)
        except TsurError as error:
            await guard.close_with(from_tsur_error(error))
        except Exception as error:  # a bug: nothing of it leaves the service, and no value is logged
            logger.error("request %s failed\n%s", request_id, where_it_failed(error))
            await guard.close_with(from_status(500))
        seconds = perf_counter() - started
        path = _template(route, scope["path"])
        runtime.metrics.request(scope["method"], path, guard.status, guard.code, seconds)
        _audit(runtime, scope, path, guard.status, request_id)
        if path not in PROBES or guard.status == 500:
            items = state.get("items", 0)
            log_request(request_id, scope["method"], path, guard.status, guard.code, seconds * 1000, items)

    async def _answer(
        self, runtime: Runtime, route: Route | None, scope: Scope, receive: Receive, guard: ResponseGuard
    ) -> None:
        client = scope["client"][0] if scope.get("client") else None
        session = await _session(runtime, scope, client)
        principal = authenticate(scope["path"], client, Headers(scope=scope), runtime.keys, session)
        if principal is not None and principal is session:
            check_own_page(scope["method"], Headers(scope=scope))
        scope["state"]["principal"] = principal
        endpoint = ("GET", METRICS) if scope["path"] == METRICS else route.endpoint if route else None
        if principal is not None and endpoint is not None:
            region = scope["state"]["region"] = _region_of(runtime, principal, Headers(scope=scope))
            check_allowed(principal, endpoint, region)
            _check_known(runtime, region)
            await runtime.rates.count(principal)
        if scope["path"] == readiness.PATH:
            await readiness.readiness(runtime)(scope, receive, guard)
            return
        limits = (route.limits if route else Limits()).within(runtime.config)
        if route is not None and route.admitted and runtime.admission.is_full:
            # a small body, as a whole: the server would cut the connection of one left unread
            with suppress(TimeoutError):
                await asyncio.wait_for(receive(), limits.seconds)
            runtime.admission.refuse()
        limited = RequestBodyLimitMiddleware(self.app, limits.body_bytes)
        work = asyncio.ensure_future(limited(scope, receive, guard))
        try:
            done, _ = await asyncio.wait({work}, timeout=limits.seconds)
            if not done and not guard.begun:
                await guard.close_with(from_status(504))
            elif not done:
                await work  # it streams already
            else:
                work.result()
        finally:
            if not work.done():
                # a computing thread cannot be stopped: what it still says goes nowhere
                work.add_done_callback(_forget)
                work.cancel()


async def _session(runtime: Runtime, scope: Scope, client: str | None) -> Principal | None:
    """Who is logged in by the request's cookie, where it comes without a key.

    Raises:
        AccessError: the session is over, or its key is revoked or has ended.
        StoreError: the store does not answer.
    """
    headers = Headers(scope=scope)
    if not is_guarded(scope["path"], client) or given_key(headers) is not None or not runtime.keys.demands_keys:
        return None
    token = session_token(headers)
    if token is None:
        return None
    if not runtime.sessions.known(token):  # perhaps another worker has begun it
        await anyio.to_thread.run_sync(runtime.sessions.refresh)
    return runtime.sessions.principal(token)


def _region_of(runtime: Runtime, principal: Principal, headers: Headers) -> str:
    """The region that a request is about: the one it names, the only one that its key opens, or the service's own."""
    named = headers.get(REGION_HEADER)
    if named is not None:
        return named
    only = next(iter(principal.regions)) if principal.regions and len(principal.regions) == 1 else runtime.region.id
    return only if runtime.others is not None and runtime.others.has(only) else runtime.region.id


def _check_known(runtime: Runtime, region: str) -> None:
    """Raise RequestError where the installation has no such region."""
    if region != runtime.region.id and (runtime.others is None or not runtime.others.has(region)):
        raise RequestError(f"{REGION_HEADER}: this installation has no such region")


def _template(route: Route | None, path: str) -> str:
    """What logs and metrics call the address: ids in braces, one word for what nobody serves."""
    if route is not None:
        return route.template
    return path if path in PROBES else ELSEWHERE


def _audit(runtime: Runtime, scope: Scope, path: str, status: int, request_id: str) -> None:
    """Who asked and what was shown; nothing was to whom another time was named (429)."""
    state = scope["state"]
    principal = state.get("principal")
    if not isinstance(principal, Principal) or status == 429:
        return
    entry = AuditEntry(
        at=datetime.now(UTC),
        key_id=principal.key_id,
        key_name=principal.name,
        role=principal.role,
        region=state.get("region", runtime.region.id),
        method=scope["method"],
        route=path,
        status=status,
        request_id=request_id,
        complaints=tuple(state.get("complaints", ())) if status < 400 else (),
    )
    runtime.audit.add(entry)


def _forget(work: "asyncio.Future[None]") -> None:
    with suppress(BaseException):
        work.exception()


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
