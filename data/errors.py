"""Every error a user can cause, as one small tree.

    TsurError
    ├── ConfigError           a YAML file is missing, malformed, or has an unknown key
    │   └── CatalogueError    the catalogue contradicts itself
    ├── InputError            a file or request is unusable as a whole
    │   ├── FileError         unreadable, empty, of unknown format or encoding
    │   ├── ColumnsError      columns are missing; names them and the source's map
    │   ├── LabelError        a label is not in the catalogue
    │   ├── CountsError       daily counts are duplicated, negative, fractional or too short
    │   └── RegressorsError   regressors of a forecast are not numbers, or leave days out
    ├── HorizonError          a forecast is asked for no day, or for too many
    ├── UnknownSeriesError    no such municipality or sector among the forecast series
    ├── EncoderError          the encoder cannot be found or read
    ├── TrackingError         MLflow does not answer
    ├── BundleError           a model bundle is broken or of another version
    ├── NoChampionError       the registry holds no model under the alias `champion`
    ├── ForecastStaleError    the champion's forecasts end before the days asked for
    ├── AccessError           no key, or a wrong one
    │   ├── ForbiddenError    the key's role or regions do not reach this address
    │   └── BindingError      the service would listen beyond this machine without keys
    ├── RequestError          a request's fields do not fit; says which and why
    ├── IdempotencyError      an Idempotency-Key names two different requests
    ├── UnknownJobError       no such job, or its files are gone
    ├── JobStateError         a job has no result yet, or has ended already
    ├── UnknownComplaintError a correction names a complaint that was never classified
    ├── UnknownDecisionError  no such management decision
    ├── AlreadyAnsweredError  another operator has answered the complaint
    ├── UndoError             an operator's answer or split cannot be taken back
    ├── NotReadyError         the service is still loading the champions
    ├── BusyError             as many requests as can be answered in time are being answered
    ├── RateLimitError        a key has sent more requests than it may in a minute
    ├── StoreError            the store cannot be read or written
    └── ResumeError           an interrupted run cannot be continued as asked

Each class has a stable `code`. The command line prints the message and exits with 2; the API answers
`{"error": {"code", "message", "details"}}` (which status belongs to which class: `serving/http/errors.py`).
Anything else is a bug.
"""

from typing import Any, ClassVar


class TsurError(Exception):
    """An error that a user can act on: one clear sentence, and machine-readable details."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class ConfigError(TsurError):
    """A YAML file is missing, malformed, or has an unknown key."""

    code = "bad_config"


class CatalogueError(ConfigError):
    """The catalogue contradicts itself."""

    code = "bad_catalogue"


class InputError(TsurError):
    """A file or a request is unusable as a whole."""

    code = "bad_input"


class FileError(InputError):
    """The file cannot be read: absent, empty, of unknown format or encoding."""

    code = "bad_file"


class ColumnsError(InputError):
    """Columns are missing; the message names them and the source's map."""

    code = "missing_columns"


class LabelError(InputError):
    """A label or a municipality is not in the catalogue."""

    code = "unknown_label"


class CountsError(InputError):
    """Daily counts are duplicated, negative, fractional or too short."""

    code = "bad_counts"


class RegressorsError(InputError):
    """Regressors of a forecast are not numbers, are given twice, or leave days out."""

    code = "bad_regressors"


class HorizonError(TsurError):
    """A forecast is asked for no day at all, or for more days than the model reaches."""

    code = "bad_horizon"


class UnknownSeriesError(TsurError):
    """No such municipality or sector among the forecast series."""

    code = "unknown_series"


class EncoderError(TsurError):
    """The encoder cannot be found or read."""

    code = "bad_encoder"


class TrackingError(TsurError):
    """MLflow does not answer."""

    code = "tracking_unavailable"


class BundleError(TsurError):
    """A model bundle is broken or of another version."""

    code = "bad_bundle"


class NoChampionError(TsurError):
    """The registry holds no model under the alias `champion`."""

    code = "no_champion"


class ForecastStaleError(TsurError):
    """The champion's forecasts end before the days asked for."""

    code = "forecast_stale"


class AccessError(TsurError):
    """No key, or a wrong one."""

    code = "unauthorized"


class ForbiddenError(AccessError):
    """The key is known, but its role or its regions do not reach this address."""

    code = "forbidden"


class BindingError(AccessError):
    """The service would listen beyond this machine without asking for keys."""

    code = "unsafe_binding"


class RequestError(TsurError):
    """A request's fields do not fit; `details` maps each field to what is wrong with it."""

    code = "bad_request"


class IdempotencyError(TsurError):
    """An `Idempotency-Key` that was sent with another request."""

    code = "idempotency_mismatch"


class UnknownComplaintError(TsurError):
    """A correction names a complaint that was never classified here."""

    code = "unknown_complaint"


class UnknownJobError(TsurError):
    """There is no such job, or its files are gone."""

    code = "unknown_job"


class JobStateError(TsurError):
    """A job has no result yet, or has ended already."""

    code = "wrong_job_state"


class UnknownDecisionError(TsurError):
    """There is no such management decision in the region."""

    code = "unknown_decision"


class AlreadyAnsweredError(TsurError):
    """Another operator has answered the complaint meanwhile."""

    code = "already_answered"


class UndoError(TsurError):
    """An operator's answer or split is not this one's to take back, or no longer."""

    code = "cannot_undo"


class NotReadyError(TsurError):
    """The service is still loading the champions."""

    code = "not_ready"


class BusyError(TsurError):
    """The service answers as many requests as it can in time; this one may come again in a moment."""

    code = "too_many_requests"


class RateLimitError(TsurError):
    """A key has sent more requests than it may in a minute.

    Attributes:
        seconds: after which it may ask again.
    """

    code = "rate_limited"

    def __init__(self, message: str, seconds: int = 60, **details: Any) -> None:
        super().__init__(message, **details)
        self.seconds = seconds


class StoreError(TsurError):
    """The store cannot be read or written."""

    code = "store_unavailable"


class ResumeError(TsurError):
    """An interrupted run cannot be continued as asked."""

    code = "cannot_resume"
