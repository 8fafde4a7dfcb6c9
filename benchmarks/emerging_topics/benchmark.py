"""Are topics found that the classifier was never taught, and is nothing proposed where nothing is new?

In: the bundled sample, and `text/kursk.csv`, `text/ryazan.csv` and `text/petersburg.csv` of the real data. Out: tables,
and `results/emerging_topics.json`. One topic at a time is left out of the classifier and so many of its complaints
are put into the last 14 of 74 days of the others; Petersburg is replayed as it was (`replay.py`). Constants and the
rivals' thresholds were chosen on every other topic of the sample and of Kursk, and on Petersburg's December; the
figures are of the rest, of Ryazan and of Petersburg's late winter, which nothing was chosen on. What is finished is
kept in `TSUR_HOME`, so a run that was stopped goes on where it was.
"""

from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.progress import track

from benchmarks.emerging_topics.material import SIZES, Material, load_material, said
from benchmarks.emerging_topics.replay import Proposals, replayed
from benchmarks.emerging_topics.rivals import SEARCHES, Floats, Ints, Search, Stream
from benchmarks.kept import kept
from benchmarks.results import RESULTS, Target, console, markdown_table, targets_line, write_results
from data.settings import settings
from models.topics.emerging import EmergingConfig

NAME = "emerging_topics"
VERSION = 1
"""Part of the name of kept figures: raise it with every change to a search or to what is measured."""
END = date(2026, 11, 15)
TWIN = 0.5
"""A left-out topic has a twin among the known ones where so much of it is named as one of them confidently."""
ALLOWED = 0.05
"""Share of the tuning runs with nothing new in which a rival may propose something: what the scan promises."""
REPLAYED = "petersburg"
LIBRARIES = ("numpy", "onnxruntime", "scikit-learn", "scipy")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    corpora: Annotated[str, typer.Option(help="Corpora, comma-separated.")] = "sample,kursk,ryazan",
    runs: Annotated[int, typer.Option(min=1, help="Streams with nothing new, per corpus.")] = 20,
    topics: Annotated[int, typer.Option(min=1, help="Left-out topics per corpus and half, at most.")] = 12,
    replay: Annotated[bool, typer.Option(help="Replay Petersburg too.")] = True,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
) -> None:
    """Leave topics out, stream them in, and count what is found and what is proposed for nothing."""
    materials = [load_material(name, topics) for name in corpora.split(",")]
    tuned = [material for material in materials if material.tuning]
    folder = settings().home / "benchmarks" / NAME / f"v{VERSION}-{runs}-{topics}"
    thresholds = {name: threshold(name, tuned, runs, folder) for name in SEARCHES}
    measured = {m.name: figures(m, thresholds, runs, folder / f"{m.name}-{m.fingerprint}") for m in materials}
    console.print(markdown(measured))
    goals = targets(measured)
    content: dict[str, Any] = {"protocol": _protocol(runs), "thresholds": thresholds, "corpora": measured}
    if replay:
        winter = load_material(REPLAYED, topics)
        materials.append(winter)
        searches = {name: above(name, thresholds) for name in SEARCHES}
        content["replay"] = replayed(winter, searches, folder / f"{winter.name}-{winter.fingerprint}")
        console.print(replay_markdown(content["replay"]))
        goals += replay_targets(content["replay"])
    write_results(out, {m.name: m.fingerprint for m in materials}, LIBRARIES, content, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def _protocol(runs: int) -> dict[str, Any]:
    config = EmergingConfig()
    return {"days": config.days, "past_days": config.past_days, "sizes": SIZES, "runs": runs}


def above(name: str, thresholds: dict[str, float]) -> Proposals:
    """A search that gives the groups over its threshold only."""
    search, least = SEARCHES[name][1], thresholds[name]
    return lambda stream: [group for group in search(stream) if group.score > least]


def stream_of(
    material: Material, heads: tuple[Ints, Floats], rest: Ints, new: Ints, old: Ints, seed: int
) -> tuple[Stream, Ints]:
    """`rest` over all days, `new` in the last ones, `old` before them; and the positions of `new`."""
    config, rng = EmergingConfig(), np.random.default_rng(seed)
    ages = np.concatenate(
        [
            rng.integers(0, config.days + config.past_days, len(rest)),
            rng.integers(0, config.days, len(new)),
            rng.integers(config.days, config.days + config.past_days, len(old)),
        ]
    )
    rows = np.concatenate([rest, new, old])
    frame = pd.DataFrame(
        {
            "text": [material.texts[row] for row in rows],
            "day": pd.Timestamp(END) - pd.to_timedelta(ages, unit="D"),
            "municipality": None,
            "topic": [f"{heads[0][row]}" for row in rows],
            "confidence": heads[1][rows],
            "unlike": False,
        }
    )
    return Stream(frame, material.vectors[rows], END), np.arange(len(rest), len(rest) + len(new))


NONE = np.array([], dtype=np.int64)


def ordinary(material: Material, runs: int, first_seed: int) -> list[Stream]:
    """Streams in which nothing is new."""
    heads, every = said(material, []), np.arange(len(material.topics))
    return [stream_of(material, heads, every, NONE, NONE, first_seed + seed)[0] for seed in range(runs)]


def surging(material: Material, topics: list[int]) -> list[Stream]:
    """Streams in which one known topic surges: three quarters of its complaints in the last days."""
    heads, streams = said(material, []), []
    for topic in topics:
        its = np.random.default_rng(0).permutation(np.flatnonzero(material.topics == topic))
        cut, rest = 3 * len(its) // 4, np.flatnonzero(material.topics != topic)
        streams.append(stream_of(material, heads, rest, its[:cut], its[cut:], topic)[0])
    return streams


def threshold(name: str, materials: list[Material], runs: int, folder: Path) -> float:
    """The score above which a rival proposes: passed in `ALLOWED` of the tuning runs, kept; 0 for the scan."""
    if name == "scan":
        return 0.0
    search = SEARCHES[name][1]

    def least() -> dict[str, float]:
        streams = [stream for material in materials for stream in ordinary(material, runs, first_seed=1000)]
        best = [max((group.score for group in search(stream)), default=0.0) for stream in track(streams, name)]
        return {"least": float(np.quantile(best, 1 - ALLOWED)) if best else np.inf}

    tuning = "-".join(material.fingerprint for material in materials)
    return float(kept(folder / f"threshold-{name}-{tuning}.json", least)["least"])


@dataclass(frozen=True, eq=False)
class Streams:
    """The streams of one corpus, made when they are first asked for."""

    material: Material
    runs: int

    @cached_property
    def quiet(self) -> list[Stream]:
        """Nothing is new in them."""
        return ordinary(self.material, self.runs, first_seed=0)

    @cached_property
    def surges(self) -> list[Stream]:
        """A known topic surges in each."""
        return surging(self.material, self.material.reported)

    @cached_property
    def heads(self) -> dict[int, tuple[Ints, Floats]]:
        """What is said of every complaint without each reported topic."""
        return {topic: said(self.material, [topic]) for topic in self.material.reported}

    @cached_property
    def twins(self) -> set[int]:
        """The reported topics that a known one covers."""
        return {topic for topic, head in self.heads.items() if _has_twin(self.material, topic, head)}


def figures(material: Material, thresholds: dict[str, float], runs: int, folder: Path) -> dict[str, Any]:
    """What every search finds of the reported topics, and proposes where nothing is new; kept search by search."""
    streams = Streams(material, runs)
    facts = {"complaints": len(material.texts), "topics": len(material.reported)}
    twins = kept(folder / "twins.json", lambda: {"with_a_twin": len(streams.twins)})
    of_searches = {
        name: kept(folder / f"{name}.json", partial(of_search, streams, name, above(name, thresholds)))
        for name in SEARCHES
    }
    return {**facts, **twins, **of_searches}


def of_search(streams: Streams, name: str, proposals: Proposals) -> dict[str, Any]:
    """One search's figures on one corpus."""
    material = streams.material
    trials = [
        _planted(material, topic, head, size, proposals) | {"twin": topic in streams.twins}
        for topic, head in track(streams.heads.items(), f"{material.name}, {name}")
        for size in SIZES
        if (material.topics == topic).sum() >= size
    ]
    of_no_twin = [row for row in trials if not row["twin"]]
    return {
        "false_proposals_per_run": float(np.mean([len(proposals(stream)) for stream in streams.quiet])),
        "proposals_per_known_surge": float(np.mean([len(proposals(stream)) for stream in streams.surges])),
        "found": {str(size): _share(trials, size) for size in SIZES},
        "found_without_twin": {str(size): _share(of_no_twin, size) for size in SIZES},
        "streams": {str(size): sum(row["size"] == size for row in trials) for size in SIZES},
        "purity": _mean([row["purity"] for row in trials if row["found"]]),
        "recall": _mean([row["recall"] for row in trials if row["found"]]),
        "others_per_run": float(np.mean([row["others"] for row in trials])),
    }


def _has_twin(material: Material, topic: int, heads: tuple[Ints, Floats]) -> bool:
    """Whether half of a left-out topic is named as one known topic, half of that confidently."""
    named, sure = heads[0][material.topics == topic], heads[1][material.topics == topic]
    return bool(max(np.bincount(named[sure >= TWIN], minlength=1)) >= TWIN * len(named))


def _planted(material: Material, topic: int, heads: tuple[Ints, Floats], size: int, search: Search) -> dict[str, Any]:
    """One stream with so many complaints on a topic that was left out: found, if most of a group are its."""
    its = np.random.default_rng(topic).permutation(np.flatnonzero(material.topics == topic))[:size]
    rest = np.flatnonzero(material.topics != topic)
    stream, planted = stream_of(material, heads, rest, its, NONE, topic)
    groups = search(stream)
    hits = [np.isin(group.rows, planted) for group in groups]
    right = [hit for hit in hits if hit.mean() > 0.5]
    best = max(right, key=lambda hit: int(hit.sum()), default=None)
    return {
        "size": size,
        "found": best is not None,
        "purity": 0.0 if best is None else float(best.mean()),
        "recall": 0.0 if best is None else float(best.sum() / size),
        "others": len(groups) - len(right),
    }


def _share(rows: list[dict[str, Any]], size: int) -> float | None:
    return _mean([float(row["found"]) for row in rows if row["size"] == size])


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def targets(measured: dict[str, Any]) -> list[Target]:
    """More is found than by any rival, no more is proposed for nothing than was allowed."""
    goals = []
    ours, *rivals = SEARCHES
    for corpus, of_corpus in measured.items():
        false = of_corpus[ours]["false_proposals_per_run"]
        goals.append(Target.at_most(f"{corpus}: false proposals per run", false, 2 * ALLOWED))
        surges = of_corpus[ours]["proposals_per_known_surge"]
        goals.append(Target.at_most(f"{corpus}: proposals per surge of a known topic", surges, 2 * ALLOWED))
        size = str(SIZES[-1])
        best = max(of_corpus[rival]["found"][size] or 0.0 for rival in rivals)
        goals.append(Target.above(f"{corpus}: found at {size} complaints", of_corpus[ours]["found"][size], best))
    return goals


def replay_targets(replay: dict[str, Any]) -> list[Target]:
    """More of the late topics are found than by any rival, and no more is proposed for nothing than was allowed."""
    ours, *rivals = SEARCHES
    best = max(replay[rival]["found"] for rival in rivals)
    false = replay[ours]["proposals_per_evening_with_all_taught"]
    return [
        Target.above(f"{REPLAYED}: late topics found", replay[ours]["found"], best),
        Target.at_most(f"{REPLAYED}: proposals per evening with all topics taught", false, 2 * ALLOWED),
    ]


def replay_markdown(replay: dict[str, Any]) -> str:
    """What each search proposed in the winter replayed."""
    header = [f"{replay['topics']} late topics left out", "found", "after complaints", "others per evening"]
    rows = []
    for name, (title, _) in SEARCHES.items():
        of = replay[name]
        after = of["median_complaints_until_found"]
        cells = [_percent(of["found"]), "–" if after is None else f"{after:.0f}"]
        cells += [f"{of[key]:.2f}" for key in ("proposals_beside_per_evening", "proposals_per_evening_with_all_taught")]
        rows.append([title, *cells])
    return markdown_table([*header, "per evening with all taught"], rows)


def markdown(measured: dict[str, Any]) -> str:
    """One table: what is found at each size, how pure, and what is proposed for nothing."""
    header = ["corpus", "search", *(f"found at {size}" for size in SIZES), "without twin", "purity", "recall"]
    header += ["false per run", "per known surge"]
    rows = []
    for corpus, of_corpus in measured.items():
        for name, (title, _) in SEARCHES.items():
            ours = of_corpus[name]
            cells = [_percent(ours["found"][str(size)]) for size in SIZES]
            cells += [" / ".join(_percent(ours["found_without_twin"][str(size)]) for size in SIZES)]
            cells += [_percent(ours["purity"]), _percent(ours["recall"])]
            cells += [f"{ours[key]:.2f}" for key in ("false_proposals_per_run", "proposals_per_known_surge")]
            rows.append([corpus, title, *cells])
    return markdown_table(header, rows)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
