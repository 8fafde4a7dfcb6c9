"""The folders keep apart what the design keeps apart, and `mlflow` stays the library."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.settings import CHECKOUT

MAY_IMPORT = {
    "data": {"data"},
    "models": {"data", "models"},
    "registry": {"data", "models", "registry"},
    "batch": {"data", "models", "registry", "batch"},
    "training": {"data", "models", "registry", "batch", "training"},
    "serving": {"data", "models", "registry", "batch", "serving"},
}
OURS = {*MAY_IMPORT, "tsur", "tests", "benchmarks"}


def modules() -> Iterator[tuple[str, Path]]:
    for package in MAY_IMPORT:
        for path in sorted((CHECKOUT / package).rglob("*.py")):
            yield package, path


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize(
    ("package", "path"), [pytest.param(p, f, id=str(f.relative_to(CHECKOUT))) for p, f in modules()]
)
def test_a_package_imports_only_what_lies_below_it(package: str, path: Path) -> None:
    foreign = (set(imported(path)) & OURS) - MAY_IMPORT[package]
    assert not foreign, f"{package} must not import {sorted(foreign)}"


def test_the_mlflow_folder_holds_no_python() -> None:
    assert (CHECKOUT / "mlflow").is_dir()
    assert list((CHECKOUT / "mlflow").rglob("*.py")) == []


def test_mlflow_imported_from_the_checkout_is_the_library() -> None:
    script = "import mlflow; print(mlflow.__version__, mlflow.__file__)"
    done = subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    version, file = done.stdout.split(maxsplit=1)
    assert version.startswith("3.")
    assert CHECKOUT / "mlflow" not in Path(file.strip()).parents
