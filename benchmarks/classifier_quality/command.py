"""The product as a contender: what `tsur train classifier` leaves behind, asked by `tsur evaluate`.

In: a fold and the recipe: the commands' `--set`, and whether a student is distilled. Out: `Answers` to the test rows.
Each fold has a home and a region of its own, with no catalogue; the commands run in processes of their own, read files
as any user's and see no test row before they are asked. A run that was killed goes on where it was: the home stays
until the answers are there.
"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.classifier_quality.answers import Answers
from benchmarks.classifier_quality.corpus import TIMEZONE, Fold, Recipe, recipe_hash
from benchmarks.results import commit, console
from data.complaints.files import write_complaints
from data.errors import InputError
from data.settings import CHECKOUT, settings

REGION = "benchmark"
TOLD = 15
"""Last lines of a command that failed: its error stands there."""


def trained_by_command(fold: Fold, recipe: Recipe) -> Answers:
    """Train on the fold's training rows, then ask the champion about the test rows.

    Raises:
        InputError: a command failed; says what it printed last.
    """
    work = fold.corpus.work.resolve() / f"command-{recipe_hash(recipe)}-{fold.number}-of-{fold.of}"
    train, test, answers = work / "train.jsonl", work / "test.jsonl", work / "answers.csv"
    started = time.perf_counter()
    _write_region(work)
    for path, rows in zip((train, test), fold.rows, strict=True):
        if not path.exists():
            write_complaints(rows, path)
    overrides = [part for item in recipe["set"] for part in ("--set", item)]
    steps = {"trained": ["train", "classifier", str(train), "--no-catalogue", *overrides]}
    if recipe["student"]:
        steps["distilled"] = ["distill", str(train), "--promote"]
    for done, arguments in steps.items():
        if not (work / done).exists():
            run_tsur(work, *arguments)
            (work / done).touch()
    run_tsur(work, "evaluate", str(test), "--answers", str(answers))
    said = Answers.of_file(answers, fold.rows[1]["id"], fold.corpus.labels)
    shutil.rmtree(work)
    return replace(said, seconds=time.perf_counter() - started, commit=commit() or "")


def run_tsur(work: Path, *arguments: str) -> None:
    """Run a command of the product in the home of a fold, its lines on the console as they come.

    Raises:
        InputError: it failed; says what it printed last.
    """
    environment = os.environ | {
        "TSUR_HOME": str(work / "home"),
        "TSUR_CONFIGS": str(work / "configs"),
        "TSUR_REGION": REGION,
        "TSUR_CSV_DECIMAL": "point",
        "HF_HUB_OFFLINE": "1",
    }
    lines: list[str] = []
    command = [sys.executable, "-m", "tsur", *arguments]
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or []:
            lines.append(line.rstrip())
            console.print(f"  {lines[-1]}")
    if process.returncode:
        said = "\n".join(lines[-TOLD:])
        raise InputError(f"tsur {' '.join(arguments[:2])} in {work} ended with {process.returncode}:\n{said}")


def _write_region(work: Path) -> None:
    """The installation's configs with one region that has no catalogue."""
    configs = work / "configs"
    shutil.copytree(settings().configs, configs, ignore=shutil.ignore_patterns("regions"), dirs_exist_ok=True)
    folder = configs / "regions" / REGION
    folder.mkdir(parents=True, exist_ok=True)
    content = f"title: {REGION}\ntimezone: {TIMEZONE}\ncatalogue: null\n"
    (folder / "region.yaml").write_text(content, encoding="utf-8")
