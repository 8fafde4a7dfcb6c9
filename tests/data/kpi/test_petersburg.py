"""KPIs of Petersburg's real history agree with what this file computes of the portal's own table, in its own way."""

import csv
import statistics
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from data.complaints.masking import MaskedText
from data.complaints.sources import load_map
from data.kpi.kpi import compute_kpis
from data.kpi.span import Span
from data.outcomes.importing import OutcomeMap, import_outcomes
from data.regions.region import load_region
from data.settings import CHECKOUT
from data.store.corrections import Correction
from data.store.decisions import Decision
from data.store.store import Store
from tests.data.store.rows import REGION

ZONE = ZoneInfo("Europe/Moscow")
SPAN = Span(date(2020, 11, 30), date(2020, 12, 6))
FIRST, LAST = date(2020, 10, 18), date(2020, 12, 20)
DAY = timedelta(days=1)
TERM = timedelta(days=10)
"""A deadline for the test: the portal's own varies by topic and is not in the table."""


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.fixture(scope="module")
def history(real_data: Path) -> list[dict[str, str]]:
    with (real_data / "text" / "petersburg.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if FIRST <= local(row["created_at"]).date() <= LAST]


@pytest.fixture(scope="module")
def figures(history: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory):
    """The portal's first routing as decisions, what it ended with as corrections, the rest as outcomes of a file."""
    folder = tmp_path_factory.mktemp("petersburg")
    store = Store(f"sqlite:///{folder}/store.db", REGION)
    store.decisions.save([_decision(row) for row in history])
    changed = [row for row in history if int(row["topic_changes"])]
    store.corrections.save(
        [Correction(REGION, "other", row["id"], row["sector"], row["topic"], None, None) for row in changed]
    )
    path = folder / "history.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["id", "agency", "reroutings", "answered_at", "closed_at"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(history)
    mapped = load_map(OutcomeMap, "generic", CHECKOUT / "configs" / "outcomes", timezone="Europe/Moscow")
    import_outcomes(path, mapped, REGION, store.outcomes)
    kpis = compute_kpis(store, load_region(), SPAN, "municipality", as_of=local("2021-06-01"))
    store.close()
    return kpis


def _decision(row: dict[str, str]) -> Decision:
    came = local(row["created_at"])
    labels = {head: row[f"first_{head}"] or "нет" for head in ("sector", "topic", "agency")}
    return Decision(
        region=REGION,
        source="other",
        id=row["id"],
        text=MaskedText("текст"),
        municipality=row["municipality"],
        created_at=came,
        day=came.date(),
        decision="route" if not int(row["topic_changes"]) else "review",
        reasons=[],
        **labels,
        sector_confidence=1.0,
        topic_confidence=1.0,
        agency_confidence=1.0,
        model_version="1",
        due_at=came + TERM,
    )


def first_answer(row: dict[str, str]) -> datetime | None:
    """By the portal's times; one of a clock before the complaint, or of an answer after closing, counts as none."""
    moments = [local(row[name]) for name in ("answered_at", "closed_at") if row[name]]
    return min(moments, default=None)


def within(moment: datetime | None, span: Span) -> bool:
    return moment is not None and span.first <= moment.astimezone(ZONE).date() <= span.last


def test_volume_routing_and_agreement_are_those_of_the_table(history, figures):
    received = [row for row in history if within(local(row["created_at"]), SPAN)]
    changed = [row for row in received if int(row["topic_changes"])]
    assert figures.figures["volume"].value == len(received) > 1000
    assert figures.figures["volume"].previous == sum(within(local(r["created_at"]), SPAN.before) for r in history)
    assert figures.figures["routed"].value == pytest.approx(1 - len(changed) / len(received))
    same = [row for row in changed if row["topic"] == row["first_topic"]]
    assert figures.figures["agreement_topic"].value == pytest.approx(len(same) / len(changed))


def test_deadlines_and_times_to_an_answer_are_those_of_the_table(history, figures):
    due = [row for row in history if within(local(row["created_at"]) + TERM, SPAN)]
    met = [row for row in due if (at := first_answer(row)) and at <= local(row["created_at"]) + TERM]
    assert (figures.figures["deadlines_met"].n, figures.figures["overdue"].value) == (len(due), len(due) - len(met))
    answered = [row for row in history if within(first_answer(row), SPAN)]
    took = sorted((first_answer(row) - local(row["created_at"])) / DAY for row in answered)
    assert figures.figures["answer_median"].n == len(took)
    assert figures.figures["answer_median"].value == pytest.approx(statistics.median(took))
    deciles = statistics.quantiles(took, n=10, method="inclusive")
    assert figures.figures["answer_p90"].value == pytest.approx(deciles[-1])


def test_reroutings_and_repeats_are_those_of_the_table(history, figures):
    received = [row for row in history if within(local(row["created_at"]), SPAN)]
    told = [row for row in received if first_answer(row) or int(row["reroutings"])]
    rerouted = [row for row in told if int(row["reroutings"])]
    assert figures.figures["rerouted"].n == len(told)
    assert figures.figures["rerouted"].value == pytest.approx(len(rerouted) / len(told))
    last: dict[tuple[str, str], datetime] = {}
    repeats = 0
    for row in sorted(history, key=lambda row: row["created_at"]):
        came = local(row["created_at"])
        topic = row["topic"] if int(row["topic_changes"]) else row["first_topic"]
        before = last.get((row["municipality"], topic))
        repeats += within(came, SPAN) and before is not None and came - before <= 7 * DAY
        last[row["municipality"], topic] = came
    assert figures.figures["repeats"].value == pytest.approx(repeats / len(received))


def test_each_district_has_its_own_share_of_deadlines(history, figures):
    for group in figures.groups:
        due = [r for r in history if r["municipality"] == group.name and within(local(r["created_at"]) + TERM, SPAN)]
        late = [r for r in due if (at := first_answer(r)) is None or at > local(r["created_at"]) + TERM]
        assert (group.figures["overdue"].value, group.figures["deadlines_met"].n) == (len(late), len(due))
    assert len(figures.groups) == 18
