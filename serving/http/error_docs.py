"""How an error of an address stands in the OpenAPI schema: what it means, its codes, and an answer of each."""

from typing import Any

from serving.http.errors import ErrorAnswer

Responses = dict[int | str, dict[str, Any]]
"""What FastAPI takes as `responses`."""


def documented(status: int, meaning: str, **messages: str) -> Responses:
    """An error of a route: `messages` are examples by their code, and the description names all codes."""
    codes = ", ".join(f"`{code}`" for code in messages)
    examples = {
        code: {"value": {"error": {"code": code, "message": message, "details": []}}}
        for code, message in messages.items()
    }
    content = {"application/json": {"examples": examples}}
    return {status: {"model": ErrorAnswer, "description": f"{meaning} ({codes})", "content": content}}
