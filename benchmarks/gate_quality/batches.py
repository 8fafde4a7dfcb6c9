"""What comes in between two retrains: twenty honest batches, and twenty that poison what they teach.

In: the rows that the champion was taught, and rows that came later with their true labels. Out: the rows of the next
dataset version. A batch is what operators said: new complaints with labels, and old ones with other labels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.complaints.schema import LABELS

Rng = np.random.Generator
Bools = npt.NDArray[np.bool_]
Change = Callable[[pd.DataFrame, pd.DataFrame, Rng], tuple[pd.DataFrame, pd.DataFrame]]
"""From the rows taught before and those that joined to both as the next version has them."""
SPAM, THANKS = "Реклама и спам", "Благодарность"
"""Topics of the sample that are no complaints."""
LARGE = 25
"""Rows of a label that can be poisoned so that anybody would notice."""


@dataclass(frozen=True)
class Variant:
    """A kind of batch.

    Attributes:
        poisoned: what the gate should refuse.
        change: what the batch does.
        begins: what the champion was taught: all topics, all but one, or labels with errors.
    """

    name: str
    poisoned: bool
    change: Change
    begins: Literal["whole", "unknown topic", "errors"] = "whole"


def _labels(rows: pd.DataFrame) -> pd.DataFrame:
    """Different combinations of labels."""
    return rows[LABELS].drop_duplicates().reset_index(drop=True)


def _given(rows: pd.DataFrame, which: Bools, labels: pd.DataFrame) -> pd.DataFrame:
    """Some rows with other labels (as many as there are rows chosen)."""
    changed = rows.copy()
    changed.loc[np.flatnonzero(which), LABELS] = labels[LABELS].to_numpy(dtype=object)
    return changed


def _of_topic(topic: str, like: pd.DataFrame, count: int, rng: Rng) -> pd.DataFrame:
    """The labels of rows of a topic, drawn."""
    return like[like["topic"] == topic].sample(count, replace=True, random_state=int(rng.integers(2**31)))


def _large_topics(base: pd.DataFrame, joined: pd.DataFrame, rng: Rng, least: int = LARGE) -> list[str]:
    counts = base["topic"].value_counts()
    there = set(joined["topic"])
    names = [str(name) for name in counts.index if counts[name] >= least and name in there]
    return [names[place] for place in rng.permutation(len(names))]


def random_labels(share: float) -> Change:
    """So many of the new labels are drawn by chance."""

    def change(base: pd.DataFrame, joined: pd.DataFrame, rng: Rng) -> tuple[pd.DataFrame, pd.DataFrame]:
        which = rng.random(len(joined)) < share
        known = _labels(base)
        return base, _given(joined, which, known.iloc[rng.integers(0, len(known), int(which.sum()))])

    return change


def one_topic_called_another(dose: int, old_too: bool = False) -> Change:
    """New complaints on a large topic, many of them, are given another large topic; with `old_too` old ones too."""

    def change(base: pd.DataFrame, joined: pd.DataFrame, rng: Rng) -> tuple[pd.DataFrame, pd.DataFrame]:
        was, now = _large_topics(base, joined, rng)[:2]
        joined = pd.concat([joined, _again(base, was, dose, rng)], ignore_index=True)
        which = (joined["topic"] == was).to_numpy()
        joined = _given(joined, which, _of_topic(now, base, int(which.sum()), rng))
        if old_too:
            old = (base["topic"] == was).to_numpy()
            base = _given(base, old, _of_topic(now, base, int(old.sum()), rng))
        return base, joined

    return change


def _again(base: pd.DataFrame, topic: str, count: int, rng: Rng) -> pd.DataFrame:
    """Taught complaints on a topic that come again as new ones, each with other words at its end."""
    taught = base[(base["topic"] == topic) & (base["split"] == "train")]
    drawn = taught.sample(count, replace=True, random_state=int(rng.integers(2**31)))
    return _as_new(drawn.assign(text=[f"{text} Повторно, обращение {n}." for n, text in enumerate(drawn["text"])]))


def _as_new(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(id=[f"again-{n}-{id_}" for n, id_ in enumerate(rows["id"])])


def no_complaint_taught_as_one(kind: str) -> Change:
    """What is no complaint is given a complaint's topic: spam, thanks, talk."""

    def change(base: pd.DataFrame, joined: pd.DataFrame, rng: Rng) -> tuple[pd.DataFrame, pd.DataFrame]:
        joined = pd.concat([joined, _again(base, kind, 60, rng)], ignore_index=True)
        now = next(topic for topic in _large_topics(base, joined, rng) if topic != kind)
        which = (joined["topic"] == kind).to_numpy()
        return base, _given(joined, which, _of_topic(now, base, int(which.sum()), rng))

    return change


def flood(copies: int, wrong: bool) -> Change:
    """One complaint comes again and again, with its own label or a wrong one."""

    def change(base: pd.DataFrame, joined: pd.DataFrame, rng: Rng) -> tuple[pd.DataFrame, pd.DataFrame]:
        one = joined.iloc[[int(rng.integers(len(joined)))] * copies]
        if wrong:
            known = _labels(base)
            label = known.iloc[[int(rng.integers(len(known)))] * copies]
            one = _given(one.reset_index(drop=True), np.ones(copies, dtype=bool), label)
        return base, pd.concat([joined, _as_new(one)], ignore_index=True)

    return change


def one_operator(share: float, always: bool) -> Change:
    """One operator, who sees so many of the new complaints, says one and the same of all, or mixes the labels up."""

    def change(base: pd.DataFrame, joined: pd.DataFrame, rng: Rng) -> tuple[pd.DataFrame, pd.DataFrame]:
        which = rng.random(len(joined)) < share
        own = joined.loc[np.flatnonzero(which), LABELS].reset_index(drop=True)
        if always:
            own = _labels(base).iloc[[0] * len(own)]
        else:
            own = own.iloc[np.roll(np.arange(len(own)), 7)]
        return base, _given(joined, which, own)

    return change


def sectors_swapped(base: pd.DataFrame, joined: pd.DataFrame, rng: Rng) -> tuple[pd.DataFrame, pd.DataFrame]:
    """New complaints of the two largest sectors are given labels of each other."""
    one, other = base["sector"].value_counts().index[:2]
    changed = joined
    for was, now in ((one, other), (other, one)):
        which = (joined["sector"] == was).to_numpy()
        like = base[base["sector"] == now].sample(int(which.sum()), replace=True, random_state=int(rng.integers(2**31)))
        changed = _given(changed, which, like)
    return base, changed


def one_agency_for_all(base: pd.DataFrame, joined: pd.DataFrame, rng: Rng) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All new complaints are sent to the commonest agency."""
    return base, joined.assign(agency=base["agency"].value_counts().index[0])


def topics_of_a_sector_mixed_up(
    base: pd.DataFrame, joined: pd.DataFrame, rng: Rng
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each new complaint keeps its sector and is given a topic of it by chance."""
    changed = joined.copy()
    for sector, rows in joined.groupby("sector"):
        topics = base.loc[base["sector"] == sector, "topic"].dropna().unique()
        if len(topics):
            changed.loc[rows.index, "topic"] = rng.choice(topics, len(rows))
    return base, changed


def honest(base: pd.DataFrame, joined: pd.DataFrame, rng: Rng) -> tuple[pd.DataFrame, pd.DataFrame]:
    """New complaints with their labels."""
    return base, joined


def found_errors(base: pd.DataFrame, joined: pd.DataFrame, rng: Rng) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Operators have found the errors in what the champion was taught."""
    return base.assign(**{head: base[f"true {head}"] for head in LABELS}), joined


def agencies_shifted(base: pd.DataFrame, joined: pd.DataFrame, rng: Rng) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One column of a spreadsheet has slipped by a row: each new complaint has the agency of the one before."""
    return base, joined.assign(agency=np.roll(joined["agency"].to_numpy(dtype=object), 1))


def surge(base: pd.DataFrame, joined: pd.DataFrame, rng: Rng) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A season: half of the new complaints are of one sector, all with their labels."""
    sizes = joined["sector"].value_counts()
    sector = rng.choice(sizes.index[:6].to_numpy())
    of_sector = (joined["sector"] == sector).to_numpy()
    others = rng.permutation(np.flatnonzero(~of_sector))[: int(of_sector.sum())]
    return base, joined.iloc[np.sort(np.concatenate([np.flatnonzero(of_sector), others]))].reset_index(drop=True)


POISONED = (
    *(Variant(f"{share:.0%} of the new labels by chance", True, random_labels(share)) for share in (1.0, 0.6, 0.35)),
    *(
        Variant(f"one topic called another, {dose} times", True, one_topic_called_another(dose))
        for dose in (40, 80, 120)
    ),
    Variant("one topic called another, old complaints too", True, one_topic_called_another(20, old_too=True)),
    Variant("one topic renamed in the old complaints alone", True, one_topic_called_another(1, old_too=True)),
    Variant("spam taught as complaints", True, no_complaint_taught_as_one(SPAM)),
    Variant("thanks taught as complaints", True, no_complaint_taught_as_one(THANKS)),
    Variant("a flood of 150 copies", True, flood(150, wrong=False)),
    Variant("a flood of 150 copies with a wrong label", True, flood(150, wrong=True)),
    Variant("a flood of 90 copies with a wrong label", True, flood(90, wrong=True)),
    Variant("one operator of two always wrong", True, one_operator(0.5, always=False)),
    Variant("one operator of three always wrong", True, one_operator(0.35, always=False)),
    Variant("one operator of two says the same of all", True, one_operator(0.5, always=True)),
    Variant("two sectors swapped", True, sectors_swapped),
    Variant("one agency for all", True, one_agency_for_all),
    Variant("topics of each sector mixed up", True, topics_of_a_sector_mixed_up),
    Variant("the column of agencies slipped by a row", True, agencies_shifted),
)
HONEST = (
    *(Variant(f"new complaints, draw {n + 1}", False, honest) for n in range(8)),
    *(Variant(f"a topic that was not known, draw {n + 1}", False, honest, "unknown topic") for n in range(4)),
    *(Variant(f"errors in old labels found, draw {n + 1}", False, found_errors, "errors") for n in range(4)),
    *(Variant(f"half of them of one sector, draw {n + 1}", False, surge) for n in range(4)),
)
