"""Does a new region need fewer labelled complaints if its encoder was adapted on others?

In: `text/petersburg.csv` (before 2021-02-15), `kursk.csv` and `ryazan.csv` of the real data. Out: a table, and
`results/adaptation.json`. Kursk is new to an encoder adapted on Petersburg and Ryazan, Ryazan to one adapted on
Petersburg and Kursk: `tsur adapt` runs on files in which the new region does not occur, and what it leaves behind reads
the new region's complaints. Zero, one, two, four or eight rows of each topic teach, drawn five times; all other rows
judge, topics without a single row that teaches included.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.adaptation.adapting import adapted, imported, new_region
from benchmarks.adaptation.few_shot import (
    MOST_ROWS,
    ROWS_A_TOPIC,
    Draw,
    Floats,
    Labels,
    Right,
    count_right,
    difference,
    draw,
    sectors_of,
)
from benchmarks.adaptation.rivals import as_it_comes, by_vectors, by_words, by_words_and_vectors, vectors_of
from benchmarks.results import (
    RESULTS,
    Target,
    console,
    markdown_table,
    real_data,
    resample_weights,
    targets_line,
    write_results,
)
from data.settings import settings
from models.text.model_input import normalised_text
from training.classifier.splits import fingerprint

NAME = "adaptation"
TAUGHT_BY = {"kursk": ("petersburg", "ryazan"), "ryazan": ("petersburg", "kursk")}
GAIN = 0.05
"""What adaptation must add to topic accuracy at eight rows a topic, over words and over the encoder as it comes."""
LIBRARIES = ("numpy", "onnxruntime", "scikit-learn", "torch", "transformers")
TITLES = {
    "words": "TF-IDF + SVM",
    "as_it_comes": "the encoder as it comes",
    "adapted": "the encoder adapted on other regions",
    "words_as_it_comes": "TF-IDF and the encoder as it comes + SVM",
    "words_adapted": "TF-IDF and the adapted encoder + SVM",
}
PAIRS = {"adapted": ("words", "as_it_comes"), "words_adapted": ("words", "words_as_it_comes")}
"""What each is compared with."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    regions: Annotated[str, typer.Option(help="The new regions, comma-separated.")] = ",".join(TAUGHT_BY),
    draws: Annotated[int, typer.Option(min=1, help="Draws of the rows that teach.")] = 5,
    override: Annotated[list[str] | None, typer.Option("--set", help="A key of configs/adapt.yaml.")] = None,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
) -> None:
    """Adapt on other regions, label a few rows of the new one, and count what is got right."""
    measured = {region: figures(region, draws, override or []) for region in regions.split(",")}
    console.print(markdown(measured))
    goals = targets(measured)
    data = {region: measured[region]["fingerprint"] for region in measured}
    content = {"protocol": {"draws": draws, "set": override or []}, "regions": measured}
    write_results(out, data, LIBRARIES, content, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def figures(region: str, draws: int, overrides: Sequence[str]) -> dict[str, Any]:
    """Accuracy of all contenders on a new region by rows a topic, and the adapted ones' differences to the others."""
    work = settings().home / "benchmarks" / NAME
    work.mkdir(parents=True, exist_ok=True)
    corpora = {name: imported(real_data() / "text" / f"{name}.csv", work) for name in (region, *TAUGHT_BY[region])}
    home = work / "-".join(["for", region, *overrides]).replace("/", "_")
    artifacts = {
        "as_it_comes": as_it_comes(work),
        "adapted": adapted([corpora[name] for name in TAUGHT_BY[region]], overrides, home),
    }
    frame = new_region(corpora[region])
    names = np.unique(frame["topic"])
    texts = [normalised_text(text) for text in [*frame["text"], *names]]
    vectors = {name: vectors_of(artifact, texts) for name, artifact in artifacts.items()}
    drawn = [draw(frame["topic"].to_numpy(), seed) for seed in range(draws)]
    said = few_shot(frame["topic"].to_numpy(), names, texts, vectors, drawn)
    return {
        "fingerprint": fingerprint(frame),
        "encoder": artifacts["adapted"].name,
        "rows": len(frame),
        "topics": len(names),
        "judged_a_draw": len(drawn[0].judged),
        "taught": {str(rows): len(drawn[0].taught(rows)) for rows in ROWS_A_TOPIC},
        "contenders": _contenders(said, drawn, frame),
    }


Predictions = dict[str, dict[int, list[Labels]]]
"""Of each contender, by rows a topic: the topics it gives to the judged rows of each draw."""


def few_shot(
    topics: Labels, names: Labels, texts: Sequence[str], vectors: dict[str, Floats], draws: Sequence[Draw]
) -> Predictions:
    """What each contender says; `texts` and `vectors` are those of the complaints and, behind them, of the names."""
    labels = np.concatenate([topics, names])
    of_names = np.arange(len(topics), len(labels))
    said: Predictions = {name: {rows: [] for rows in ROWS_A_TOPIC} for name in TITLES}
    for rows in ROWS_A_TOPIC:
        for each in draws:
            taught, judged = np.concatenate([each.taught(rows), of_names]), each.judged
            words, asked = [texts[row] for row in taught], [texts[row] for row in judged]
            said["words"][rows].append(by_words(words, labels[taught], asked))
            for name, read in vectors.items():
                said[name][rows].append(by_vectors(read[taught], labels[taught], read[judged]))
                both = by_words_and_vectors(words, read[taught], labels[taught], asked, read[judged])
                said[f"words_{name}"][rows].append(both)
    return said


def _contenders(said: Predictions, draws: Sequence[Draw], frame: Any) -> dict[str, Any]:
    """Accuracy of topic and sector by rows a topic; where a contender has rivals, the differences in topics."""
    weights = resample_weights(len(frame))
    topics, sectors = frame["topic"].to_numpy(), frame["sector"].to_numpy()
    right: dict[str, dict[int, Right]] = {}
    out: dict[str, Any] = {}
    for name, by_rows in said.items():
        right[name] = {rows: count_right(draws, labels, topics) for rows, labels in by_rows.items()}
        of_sectors = {
            rows: count_right(draws, [sectors_of(each, frame) for each in labels], sectors)
            for rows, labels in by_rows.items()
        }
        out[name] = {
            "title": TITLES[name],
            "topic": {str(rows): each.share for rows, each in right[name].items()},
            "sector": {str(rows): each.share for rows, each in of_sectors.items()},
        }
    for name, rivals in PAIRS.items():
        out[name]["gain"] = {
            rival: {str(rows): difference(right[name][rows], right[rival][rows], weights) for rows in ROWS_A_TOPIC}
            for rival in rivals
        }
    return out


def targets(measured: dict[str, Any]) -> list[Target]:
    """At eight rows a topic the adapted encoder is five points above words and above the encoder as it comes."""
    goals = []
    for region, of_region in measured.items():
        for rival, gains in of_region["contenders"]["adapted"]["gain"].items():
            name = f"{region}: topic accuracy at {MOST_ROWS} rows a topic, above {TITLES[rival]}"
            goals.append(Target.at_least(name, gains[str(MOST_ROWS)]["difference"], GAIN))
    return goals


def markdown(measured: dict[str, Any]) -> str:
    """Topic and sector accuracy of each contender by rows a topic, a table a region."""
    parts = []
    for region, of_region in measured.items():
        header = ["topic / sector", *(f"{rows} rows a topic" for rows in ROWS_A_TOPIC)]
        rows = [
            [
                contender["title"],
                *(f"{contender['topic'][str(n)]:.3f} / {contender['sector'][str(n)]:.3f}" for n in ROWS_A_TOPIC),
            ]
            for contender in of_region["contenders"].values()
        ]
        title = f"{region}: {of_region['topics']} topics, {of_region['judged_a_draw']} complaints judged a draw\n\n"
        parts.append(title + markdown_table(header, rows))
    return "\n".join(parts)
