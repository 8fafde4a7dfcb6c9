"""`GET /readyz`: which models serve, and which this region has not; or why the service is not ready.

200 where every champion that the registry holds is loaded, be it one: the others' endpoints answer 503 and say what
to run. 503 while one is being loaded or cannot be, and while the store does not answer: `details` names each. A newer
champion that was refused is named; the former one serves.
"""

from fastapi.responses import JSONResponse

from data.errors import TsurError
from serving.runtime import Runtime

PATH = "/readyz"


def readiness(runtime: Runtime) -> JSONResponse:
    """The answer.

    Raises:
        NotReadyError: a champion is being loaded.
        NoChampionError: the registry holds none of the region.
        BundleError: one cannot be read.
        StoreError: the store does not answer.
    """
    champions, problems = runtime.champions, dict[str, TsurError]()
    try:
        champions.check_ready()
    except TsurError as error:
        problems["models"] = error
    if runtime.store_thread.trouble is not None:
        problems["store"] = runtime.store_thread.trouble
    for first in problems.values():
        raise type(first)(first.message, **{part: problem.message for part, problem in problems.items()})
    serving = [{"name": champion.name, "version": champion.version} for champion in champions.serving]
    missing = [absence.message for absence in champions.missing]
    refused = [
        {"name": state.name, "version": str(state.refusal.version), "reason": state.refusal.reason}
        for state in champions.states
        if state.refusal is not None
    ]
    return JSONResponse({"region": runtime.region.id, "serving": serving, "missing": missing, "refused": refused})
