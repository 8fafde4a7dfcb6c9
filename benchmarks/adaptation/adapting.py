"""The adapted encoder of a new region: what `tsur adapt` leaves behind, taught by other regions only.

In: corpora of the folder of real data. Out: the artifact's folder, and the new region's complaints. `tsur import` and
`tsur adapt` run in processes of their own, in a home of their own; a run that was killed goes on where it was.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmarks.results import console
from data.complaints.files import read_complaints
from data.errors import FileError, InputError
from data.settings import CHECKOUT
from models.encoder.artifact import is_address

JUDGED_FROM = {"petersburg": "2021-02-15"}
"""Weeks that judge other benchmarks teach nothing here either."""
UNDATED = "2022-01-01"
"""Of rows whose corpus says nothing of time; nothing reads it."""
TOLD = 15
"""Last lines of a command that failed: its error stands there."""


def imported(corpus: Path, work: Path) -> Path:
    """The complaints of a corpus as `tsur import` makes them, JSONL in `work`.

    Raises:
        FileError: no such corpus.
    """
    out = work / f"{corpus.stem}.jsonl"
    if not out.exists():
        if not corpus.is_file():
            raise FileError(f"TSUR_REAL_DATA holds no {corpus.parent.name}/{corpus.name}")
        rows = pd.read_csv(corpus, dtype=str)
        since = JUDGED_FROM.get(corpus.stem)
        export = work / corpus.name
        (rows if since is None else rows[rows["created_at"] < since]).to_csv(export, index=False)
        date = [] if "created_at" in rows else ["--date", UNDATED]
        run_tsur(work / "home", "import", str(export), "--no-catalogue", "--out", str(out), *date)
    return out


def adapted(corpora: Sequence[Path], overrides: Sequence[str], home: Path) -> Path:
    """The artifact of an encoder adapted on corpora, its folder in the command's own home."""
    done = home / "adapted"
    if not done.exists():
        settings = [part for item in overrides for part in ("--set", item)]
        run_tsur(home, "adapt", *map(str, corpora), *settings)
        done.touch()
    (artifact,) = [folder for folder in (home / "encoders").iterdir() if is_address(folder.name)]
    return artifact


def new_region(corpus: Path) -> pd.DataFrame:
    """The complaints of the new region that have a topic."""
    return read_complaints(corpus).dropna(subset=["topic"]).reset_index(drop=True)


def run_tsur(home: Path, *arguments: str) -> None:
    """Run a command of the product in a home, its lines on the console as they come.

    Raises:
        InputError: it failed; says what it printed last.
    """
    home.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"TSUR_HOME": str(home.resolve()), "HF_HUB_OFFLINE": "1"}
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-m", "tsur", *arguments], cwd=CHECKOUT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        for line in process.stdout or []:
            lines.append(line.rstrip())
            console.print(f"  {lines[-1]}")
    if process.returncode:
        said = "\n".join(lines[-TOLD:])
        raise InputError(f"tsur {arguments[0]} in {home} ended with {process.returncode}:\n{said}")
