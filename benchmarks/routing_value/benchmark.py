"""What TSUR's routing is worth on four weeks of a real portal: shares, precision, re-routings and days against its own.

In: `text/petersburg.csv` of the real data, and the answers of the champion that `tsur train classifier` left of the
weeks before 2021-02-15 (those of `make bench-classifier-quality`, or computed now). Out: a table, and
`results/routing_value.json`. Thresholds of the promises come from rows that training held out, waiting times from the
weeks before; the judged weeks choose nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.classifier_quality.contenders import BY_TIME, HEADS_ONLY, PRODUCT, STUDENT, answers_of, contenders
from benchmarks.classifier_quality.corpus import JUDGED_FROM, folds_of, load_corpus, recipe_hash
from benchmarks.classifier_quality.figures import Bools, Floats, share
from benchmarks.classifier_quality.measured import RESAMPLES, Judged, as_dict
from benchmarks.results import RESULTS, console, real_data, targets_line, write_results
from benchmarks.routing_value.portal import Portal, read_portal
from benchmarks.routing_value.report import markdown, targets
from benchmarks.routing_value.value import compared, days_saved, reroutings_avoided, wait_of_a_rerouting
from data.errors import InputError
from models.classifier.labels import HEADS

NAME = "routing_value"
ROUTING = (PRODUCT, HEADS_ONLY, STUDENT)
COMPARED = ("agency", "topic")
LIBRARIES = ("numpy", "pandas", "scikit-learn", "torch", "transformers")
ASSUMPTIONS = (
    "an operator decides all that TSUR does not route, as today: no gain and no loss is counted there",
    "a complaint that TSUR routes rightly is not re-routed; one that it routes wrongly is re-routed once",
    "a re-routing costs the median days to the first answer of complaints re-routed once less that of complaints "
    "never re-routed, in the weeks before the judged ones; complaints without an answer are left out of both",
    "that difference is taken for the effect of the re-routing; the cautious figure takes it inside topics, for slow "
    "topics may be re-routed oftener; other differences remain",
    "complaints whose agency nobody knows yet count in the coverage and nowhere else",
    "the portal's first agency follows from the topic that the citizen chose; TSUR reads text and district alone",
)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    name: Annotated[str, typer.Option("--contender", help="Whose answers: tsur, tsur_heads, student.")] = PRODUCT,
    override: Annotated[
        list[str] | None, typer.Option("--set", help="Handed to `tsur train classifier`; repeatable.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
    table: Annotated[Path | None, typer.Option(help="Write the table here too (Markdown).")] = None,
) -> None:
    """Compare what TSUR routes with the portal's first routing of the same complaints."""
    (corpus,) = BY_TIME
    every = contenders(override or [])
    if name not in ROUTING:
        raise typer.BadParameter(f"no contender {name!r} that routes: known are {', '.join(ROUTING)}")
    path = real_data() / "text" / f"{corpus}.csv"
    (fold,) = folds_of(load_corpus(path))
    portal = read_portal(path, JUDGED_FROM[corpus])
    answers = answers_of(name, every[name], fold)
    if not answers.routed:
        raise InputError("the champion knows no thresholds of several promises: this release's training fits them")
    judged = Judged([fold])
    ours = {head: judged.right(answers, head) for head in HEADS}
    measured = figures(portal, fold.rows[1]["id"].tolist(), answers.routed, ours, judged.weights)
    text = markdown(measured)
    console.print(text)
    if table is not None:
        table.write_text(text, encoding="utf-8")
    goals = targets(measured)
    recipe = {"contender": name, "recipe": recipe_hash(every[name].recipe), "set": list(override or [])}
    protocol = recipe | {
        "judged_from": str(JUDGED_FROM[corpus]),
        "resamples": RESAMPLES,
        "answers_of": answers.commit,
        "assumptions": list(ASSUMPTIONS),
    }
    write_results(out, {corpus: fold.corpus.fingerprint}, LIBRARIES, {"protocol": protocol, **measured}, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def figures(
    portal: Portal, ids: list[str], routed: Mapping[float, Bools], ours: Mapping[str, Bools], weights: Floats
) -> dict[str, Any]:
    """All figures, by promise; `routed`, `ours` (by head) and `weights` are in the order of `ids`."""
    history = portal.judged.set_index("id").loc[ids]
    known = {head: history[f"knows_{head}"].to_numpy() for head in COMPARED}
    first = {head: history[f"{head}_right"].to_numpy() for head in COMPARED}
    everything = np.ones(len(ids), dtype=bool)
    waits = wait_of_a_rerouting(portal.past, len(weights))

    def promised(rows: Bools) -> dict[str, Any]:
        avoided = reroutings_avoided(rows, known["agency"], ours["agency"], first["agency"], weights)
        return {
            "rows": int(rows.sum()),
            "coverage": as_dict(share(everything, rows, weights)),
            **{head: compared(rows, known[head], ours[head], first[head], weights) for head in COMPARED},
            "reroutings_per_1000": {key: value.as_dict() for key, value in avoided.items()},
            "days_saved_per_1000": days_saved(avoided["net"], waits["difference"]).as_dict(),
            "days_saved_per_1000_same_topic": days_saved(avoided["net"], waits["same topic"]).as_dict(),
        }

    return {
        "judged": len(ids),
        "judged_with_agency": int(known["agency"].sum()),
        "past": len(portal.past),
        "portal": {head: as_dict(share(known[head], first[head], weights)) for head in COMPARED},
        "waiting_days": {key: value.as_dict() for key, value in waits.items()},
        "promises": {f"{promise:g}": promised(rows) for promise, rows in sorted(routed.items())},
    }
