"""How fast the classifier is, beside what others would use and beside what this machine can multiply.

In: a bundle (the champion) and real complaints. Out: a table, and `results/classifier_speed.json`. All contenders
run in one go, each in a process of its own, and take turns, so that their ratios hold on a machine that is not
idle. Texts are read anew each time: the cache is off, but where the table says otherwise.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from benchmarks.classifier_speed import bundles
from benchmarks.classifier_speed.http import measure_http
from benchmarks.classifier_speed.rows import read_timing, summary, write_export
from benchmarks.classifier_speed.tables import BY_LENGTH, LENGTHS, MILLION, markdown, targets
from benchmarks.classifier_speed.worker import ROWS
from benchmarks.results import RESULTS, console, machine, targets_line, write_results
from data.complaints.cleaning import clean_text
from data.complaints.masking import mask
from data.errors import InputError
from data.regions.region import load_region
from data.settings import CHECKOUT, settings
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from models.encoder.onnx_runtime import CACHED_TEXTS
from registry.client import open_registry
from registry.names import classifier_name
from training.classifier.agreement import agreement
from training.classifier.splits import fingerprint
from training.encoder import export, graph, quantise
from training.evaluate.evaluate import seen_by

NAME = "classifier_speed"
FEWEST = 16
"""Texts that can be measured."""
BATCHES = (1, 8, 32)
LIBRARIES = ("numpy", "onnxruntime", "scikit-learn", "tokenizers", "torch", "transformers")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Worker:
    """A contender's process."""

    def __init__(self, kind: str, folder: Path, texts: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.classifier_speed.worker", kind, str(folder), str(texts)]
        self._process = subprocess.Popen(
            command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._read()

    def ask(self, **command: Any) -> Any:
        """The answer to one command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a contender's process has ended")
        return json.loads(line)


@dataclass(frozen=True)
class Corpus:
    """Texts to classify, the rows that the SVM learns from, and where they come from."""

    name: str
    texts: list[str]
    rows: pd.DataFrame
    fingerprint: str


@app.command()
def main(
    bundle: Annotated[Path | None, typer.Option(help="A classifier's bundle; default: the champion.")] = None,
    student: Annotated[Path | None, typer.Option(help="The student's bundle.")] = None,
    cut: Annotated[
        int | None, typer.Option(help="Without a student: cut the teacher to so many layers, to try the benchmark out.")
    ] = None,
    texts: Annotated[int, typer.Option(min=FEWEST, help="Texts in a pass.")] = 400,
    repeats: Annotated[int, typer.Option(min=1, help="Passes of each contender.")] = 5,
    rows: Annotated[
        str, typer.Option(help="Rows through `tsur classify`, comma-separated; empty: none.")
    ] = "1000,10000",
    million: Annotated[
        bool, typer.Option("--million", help="And a million rows; goes on where it was stopped.")
    ] = False,
    http: Annotated[bool, typer.Option("--http/--no-http", help="Put load on the service too.")] = True,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
    table: Annotated[Path | None, typer.Option(help="Write the table here too (Markdown).")] = None,
) -> None:
    """Measure throughput, latency, memory, growth and the service under load."""
    work = settings().home.resolve() / "benchmarks" / NAME
    region = load_region().id
    champion = open_registry(region).champion_bundle
    teacher, version = (bundle, None) if bundle is not None else champion(classifier_name(region))
    corpus = load_corpus(texts, version)
    folders = prepare(teacher, student, cut, corpus, work)
    counts = [int(count) for count in rows.split(",") if count] + [MILLION] * million
    figures: dict[str, Any] = {
        "texts": describe(corpus) | {"new_to_the_champion": version is not None},
        "student": said_of_student(student, cut),
        **measure_all(folders, corpus, work, repeats, counts, http),
    }
    text = markdown(figures)
    console.print(text)
    if table is not None:
        table.write_text(text, encoding="utf-8")
    goals = targets(figures, is_student=student is not None)
    write_results(out, {corpus.name: corpus.fingerprint}, LIBRARIES, figures, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def measure_all(
    folders: dict[str, Path], corpus: Corpus, work: Path, repeats: int, counts: list[int], http: bool
) -> dict[str, Any]:
    """Agreement of int8 and fp32, all contenders, so many rows each through `tsur classify`, the service if asked."""
    figures: dict[str, Any] = {"agreement": agreement_of(folders, corpus)}
    figures["contenders"] = measure(folders, corpus, work, repeats)
    engine = folders.get("student int8", folders["teacher int8"])
    figures["rows"] = [measure_rows(engine, corpus, engine.parent / "rows", count) for count in counts]
    if http:
        console.print("putting load on the service")
        figures["http"] = measure_http(engine, corpus.texts, work / "http")
    return figures


def load_corpus(count: int, version: int | None = None) -> Corpus:
    """Kursk's complaints where there are real data, else the bundled sample; no text that a version was trained on."""
    folder = settings().real_data
    if folder is not None and (folder / "text" / "kursk.csv").is_file():
        name, frame = "kursk", pd.read_csv(folder / "text" / "kursk.csv", dtype="string").astype(object)
    else:
        from tsur.samples import sample_complaints

        console.print("TSUR_REAL_DATA names no folder with text/kursk.csv: the bundled sample is measured instead")
        name, frame = "sample", sample_complaints()
    frame = frame[["id", "text", *HEADS]].assign(text=[mask(clean_text(text)) for text in frame["text"]])
    region = load_region().id
    new = frame if version is None else frame[~seen_by(frame, open_registry(region), classifier_name(region), version)]
    if len(new) < FEWEST:
        raise InputError(f"version {version} was trained on all but {len(new)} texts of {name}: name another --bundle")
    drawn = new.sample(min(count, len(new)), random_state=0)
    return Corpus(name, drawn["text"].tolist(), frame, fingerprint(frame.assign(municipality=None)))


def prepare(teacher: Path, student: Path | None, cut: int | None, corpus: Corpus, work: Path) -> dict[str, Path]:
    """The folder of each contender."""
    import hashlib

    code = [Path(module.__file__ or "").read_text("utf-8") for module in (export, graph, quantise)]
    ingredients = [str(teacher), str(student), str(cut), corpus.fingerprint, *corpus.texts, *code]
    work = work / hashlib.sha256("\n".join(ingredients).encode()).hexdigest()[:12]
    folders = {"pipeline": bundles.write_pipeline(teacher, work / "pipeline")}
    of_teacher = bundles.write_precisions(teacher, work / "teacher")
    folders |= {"teacher fp32": of_teacher["fp32"], "teacher int8": of_teacher["int8"]}
    if student is not None or cut is not None:
        folders["student int8"] = bundles.write_precisions(student or teacher, work / "student", cut)["int8"]
    (work / "svm").mkdir(exist_ok=True)
    corpus.rows.dropna().to_json(work / "svm" / "rows.jsonl", orient="records", lines=True, force_ascii=False)
    folders["TF-IDF + SVM"] = work / "svm"
    sizes = bundles.sizes_of(of_teacher["fp32"])
    for kind in ("fp32", "int8"):
        folders[f"products {kind}"] = bundles.write_products(work / f"products-{kind}", sizes, kind)
    return folders


def describe(corpus: Corpus) -> dict[str, Any]:
    """How many texts, how long, and how many of the whole corpus are repeated word for word."""
    lengths = [len(text) for text in corpus.texts]
    repeated = 1 - corpus.rows["text"].nunique() / len(corpus.rows)
    return {
        "corpus": corpus.name,
        "count": len(lengths),
        "characters": {"mean": float(np.mean(lengths)), "median": float(np.median(lengths)), "most": max(lengths)},
        "repeated_share": repeated,
    }


def said_of_student(student: Path | None, cut: int | None) -> str | None:
    """What stands in the student's row."""
    if student is not None:
        return "distilled"
    return f"no student: the teacher cut to {cut} layers" if cut else None


def agreement_of(folders: dict[str, Path], corpus: Corpus) -> dict[str, float]:
    """Share of texts that int8 and fp32 give the same label, for each head."""
    console.print("comparing the decisions of int8 and fp32")
    plain, small = (Classifier.load(folders[name]) for name in ("teacher fp32", "teacher int8"))
    return agreement(plain, small, corpus.texts, [None] * len(corpus.texts))


def measure(folders: dict[str, Path], corpus: Corpus, work: Path, repeats: int) -> dict[str, Any]:
    """Passes of all contenders in turn, then single texts, memory and lengths."""
    given = work / f"texts-{len(corpus.texts)}.json"
    given.write_text(json.dumps(corpus.texts, ensure_ascii=False), encoding="utf-8")
    kinds = {"pipeline": "pipeline", "TF-IDF + SVM": "svm"}
    workers = {
        name: Worker("products" if name.startswith("products") else kinds.get(name, "engine"), folder, given)
        for name, folder in folders.items()
    }
    tried = {size: workers["pipeline"].ask(do="pass", batch=size, first=64)[0] for size in BATCHES}
    best = min((size for size in BATCHES if size > 1), key=lambda size: tried[size])
    asked: dict[str, dict[str, Any]] = {"pipeline, batch 1": {"batch": 1}, f"pipeline, batch {best}": {"batch": best}}
    asked |= {name: {"batch": 8 if name.startswith("products") else 1} for name in workers if name != "pipeline"}
    passes: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
    for repeat in range(repeats):
        for name, command in asked.items():
            worker = workers["pipeline" if name.startswith("pipeline") else name]
            passes[name].append(worker.ask(do="pass", **command))
        console.print(f"pass {repeat + 1} of {repeats}")
    medians = {name: float(np.median([wall for wall, _ in values])) for name, values in passes.items()}
    ceilings = {kind: _ceiling(folders["teacher fp32"], medians[f"products {kind}"]) for kind in ("fp32", "int8")}
    figures = {}
    for name in asked:
        if not name.startswith("products"):
            worker = workers["pipeline" if name.startswith("pipeline") else name]
            figures[name] = {"texts_per_second": len(corpus.texts) / medians[name], "passes": passes[name]}
            worked = float(np.median([worked for _, worked in passes[name]]))
            figures[name]["texts_per_core_second"] = len(corpus.texts) / worked
            figures[name] |= _single(worker, corpus.texts) if name != f"pipeline, batch {best}" else {}
            figures[name]["peak_mib"] = worker.ask(do="memory")
            figures[name] |= _share(name, folders, corpus, medians[name], ceilings)
    for name in ("teacher int8", "student int8"):
        if name in workers:
            figures[name][BY_LENGTH] = _by_length(workers[name], corpus.texts)
    for worker in workers.values():
        worker.close()
    return figures | {"ceilings": {f"{kind}_gops": value / 1e9 for kind, value in ceilings.items()}}


def _ceiling(folder: Path, seconds: float) -> float:
    """Operations a second in products alone, on all cores; the worker makes 8 passes a core."""
    return 8 * float(machine()["cores"]) * bundles.layer_operations(bundles.sizes_of(folder), ROWS) / seconds


def _single(worker: Worker, texts: list[str]) -> dict[str, float]:
    alone = worker.ask(do="single", first=min(len(texts), 100))
    return {"p50_ms": 1000 * float(np.quantile(alone, 0.5)), "p99_ms": 1000 * float(np.quantile(alone, 0.99))}


def _share(
    name: str, folders: dict[str, Path], corpus: Corpus, seconds: float, ceilings: dict[str, float]
) -> dict[str, float]:
    """The share of the machine's ceiling that the network's arithmetic alone would need of the time."""
    if name not in ("teacher fp32", "teacher int8", "student int8"):
        return {}
    folder = folders[name]
    needed = bundles.operations(bundles.sizes_of(folder), bundles.windows_of(folder, corpus.texts))
    return {"share_of_ceiling": needed / seconds / ceilings[name.rpartition(" ")[2]]}


def _by_length(worker: Worker, texts: list[str]) -> dict[str, float]:
    """Milliseconds of a text in a pass, by its characters; pieces of the corpus, joined and cut."""
    joined = " ".join(texts)
    out = {}
    for length in LENGTHS:
        pieces = [joined[start : start + length] for start in range(0, min(len(joined), 64 * length), length)]
        timed = [worker.ask(do="pass", texts=pieces)[0] for _ in range(3)]
        out[str(length)] = 1000 * float(np.median(timed)) / len(pieces)
    return out


def measure_rows(folder: Path, corpus: Corpus, work: Path, count: int) -> dict[str, Any]:
    """Rows through what `tsur classify` runs: no text twice, and with the cache where half were sent before."""
    work.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Any] = {"rows": count}
    for name, repeated, cached in (("no text twice", 0.0, 0), ("half sent before", 0.5, CACHED_TEXTS)):
        export = write_export(work / f"{count}-{repeated}.csv", corpus.texts, count, repeated)
        timing = export.with_suffix(".timing.jsonl")
        points = read_timing(timing)
        if not points or points[-1]["rows"] < count:
            console.print(f"{count} rows, {name}")
            subprocess.run(
                [sys.executable, "-m", "benchmarks.classifier_speed.rows", str(folder), str(export), str(cached)],
                cwd=CHECKOUT, check=True,
            )  # fmt: skip
            points = read_timing(timing)
        figures[name] = summary(points)
        timing.unlink()  # a finished measurement is in the results; the next run measures anew
    return figures
