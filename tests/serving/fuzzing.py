"""schemathesis on a running service: requests that its schema allows, and others that it forbids, with all checks."""

import sys
from pathlib import Path

CONFIG = Path(__file__).parent / "api" / "schemathesis.toml"


def command(port: int, key: str, phases: str, examples: int, seconds: int) -> list[str]:
    """The command line: `examples` requests made up an endpoint in each phase, at most for so long."""
    return [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
        *("run", f"http://127.0.0.1:{port}/openapi.json", "--header", f"X-API-Key: {key}"),
        *("--checks", "all", "--phases", phases, "--max-time", str(seconds)),
        *("--max-examples", str(examples), "--seed", "1", "--generation-database", "none", "--continue-on-failure"),
    ]
