"""The BentoML service: processes and metrics are BentoML's, everything under `/v1` is `app.py`'s.

Started by `serving.launch`, which passes the number of workers on. BentoML reads this module twice: to start workers,
and in each worker. Only a worker needs the application, whose modules take two seconds to load. BentoML's own timeout
and access log are off, because the middleware's speak the one error shape and know no personal data.
"""

from typing import Any, cast

import bentoml

BENTOML_TIMEOUT_SECONDS = 24 * 3600


@bentoml.service(
    name="tsur",
    workers=1,
    traffic={"timeout": BENTOML_TIMEOUT_SECONDS},
    logging={"access": {"enabled": False}},
)
class TsurService:
    """Routes complaints and forecasts their counts."""


if bentoml.server_context.worker_index is not None:
    from serving.app import create_app
    from serving.http.middleware import Middleware

    api = create_app()
    served = cast(Any, TsurService)
    served.mount_asgi_app(api, path="/")
    served.add_asgi_middleware(Middleware, api=api)
