"""Logs without personal data: one line a request, and a filter in front of every handler.

A line has the request id, method, path, status, error code, milliseconds and number of items; never
a body, a query or an exception's message (databases and validators repeat values there). The filter
is the second fence: whatever a library logs is masked, and pydantic's `input_value=…` is cut.
"""

import json
import logging
import re
import traceback
from datetime import UTC, datetime

LOGGER = "tsur.serving"
_INPUT = re.compile(r"(input_value=).*?(, input_type=|$)", re.DOTALL)


def without_personal_data(text: str) -> str:
    """Numbers that can be a person's masked, rejected input cut."""
    from data.complaints.masking import mask_numbers

    return mask_numbers(_INPUT.sub(r"\1[CUT]\2", text))


def where_it_failed(error: BaseException) -> str:
    """Type and frames of an exception and its causes, without any message."""
    parts = []
    seen: BaseException | None = error
    while seen is not None:
        frames = "".join(traceback.format_tb(seen.__traceback__))
        parts.append(f"{type(seen).__module__}.{type(seen).__qualname__}\n{frames}")
        seen = seen.__cause__ or seen.__context__
    return "\ncaused by ".join(parts)


class PersonalDataFilter(logging.Filter):
    """Rewrites each record before a handler writes it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record pass, cleaned."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)
        if record.exc_info and record.exc_info[1] is not None:
            message = f"{message}\n{where_it_failed(record.exc_info[1])}"
        record.exc_info, record.exc_text, record.args = None, None, ()
        record.msg = without_personal_data(message)
        return True


class JsonLines(logging.Formatter):
    """One JSON object a line.

    Args:
        region: that the process serves, which every line bears; None: all of them.
    """

    def __init__(self, region: str | None) -> None:
        super().__init__()
        self._region = region

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, region, logger, message and the fields of a request."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {"time": time, "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if self._region is not None:
            fields["region"] = self._region
        return json.dumps(fields | getattr(record, "fields", {}), ensure_ascii=False)


def configure_logs(region: str | None = None) -> None:
    """Send all logs of this process to standard error as masked JSON lines.

    BentoML has configured its own handlers before the service starts; they are replaced.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(region))
    handler.addFilter(PersonalDataFilter())
    root = logging.getLogger()
    root.handlers = [handler]
    for name in list(logging.Logger.manager.loggerDict):
        logger = logging.getLogger(name)
        if logger.handlers:
            logger.handlers = []
            logger.propagate = True
    logging.getLogger(LOGGER).setLevel(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def log_request(request_id: str, method: str, path: str, status: int, code: str | None, ms: float, items: int) -> None:
    """One line for one answered request."""
    fields: dict[str, object] = {"request_id": request_id, "method": method, "path": path, "status": status}
    fields |= {"ms": round(ms, 1), "items": items} | ({"code": code} if code else {})
    logging.getLogger(LOGGER).info("%s %s %d", method, path, status, extra={"fields": fields})
