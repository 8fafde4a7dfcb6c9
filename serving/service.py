"""The BentoML service: processes and metrics are BentoML's, everything under `/v1` is `app.py`'s.

Started by `serving.launch`, which passes the number of workers on. BentoML's own timeout and access
log are off, because the middleware's speak the one error shape and know no personal data.
"""

from typing import Any, cast

import bentoml

from serving.app import create_app
from serving.http.middleware import Middleware

BENTOML_TIMEOUT_SECONDS = 24 * 3600

api = create_app()


@bentoml.service(
    name="tsur",
    workers=1,
    traffic={"timeout": BENTOML_TIMEOUT_SECONDS},
    logging={"access": {"enabled": False}},
)
@bentoml.asgi_app(api, path="/")
class TsurService:
    """Routes complaints and forecasts their counts."""


cast(Any, TsurService).add_asgi_middleware(Middleware, api=api)
