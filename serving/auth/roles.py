"""Roles and what each may ask: the one table of role × endpoint.

An address under `/v1` that has no row here is refused to everybody (403), so a new endpoint is closed until somebody
has decided who may ask it. `docs/reference.md` shows the same table; tests hold both against the running service.
"""

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["routing", "operator", "analyst", "head", "engineer", "admin"]
"""A routing system; an operator who reads and decides complaints; an analyst of counts and new topics, who reads the
complaints behind them; the head of a centre, who reads figures, surges and management decisions and no complaint; an ML
engineer, who sees figures and no complaint; an administrator."""
ROLES: tuple[Role, ...] = get_args(Role)
Endpoint = tuple[str, str]
"""Method and template of the path, ids in braces."""


def _only(*roles: Role) -> frozenset[Role]:
    return frozenset((*roles, "admin"))


ALLOWED: Mapping[Endpoint, frozenset[Role]] = {
    ("POST", "/v1/classify"): _only("routing", "operator"),
    ("POST", "/v1/feedback"): _only("routing", "operator"),
    ("POST", "/v1/outcomes"): _only("routing", "operator"),
    ("POST", "/v1/forecast"): _only("operator", "analyst", "engineer"),
    ("GET", "/v1/municipalities"): _only("operator", "analyst", "head", "engineer"),
    ("GET", "/v1/series"): _only("operator", "analyst", "head", "engineer"),
    ("GET", "/v1/series/chart"): _only("operator", "analyst", "head", "engineer"),
    ("GET", "/v1/surges"): _only("operator", "analyst", "head", "engineer"),
    ("GET", "/v1/surges/notes"): _only("operator", "analyst", "head", "engineer"),
    ("POST", "/v1/surges/notes"): _only("analyst"),
    ("GET", "/v1/heatmap"): _only("operator", "analyst", "head", "engineer"),
    ("GET", "/v1/map"): _only("operator", "analyst", "head", "engineer"),
    ("GET", "/v1/kpi"): _only("analyst", "head", "engineer"),
    ("GET", "/v1/kpi/outlook"): _only("analyst", "head", "engineer"),
    ("GET", "/v1/report"): _only("analyst", "head", "engineer"),
    ("GET", "/v1/management-decisions"): _only("analyst", "head"),
    ("POST", "/v1/management-decisions"): _only("analyst"),
    ("PATCH", "/v1/management-decisions/{number}"): _only("analyst"),
    ("GET", "/v1/emerging"): _only("operator", "analyst"),
    ("GET", "/v1/queue"): _only("operator"),
    ("GET", "/v1/queue/complaint"): _only("operator"),
    ("GET", "/v1/queue/words"): _only("operator"),
    ("POST", "/v1/queue/claim"): _only("operator"),
    ("POST", "/v1/queue/release"): _only("operator"),
    ("POST", "/v1/queue/answer"): _only("operator"),
    ("POST", "/v1/queue/split"): _only("operator"),
    ("POST", "/v1/queue/undo"): _only("operator"),
    ("GET", "/v1/emerging/verdicts"): _only("operator", "analyst"),
    ("POST", "/v1/emerging/verdicts"): _only("analyst"),
    ("GET", "/v1/complaints"): _only("operator", "analyst"),
    ("GET", "/v1/catalogue"): _only("routing", "operator", "analyst", "engineer"),
    ("GET", "/v1/models"): _only("operator", "analyst", "engineer"),
    ("GET", "/v1/models/history"): _only("engineer"),
    ("POST", "/v1/jobs"): _only("routing", "operator"),
    ("GET", "/v1/jobs"): _only("routing", "operator"),
    ("GET", "/v1/jobs/{id}"): _only("routing", "operator"),
    ("POST", "/v1/jobs/{id}/cancel"): _only("routing", "operator"),
    ("GET", "/v1/jobs/{id}/result"): _only("routing", "operator"),
    ("GET", "/v1/jobs/{id}/rejects"): _only("routing", "operator"),
    ("GET", "/v1/events"): _only("operator", "analyst", "head", "engineer"),
    ("GET", "/v1/session"): frozenset(ROLES),
    ("POST", "/v1/session"): frozenset(ROLES),
    ("DELETE", "/v1/session"): frozenset(ROLES),
    ("GET", "/metrics"): _only("engineer"),
}
"""Who may ask what. `/metrics` is open to this machine without a key."""
