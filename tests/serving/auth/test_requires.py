"""Roles: what each address needs, who has it, and that no address of `/v1` was forgotten."""

import asyncio
import re
from dataclasses import FrozenInstanceError
from types import SimpleNamespace

import pytest
from starlette.requests import Request

from data.errors import AccessError, ForbiddenError
from data.settings import CHECKOUT
from serving.app import create_app
from serving.auth.principal import ENVIRONMENT, LOCAL, Principal, Role
from serving.auth.requires import requires
from serving.http.routes import RouteTable

REGION = "here"
ROUTES = RouteTable(create_app()).routes
V1 = {key: route for key, route in ROUTES.items() if key[1].startswith("/v1")}


def ask(role: Role, principal: Principal | None) -> Principal:
    """Ask for this role as an endpoint does, in a service of the region `here`."""
    app = SimpleNamespace(state=SimpleNamespace(runtime=SimpleNamespace(region=SimpleNamespace(id=REGION))))
    state = {} if principal is None else {"principal": principal}
    return asyncio.run(requires(role)(Request({"type": "http", "app": app, "state": state})))


@pytest.mark.parametrize(("method", "template"), list(V1))
def test_every_address_of_v1_needs_a_role_and_the_reference_says_which(method: str, template: str) -> None:
    reference = (CHECKOUT / "docs" / "reference.md").read_text(encoding="utf-8")
    route = V1[method, template]
    assert route.role is not None
    row = re.search(rf"^\| `{method} {re.escape(template)}` \| `(\w+)` \| (\S+) \|(.*)\|(.*)\|$", reference, re.M)
    assert row, f"{method} {template} is not in the table of addresses"
    role, body, items, seconds = (cell.strip() for cell in row.groups())
    assert role == route.role
    if route.limits.upload:
        assert (body, items, seconds) == ("`max_upload_bytes`", "", "`upload_seconds`")
        return
    assert body == str(route.limits.body_bytes or "`max_body_bytes`")
    assert items == str(route.limits.items or "")
    assert seconds == str(route.limits.seconds or "`timeout_seconds`")


def test_only_the_documentation_needs_no_role() -> None:
    assert {template for (_, template), route in ROUTES.items() if route.role is None} == {
        "/",
        "/docs",
        "/openapi.json",
    }
    assert len(V1) == 12


@pytest.mark.parametrize(
    ("role", "principal", "passes"),
    [
        ("viewer", Principal("k", "viewer"), True),
        ("operator", Principal("k", "viewer"), False),
        ("operator", Principal("k", "operator"), True),
        ("viewer", Principal("k", "operator"), True),
        ("admin", Principal("k", "operator"), False),
        ("admin", ENVIRONMENT, True),
        ("admin", LOCAL, True),
        ("viewer", Principal("k", "admin", frozenset({REGION, "elsewhere"})), True),
        ("viewer", Principal("k", "admin", frozenset({"elsewhere"})), False),
        ("viewer", Principal("k", "admin", frozenset()), False),
    ],
)
def test_a_role_has_what_those_below_it_have_in_the_regions_that_the_key_opens(
    role: Role, principal: Principal, passes: bool
) -> None:
    if passes:
        assert ask(role, principal) is principal
    else:
        with pytest.raises(ForbiddenError):
            ask(role, principal)


def test_a_request_that_nobody_has_looked_at_is_refused() -> None:
    with pytest.raises(AccessError, match="API key"):
        ask("viewer", None)


def test_a_principal_cannot_be_changed_on_its_way() -> None:
    with pytest.raises(FrozenInstanceError):
        LOCAL.role = "viewer"  # type: ignore[misc]
