"""`GET /readyz`: which models serve, and which this region has not.

200 where every champion that the registry holds is loaded, be it one: the others' endpoints answer 503 and say what
to run. 503 while one is being loaded or cannot be. A newer champion that was refused is named; the former one serves.
"""

from fastapi.responses import JSONResponse

from serving.runtime import Runtime

PATH = "/readyz"


def readiness(runtime: Runtime) -> JSONResponse:
    """The answer.

    Raises:
        NotReadyError: a champion is being loaded.
        NoChampionError: the registry holds none of the region.
        BundleError: one cannot be read.
    """
    champions = runtime.champions
    champions.check_ready()
    serving = [{"name": champion.name, "version": champion.version} for champion in champions.serving]
    missing = [absence.message for absence in champions.missing]
    refused = [
        {"name": state.name, "version": str(state.refusal.version), "reason": state.refusal.reason}
        for state in champions.states
        if state.refusal is not None
    ]
    return JSONResponse({"region": runtime.region.id, "serving": serving, "missing": missing, "refused": refused})
