"""Erasing a complaint from the files of jobs that have ended: its decision, and the row that was set aside.

In: the id, and the jobs of its region. Out: the same files without its rows, each replaced in one step. Jobs under way
are left alone: they are erased from when they have ended.
"""

import csv
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from batch.jobs import JobFolder
from data.atomic import atomic_file
from data.store.jobs import Job
from data.tables.csv_writer import BOM, csv_lines, defused

Cells = list[str]


def erase_from_results(home: Path, jobs: Sequence[Job], complaint_id: str) -> int:
    """Take a complaint out of results and rejects; how many rows went."""
    token = re.compile(rf"(?<![\w-]){re.escape(complaint_id)}(?![\w-])")
    gone = 0
    for job in jobs:
        folder = JobFolder(home, job.id)
        gone += _without(folder.result, lambda cells: cells[0] == defused(complaint_id))
        gone += _without(folder.rejects, lambda cells: token.search(cells[-1]) is not None)
    return gone


def _without(path: Path, is_meant: Callable[[Cells], bool]) -> int:
    """Take the rows that are meant out of a CSV of ours; how many."""
    if not path.is_file():
        return 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        gone = sum(is_meant(cells) for cells in csv.reader(file, delimiter=";") if cells)
    if gone:
        with (
            path.open(encoding="utf-8-sig", newline="") as file,
            atomic_file(path) as partial,
            partial.open("w", encoding="utf-8", newline="") as kept,
        ):
            kept.write(BOM)
            for cells in csv.reader(file, delimiter=";"):
                if not (cells and is_meant(cells)):
                    kept.write(csv_lines([cells]))
    return gone
