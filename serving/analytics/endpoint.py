"""`@in_analytics`: an endpoint that computes from many complaints does so on the analytics' threads."""

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, TypeVar

from serving.runtime import Runtime

Result = TypeVar("Result")


def in_analytics(endpoint: Callable[..., Result]) -> Callable[..., Coroutine[Any, Any, Result]]:
    """Let a plain endpoint with a parameter `runtime` compute on the analytics' threads."""

    @wraps(endpoint)
    async def answer(*, runtime: Runtime, **arguments: Any) -> Result:
        return await runtime.analytics.run(partial(endpoint, runtime=runtime, **arguments))

    return answer
