"""`Idempotency-Key`: a request that says which it is may be sent again and again."""

from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Header, Request

from data.errors import RequestError
from data.store.answers import NamedRequest
from serving.auth.requires import Caller
from serving.runtime import CurrentRuntime

HEADER = "Idempotency-Key"
LONGEST = 255
Given = Annotated[
    str | None,
    Header(
        alias=HEADER,
        max_length=LONGEST,
        description="A name that you give this request, such as a UUID: sent again with the same content within a day, "
        "it is answered as the first time, and nothing is stored twice",
    ),
]


async def named_request(
    request: Request, runtime: CurrentRuntime, principal: Caller, name: Given = None
) -> NamedRequest | None:
    """The request by its name; None where it has none. Async, so that it costs no change of threads.

    Raises:
        RequestError: the name is empty.
    """
    if name is None:
        return None
    if not name.strip():
        problem = "it is empty; leave it out, or give the request a name of its own"
        raise RequestError(f"{HEADER}: {problem}", **{HEADER: problem})
    content = sha256(f"{request.method} {request.url.path}\n".encode() + await request.body())
    return NamedRequest(runtime.region.id, principal.key_id, sha256(name.encode()).hexdigest(), content.hexdigest())


MaybeNamed = Annotated[NamedRequest | None, Depends(named_request)]
"""An endpoint's parameter: the request by its name."""
