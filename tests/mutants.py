"""Mutants: what share of wrong changes do the tests notice?

In: the modules of `TARGETS`, each with the few fast tests that should notice a change in it. Out: killed and survived
of a seeded sample of mutants (cosmic-ray's operators), and each survivor as a diff. The decision worth knowing: this is
a measure and no gate, so it is bounded by time and always exits with 0; only tests that fail on the unchanged code are
an error. The mutants are made in a copy of the tree; the checkout is left alone.

    python -m tests.mutants [--minutes 10] [--sample 25] [--seed 0] [decoding masking …]
"""

import argparse
import ast
import difflib
import importlib
import importlib.util
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

CHECKOUT = Path(__file__).parents[1]
NOT_COPIED = (".*", "var", "__pycache__", "*.egg-info")
UNNOTICED = ("strict", "frozen", "examples")
"""Keyword arguments whose change no request and no figure shows."""
PRELOADED = ("fastapi", "hypothesis", "mlflow", "pandas", "pytest", "scipy.special", "sqlalchemy", "yaml")
"""What takes long to import and is not mutated: once for all runs."""
LIMIT_FACTOR, LIMIT_EXTRA = 3, 10
"""A run may take so many times as long as on the unchanged code, and so many seconds more; then it counts as killed."""

Change = tuple[str, int]
"""An operator of cosmic-ray by its name, and which of the places in a module that it can change."""


@dataclass(frozen=True)
class Target:
    """Modules (globs) and the tests that should notice a change in them, the quickest first."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


ENDPOINTS = ("classify", "emerging", "feedback", "forecast", "heatmap", "surges", "queries")
TARGETS = (
    Target("decoding", ("models/classifier/decoding.py",), ("tests/models/classifier/test_decoding.py",)),
    Target(
        "masking",
        ("data/complaints/*masking.py", "data/complaints/masks.py", "data/complaints/named_after.py"),
        ("tests/data/complaints/test_masking.py",),
    ),
    Target("surge-events", ("models/surges/events.py",), ("tests/models/surges/test_events.py",)),
    Target("api-errors", ("serving/http/errors.py",), ("tests/serving/http/test_errors.py", "tests/test_docs.py")),
    Target("api-messages", ("serving/api/v1/*_types.py",), ("tests/serving/api/test_types.py",)),
    Target(
        "surge-evidence",
        ("models/surges/evidence.py", "models/surges/thresholds.py"),
        ("tests/models/surges/test_scores.py", "tests/models/surges/test_evidence.py"),
    ),
    Target(
        "api",
        tuple(f"serving/api/v1/{name}.py" for name in ENDPOINTS),
        (
            "tests/serving/auth/test_roles.py",
            "tests/serving/api",
            "tests/serving/analytics/test_threads.py",
            "tests/serving/analytics/test_live_counts.py",
        ),
    ),
)
"""The quick ones first: what they leave of their time goes to those after them."""


@dataclass(frozen=True)
class Mutant:
    """One wrong change: the whole text of a module with it."""

    module: Path
    original: str
    changed: str

    @property
    def diff(self) -> str:
        """The change alone."""
        lines = (text.splitlines() for text in (self.original, self.changed))
        return "\n".join(difflib.unified_diff(*lines, str(self.module), str(self.module), lineterm="", n=1))


@dataclass
class Score:
    """What became of a target's mutants; `left` are those for which there was no time."""

    killed: int = 0
    survived: int = 0
    left: int = 0


def sample(target: Target, size: int, seed: int) -> list[Mutant]:
    """A random sample of places that can be changed, each with one of its changes that compiles."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    rng = random.Random(f"{seed} {target.name}")
    modules = sorted(module for pattern in target.modules for module in CHECKOUT.glob(pattern))
    places = [(module, changes) for module in modules for changes in _places(module)]
    mutants: list[Mutant] = []
    for module, changes in rng.sample(places, len(places)):
        operator, occurrence = rng.choice(changes)
        original = module.read_text(encoding="utf-8")
        changed = mutate_code(original, get_operator(operator)(), occurrence)
        with suppress(SyntaxError):
            ast.parse(changed)
            mutants.append(Mutant(module.relative_to(CHECKOUT), original, changed))
        if len(mutants) == size:
            break
    return mutants


def _places(module: Path) -> list[list[Change]]:
    """The changes of each place of a module, in its order."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    source = module.read_text(encoding="utf-8")
    nodes, left_alone = list(ast_nodes(get_ast(source))), _left_alone(ast.parse(source))
    places: dict[tuple[int, int], list[Change]] = defaultdict(list)
    for name in operator_names():
        operator = get_operator(name)
        if operator.arguments() or name.endswith(
            ("/NoOp", "Eq_Is", "Eq_IsNot")
        ):  # equal names are often the same object
            continue
        positions = [start for node in nodes for start, _ in operator().mutation_positions(node)]
        for occurrence, start in enumerate(positions):
            if not any(begin <= start < end for begin, end in left_alone):
                places[start].append((name, occurrence))
    return [places[start] for start in sorted(places)]


def _left_alone(module: ast.Module) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where annotations, which are mypy's business, and values of `UNNOTICED` begin and end."""
    nodes: list[ast.AST | None] = []
    for node in ast.walk(module):
        nodes += [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.keyword) and node.arg in UNNOTICED:
            nodes.append(node.value)
    return [((n.lineno, n.col_offset), (n.end_lineno, n.end_col_offset)) for n in nodes if n is not None]  # type: ignore[attr-defined]


def passes(tree: Path, tests: tuple[str, ...], limit: float) -> bool:
    """Whether a target's tests pass in the copied tree, within so many seconds; run in a fork of this process."""
    run = multiprocessing.get_context("fork").Process(target=_run, args=(tree, tests, limit))
    run.start()
    run.join()
    return run.exitcode == 0


def _run(tree: Path, tests: tuple[str, ...], limit: float) -> None:
    import pytest

    os.chdir(tree)
    os.environ["PYTHONPATH"] = str(tree)
    sys.path[:] = [str(tree), *(entry for entry in sys.path if Path(entry).resolve() != CHECKOUT)]
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    sys.exit(pytest.main([*options, f"--timeout={limit}", f"--session-timeout={limit}", *tests]))


def write(path: Path, text: str) -> None:
    """Write a module and drop its compiled form: one of the same second and size would pass for it."""
    path.write_text(text, encoding="utf-8")
    Path(importlib.util.cache_from_source(path)).unlink(missing_ok=True)


def measure(target: Target, mutants: list[Mutant], tree: Path, seconds: float, console: Console) -> Score:
    """Try one mutant after the other until the time is over."""
    begun, score = time.monotonic(), Score()
    if not passes(tree, target.tests, 600):
        raise SystemExit(f"{target.name}: {' '.join(target.tests)} fail on the unchanged code; run them first")
    limit = round(LIMIT_FACTOR * (time.monotonic() - begun) + LIMIT_EXTRA)
    for done, mutant in enumerate(mutants):
        if time.monotonic() - begun > seconds:
            score.left = len(mutants) - done
            break
        write(tree / mutant.module, mutant.changed)
        if passes(tree, target.tests, limit):
            score.survived += 1
            console.print(f"\n{target.name}: survived\n{mutant.diff}", markup=False, highlight=False, soft_wrap=True)
        else:
            score.killed += 1
        write(tree / mutant.module, mutant.original)
    return score


def main() -> None:
    """Measure the targets named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="share of wrong changes noticed")
    parser.add_argument("targets", nargs="*", metavar="target", help=f"of {', '.join(t.name for t in TARGETS)}")
    parser.add_argument("--minutes", type=float, default=10, help="for all targets together")
    parser.add_argument("--sample", type=int, default=25, help="mutants of a target")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if unknown := set(options.targets) - {target.name for target in TARGETS}:
        parser.error(f"there is no target {', '.join(sorted(unknown))}: known are {', '.join(t.name for t in TARGETS)}")
    targets = [target for target in TARGETS if not options.targets or target.name in options.targets]
    table, console = Table("target", "killed", "survived", "no time", "share killed"), Console()
    for name in PRELOADED:
        importlib.import_module(name)
    end = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory(prefix="tsur-mutants-") as folder:
        tree = Path(folder)
        shutil.copytree(CHECKOUT, tree, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)
        for position, target in enumerate(targets):
            seconds = max(end - time.monotonic(), 0) / (len(targets) - position)
            score = measure(target, sample(target, options.sample, options.seed), tree, seconds, console)
            tried = score.killed + score.survived
            share = f"{score.killed / tried:.0%}" if tried else "-"
            table.add_row(target.name, str(score.killed), str(score.survived), str(score.left), share)
    console.print(table)


if __name__ == "__main__":
    main()
