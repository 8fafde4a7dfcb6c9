"""The installations that are treated badly, and the table of what was counted, printed last."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.postgresql import running_postgresql
from tests.reliability.counting import COUNTS
from tests.reliability.installation import Installation

BACKENDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.reliability)]
"""The short form knows SQLite only."""


@pytest.fixture(scope="session", params=BACKENDS)
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Two regions, a service and a worker on each kind of database; scanned for personal data at the end."""
    with ExitStack() as stack:
        server = stack.enter_context(running_postgresql()) if request.param == "postgresql" else None
        made = Installation.make(tmp_path_factory.mktemp(f"installation-{request.param}"), server)
        stack.callback(made.stop)
        made.start()
        yield made
        made.look_for_personal_data()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, if any of these tests has run."""
    if COUNTS.requests:
        terminalreporter.section("counted")
        for line in COUNTS.lines():
            terminalreporter.write_line(line)
