"""The one error shape: every exception becomes `{"error": {"code", "message", "details"}}`.

In: TsurErrors, validation errors, HTTP errors of FastAPI and BentoML. Out: a JSON response that
carries its code in the header `X-Error-Code` too, for the log line, the metrics and the middleware.
A complaint's text is never repeated, nor is any value that fails validation: it is personal data. What is
repeated are names that are looked up and not found: labels, places and complaints' ids.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from data import errors
from data.errors import TsurError

CODE_HEADER = "x-error-code"
HTTP_CODES = {
    400: ("bad_json", "the body is not JSON"),
    401: ("unauthorized", "an API key is needed"),
    403: ("forbidden", "this key is not enough for this address"),
    404: ("not_found", "there is nothing at this address; /docs lists what there is"),
    405: ("method_not_allowed", "this address does not answer to this method"),
    413: ("body_too_large", "the body is larger than this service reads"),
    415: ("bad_json", "the body is not JSON"),
    429: ("too_many_requests", "the service is busy; ask again in a moment"),
    503: ("not_ready", "the service is not ready; ask again in a moment"),
    504: ("timeout", "the answer took too long; ask for less at once, or again in a while"),
}
STATUS: dict[type[TsurError], int] = {
    TsurError: 400,
    errors.ConfigError: 400,
    errors.CatalogueError: 400,
    errors.InputError: 400,
    errors.FileError: 400,
    errors.ColumnsError: 400,
    errors.LabelError: 422,
    errors.CountsError: 400,
    errors.RegressorsError: 400,
    errors.HorizonError: 422,
    errors.UnknownSeriesError: 404,
    errors.EncoderError: 400,
    errors.TrackingError: 503,
    errors.BundleError: 503,
    errors.NoChampionError: 503,
    errors.ForecastStaleError: 409,
    errors.AccessError: 401,
    errors.ForbiddenError: 403,
    errors.BindingError: 400,
    errors.RequestError: 422,
    errors.IdempotencyError: 422,
    errors.UnknownComplaintError: 404,
    errors.UnknownJobError: 404,
    errors.JobStateError: 409,
    errors.UnknownDecisionError: 404,
    errors.AlreadyAnsweredError: 409,
    errors.UndoError: 409,
    errors.NotReadyError: 503,
    errors.BusyError: 429,
    errors.RateLimitError: 429,
    errors.StoreError: 503,
    errors.ResumeError: 400,
}
"""The status that each class of the tree in `data/errors.py` is answered with."""
INTERNAL = ("internal", "something went wrong inside the service; its log has the request id")
RETRY_AFTER_SECONDS = {503: "5", 429: "1"}


class Problem(BaseModel):
    """One thing that is wrong, and where; a complaint's text is never repeated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: str = Field(examples=["items.0.text"])
    problem: str = Field(examples=["the text is empty"])


class Error(BaseModel):
    """What went wrong: a stable code for machines, one sentence for people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(examples=["bad_request"])
    message: str = Field(examples=["items.0.text: the text is empty"])
    details: list[Problem] = []

    @classmethod
    def of(cls, error: TsurError) -> "Error":
        """An error of the tree in `data/errors.py`."""
        details = [Problem(where=where, problem=_sentence(problem)) for where, problem in error.details.items()]
        return cls(code=error.code, message=error.message, details=details)


class ErrorAnswer(BaseModel):
    """The one shape of every error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    error: Error


def error_response(
    status: int, code: str, message: str, details: Sequence[Problem] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    """A response in the one shape."""
    answer = ErrorAnswer(error=Error(code=code, message=message, details=list(details)))
    extra = {CODE_HEADER: code, **(headers or {})}
    if status in RETRY_AFTER_SECONDS:
        extra.setdefault("Retry-After", RETRY_AFTER_SECONDS[status])
    if status == 401:
        extra["WWW-Authenticate"] = "Bearer"
    return JSONResponse(answer.model_dump(), status_code=status, headers=extra)


def from_status(status: int, headers: dict[str, str] | None = None) -> JSONResponse:
    """The response to an error of which only the HTTP status is known."""
    fallback = INTERNAL if status >= 500 else ("bad_request", "the request cannot be answered")
    code, message = HTTP_CODES.get(status, fallback)
    return error_response(status, code, message, headers=headers)


def from_tsur_error(error: TsurError) -> JSONResponse:
    """The response to an error of the tree in `data/errors.py`."""
    later = {"Retry-After": str(error.seconds)} if isinstance(error, errors.RateLimitError) else None
    return error_response(STATUS[type(error)], error.code, error.message, Error.of(error).details, later)


def _sentence(problem: object) -> str:
    return ", ".join(map(str, problem)) if isinstance(problem, list | tuple | set) else str(problem)


def error_at(where: str, error: TsurError) -> TsurError:
    """The same error with the place in the request in front of it."""
    return type(error)(f"{where}: {error.message}", **{where: error.message})


def problems_of(errors: Iterable[Any]) -> list[Problem]:
    """Pydantic's errors as places and sentences, without the values; a body counts from its top."""
    problems = []
    for error in errors:
        location = [str(part) for part in error["loc"]]
        if location[:1] == ["body"] and len(location) > 1:
            location = location[1:]
        sentence = str(error["msg"]).removeprefix("Value error, ")
        problems.append(Problem(where=".".join(location), problem=sentence))
    return problems


def from_validation(errors: Sequence[Any]) -> JSONResponse:
    """400 `bad_json` where the body is not JSON at all, otherwise 422 with every problem."""
    if any(error["type"] == "json_invalid" for error in errors):
        return from_status(400)
    problems = problems_of(errors)
    if any(error["type"] in ("model_attributes_type", "model_type") and error["loc"] == ("body",) for error in errors):
        problems = [Problem(where="body", problem="send a JSON object with Content-Type: application/json")]
    first = problems[0]
    return error_response(422, "bad_request", f"{first.where}: {first.problem}", problems)


def install_error_handlers(app: FastAPI) -> None:
    """Make the app answer every error in the one shape."""

    @app.exception_handler(TsurError)
    def _tsur(_: Request, error: TsurError) -> JSONResponse:
        return from_tsur_error(error)

    @app.exception_handler(RequestValidationError)
    def _validation(_: Request, error: RequestValidationError) -> JSONResponse:
        return from_validation(error.errors())

    @app.exception_handler(HTTPException)
    def _http(_: Request, error: HTTPException) -> JSONResponse:
        return from_status(error.status_code, dict(error.headers) if error.headers else None)
