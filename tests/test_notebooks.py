"""The notebooks: each runs from top to bottom on small champions, and none stores what it showed."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from data.errors import NoChampionError
from data.settings import CHECKOUT

FOLDER = CHECKOUT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
NEED_A_CHAMPION = ["choosing_thresholds", "classifier_errors", "drift_report", "forecast_vs_actual"]
EXPECTED = sorted([*NEED_A_CHAMPION, "explore_export"])
PERSONAL = re.compile(r"8[ -]?\(?900\)?[ -]?000|@example|\+7")
"""What the sample's invented phones and addresses have in common."""

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def code_cells(notebook: Any) -> Iterator[Any]:
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def run(path: Path, home: Path, where: Path) -> Any:
    """The notebook with its outputs, executed by this interpreter with `home` as its state."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    notebook = read(path)
    # No folders: whatever "python3" means on this machine, ipykernel of this interpreter is meant.
    kernels = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = NotebookClient(notebook, km=kernels, timeout=300, resources={"metadata": {"path": str(where)}})
    environment = {"TSUR_HOME": str(home), "HF_HUB_OFFLINE": "1", "IPYTHONDIR": str(where / "ipython")}
    client.execute(env={**os.environ, **environment})
    return notebook


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def said(notebook: Any) -> str:
    """All that a notebook showed as text: printed, tables, representations."""
    shown = outputs(notebook)
    printed = [output.text for output in shown if output.output_type == "stream"]
    return "\n".join([*printed, *(str(output.get("data", {}).get("text/html", "")) for output in shown)])


def test_there_are_those_that_the_readme_lists() -> None:
    assert [path.stem for path in NOTEBOOKS] == EXPECTED
    listed = re.findall(r"\((\w+)\.ipynb\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == EXPECTED


@each_notebook
def test_runs_without_error_or_warning_and_draws(path: Path, trained: Path, tmp_path: Path) -> None:
    notebook = run(path, trained, tmp_path)
    warned = [output.text for output in outputs(notebook) if output.get("name") == "stderr"]
    assert not warned, warned
    assert sum("image/png" in output.get("data", {}) for output in outputs(notebook)) >= 4
    assert str(trained) in said(notebook), "it says which home it read"
    assert not PERSONAL.search(said(notebook))


@pytest.mark.parametrize("name", NEED_A_CHAMPION)
def test_without_a_champion_it_says_what_to_run_first(name: str, tmp_path: Path) -> None:
    from nbclient.exceptions import CellExecutionError

    with pytest.raises(CellExecutionError, match="run `tsur train ") as stopped:
        run(FOLDER / f"{name}.ipynb", tmp_path / "empty", tmp_path)
    assert stopped.value.ename == NoChampionError.__name__


@each_notebook
def test_stores_no_outputs_and_no_execution_counts(path: Path) -> None:
    for cell in code_cells(read(path)):
        assert cell.outputs == [], f"{path.name}: clear all outputs"
        assert cell.execution_count is None, f"{path.name}: clear all outputs"


@each_notebook
def test_is_short_valid_and_begins_with_its_settings(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert 10 <= len(notebook.cells) <= 16
    first = notebook.cells[0]
    assert first.cell_type == "markdown"
    for words in ("TSUR_HOME", "**Run first:**"):
        assert words in first.source
