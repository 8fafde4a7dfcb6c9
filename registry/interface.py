"""MLflow's web interface on the tracking store: runs, plots and registered models, for this machine only."""

import ipaddress
import os
import subprocess

from data.errors import BindingError, ConfigError
from data.settings import CHECKOUT, settings


def serve_interface(host: str, port: int) -> int:
    """Run the MLflow server on the tracking store until interrupted; its exit status.

    Raises:
        ConfigError: the host is not an address.
        BindingError: the host is not this machine's own: the server asks for no key.
    """
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise ConfigError(f"{host!r} is not an IP address; this machine alone is 127.0.0.1") from None
    if not loopback:
        raise BindingError(
            f"MLflow asks for no key, so it listens on this machine only, not on {host}: "
            "put a proxy with authentication before it, or tunnel the port"
        )
    hosts = f"localhost:{port},127.0.0.1:{port}"
    named = {"MLFLOW_HOST": host, "MLFLOW_PORT": str(port), "MLFLOW_SERVER_ALLOWED_HOSTS": hosts}
    home = {"TSUR_HOME": str(settings().home.resolve()), "TSUR_TRACKING_URI": settings().mlflow_uri}
    try:
        command = [str(CHECKOUT / "mlflow" / "start.sh")]
        return subprocess.run(command, env={**os.environ, **named, **home}, check=False).returncode
    except KeyboardInterrupt:
        return 0
