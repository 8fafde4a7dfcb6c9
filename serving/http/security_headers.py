"""Headers that tell a browser what it may not do with an answer."""

from collections.abc import Mapping

ALWAYS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NOTHING = "default-src 'none'; frame-ancestors 'none'"
DOCUMENTATION = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'"
)
"""Swagger UI begins with a script in its page; all else it needs lies beside it."""
CONSOLE = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
"""Nothing inline, nothing evaluated, nothing from elsewhere."""


def security_headers(path: str) -> dict[str, str]:
    """The headers of an answer at this path; what is said of complaints is kept by no cache."""
    if path.startswith("/console"):
        # asked again each time, which costs a 304: after an upgrade no page mixes old files with new ones
        return {**ALWAYS, "Content-Security-Policy": CONSOLE, "Cache-Control": "no-cache"}
    policy = DOCUMENTATION if path.startswith("/docs") else NOTHING
    cache = {"Cache-Control": "no-store"} if path.startswith("/v1") else {}
    return {**ALWAYS, "Content-Security-Policy": policy, **cache}
