"""An installation for the commands that look after one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data.store.store import Store
from tests.data.store.rows import REGION, decision
from tests.serving.bundles import CLASSIFIER, register, write_classifier


@pytest.fixture()
def home(tmp_path: Path, at_home: Callable[[Path], None]) -> Path:
    """A sound installation with a champion and a decision."""
    made = tmp_path / "home"
    (made / "mlflow" / "artifacts").mkdir(parents=True)
    at_home(made)
    register(made, CLASSIFIER, write_classifier(tmp_path / "classifier" / "bundle"))
    Store(f"sqlite:///{made}/store.db", REGION).decisions.save([decision()])
    return made
