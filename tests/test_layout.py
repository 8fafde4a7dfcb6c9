"""`mlflow` stays the library, whatever the folder of that name holds; import directions are `lint-imports`'."""

import subprocess
import sys
from pathlib import Path

from data.settings import CHECKOUT


def test_the_mlflow_folder_holds_no_python() -> None:
    assert (CHECKOUT / "mlflow").is_dir()
    assert list((CHECKOUT / "mlflow").rglob("*.py")) == []


def test_mlflow_imported_from_the_checkout_is_the_library() -> None:
    script = "import mlflow; print(mlflow.__version__, mlflow.__file__)"
    done = subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    version, file = done.stdout.split(maxsplit=1)
    assert version.startswith("3.")
    assert CHECKOUT / "mlflow" not in Path(file.strip()).parents
