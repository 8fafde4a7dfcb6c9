"""The table of routes: what each asks of a request before its endpoint is reached.

In: the application. Out: for a method and path, the route's template and what its endpoint declares: its limits,
whether it needs a place. Templates, not paths, name a route in logs and metrics: `/v1/jobs/{id}` stays one
line whatever ids are asked for. Declared are they beside the endpoint, with `limited` and `admitted`; who may ask
stands in `serving/auth/roles.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from re import Pattern
from typing import Any, TypeVar

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from data.errors import RequestError
from serving.auth.roles import Endpoint as MethodAndTemplate
from serving.config import ServingConfig
from serving.http.admission import admitted

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True)
class Limits:
    """What one request may ask of a route; None: what `serving.yaml` allows every route.

    Attributes:
        body_bytes: of the body, counted while it is read.
        items: in the body's list.
        seconds: until the answer; then 504.
        upload: the body is a file that goes to the disk: its size and time are those of `jobs` in `serving.yaml`.
    """

    body_bytes: int | None = None
    items: int | None = None
    seconds: float | None = None
    upload: bool = False

    def within(self, config: ServingConfig) -> "EffectiveLimits":
        """These, or the installation's where those are tighter."""
        if self.upload:
            return EffectiveLimits(config.jobs.max_upload_bytes, 0, config.jobs.upload_seconds)
        return EffectiveLimits(
            body_bytes=min(self.body_bytes or config.max_body_bytes, config.max_body_bytes),
            items=min(self.items or config.max_items, config.max_items),
            seconds=min(self.seconds or config.timeout_seconds, config.timeout_seconds),
        )


@dataclass(frozen=True)
class EffectiveLimits:
    """Limits of a route in this installation; the attributes are those of `Limits`."""

    body_bytes: int
    items: int
    seconds: float


NO_BODY = Limits(body_bytes=4096, seconds=30)
"""Of routes that are asked by their address alone."""


def limited(limits: Limits) -> Callable[[Endpoint], Endpoint]:
    """Declare an endpoint's limits; stands under the router's decorator."""

    def declare(endpoint: Endpoint) -> Endpoint:
        endpoint.limits = limits  # type: ignore[attr-defined]
        return endpoint

    return declare


def check_count(count: int, most: int) -> None:
    """Whether so many items fit in one request.

    Raises:
        RequestError: they do not.
    """
    if count > most:
        problem = f"there are {count} items; at most {most} fit in one request"
        raise RequestError(f"items: {problem}", items=problem)


@dataclass(frozen=True)
class Route:
    """One method of one address.

    Attributes:
        template: its path, ids in braces.
        endpoint: method and template, as `serving/auth/roles.py` names it; None: it does not answer to this method.
        limits: declared with `limited`.
        admitted: whether a request needs one of the places for classification.
    """

    template: str
    endpoint: MethodAndTemplate | None = None
    limits: Limits = field(default_factory=Limits)
    admitted: bool = False


@dataclass(frozen=True)
class _Address:
    template: str
    pattern: Pattern[str]
    methods: Mapping[str, Route]


class RouteTable:
    """Finds the route of a request; built once an application.

    Args:
        app: with all its routes.
    """

    def __init__(self, app: FastAPI) -> None:
        self._addresses = list(_addresses(app))
        self._by_path = {address.template: address for address in self._addresses}

    @property
    def routes(self) -> dict[tuple[str, str], Route]:
        """Every route by method and template."""
        return {(method, a.template): route for a in self._addresses for method, route in a.methods.items()}

    def find(self, method: str, path: str) -> Route | None:
        """The route; by its template alone where the address does not answer to the method; None: no such address."""
        address = self._address(path)
        return None if address is None else address.methods.get(method, Route(address.template))

    def allowed(self, path: str) -> str:
        """The methods that a path answers to, as the header `Allow` lists them; empty: no such address."""
        address = self._address(path)
        return "" if address is None else ", ".join(sorted(address.methods))

    def _address(self, path: str) -> _Address | None:
        return self._by_path.get(path) or next((a for a in self._addresses if a.pattern.match(path)), None)


def _addresses(app: FastAPI) -> Iterator[_Address]:
    """Addresses of the application that its own endpoints answer; mounted files are none."""
    patterns: dict[str, Pattern[str]] = {}
    methods: dict[str, dict[str, Route]] = {}
    for context in iter_route_contexts(app.routes):
        if context.path is None or not context.methods:
            continue
        patterns[context.path] = context.path_regex
        routes = methods.setdefault(context.path, {})
        routes |= {method: _route(method, context.path, context) for method in context.methods}
    for template, pattern in patterns.items():
        yield _Address(template, pattern, methods[template])


def _route(method: str, template: str, context: RouteContext) -> Route:
    calls = list(_calls(getattr(context, "dependant", None)))
    return Route(
        template=template,
        endpoint=(method, template),
        limits=getattr(context.endpoint, "limits", Limits()),
        admitted=admitted in calls,
    )


def _calls(dependant: Dependant | None) -> Iterator[object]:
    """Everything that a route depends on, and what that depends on."""
    for each in dependant.dependencies if dependant else []:
        yield each.call
        yield from _calls(each)
