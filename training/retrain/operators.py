"""What operators say of each complaint, put together from all their corrections.

In: the corrections of a region, in the order of writing. Out: of each complaint the labels that hold, and where two
operators disagreed. The newest word on a label holds, as it does wherever the store is counted; who disagreed is told,
with how often each operator was overruled, for one who is always overruled teaches nonsense. The order is that of
writing, not the clock's, which may go back.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from data.complaints.schema import LABELS
from data.store.corrections import CorrectedComplaint
from training.retrain.todays_labels import TodaysLabels, Unknown

Key = tuple[str, str]
"""Source and id: what a complaint is known by in its region."""
CORRECTED, CONFIRMED = "corrected", "confirmed"
"""Origins of a label: an operator said something else than the model, or the same."""


@dataclass(frozen=True)
class Word:
    """What an operator said of one label."""

    label: str
    origin: str
    operator: str | None


@dataclass(frozen=True)
class Conflict:
    """Two operators who said different things of one label; the later one's word holds."""

    key: Key
    head: str
    overruled: Word
    holds: Word


@dataclass
class Operators:
    """What operators said.

    Attributes:
        complaints: of each, the newest correction: text and place.
        words: of each complaint and head, what holds.
        conflicts: where they disagreed.
        spoken: operator → labels given; without a name under "".
        unknown: labels that the catalogue does not know, with their complaint.
    """

    complaints: dict[Key, CorrectedComplaint] = field(default_factory=dict)
    words: dict[Key, dict[str, Word]] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    spoken: "Counter[str]" = field(default_factory=Counter)
    unknown: list[tuple[Key, Unknown]] = field(default_factory=list)

    @property
    def overruled(self) -> "Counter[str]":
        """Operator → labels in which another operator overruled them later."""
        return Counter(conflict.overruled.operator or "" for conflict in self.conflicts)


def what_operators_say(corrections: Iterable[CorrectedComplaint], names: TodaysLabels) -> Operators:
    """The labels that hold after all corrections, given in the order of writing."""
    operators = Operators()
    for correction in corrections:
        key = (correction.source, correction.complaint_id)
        operators.complaints[key] = correction
        said = correction.corrected
        day = correction.received_at.date()
        labels, unknown = names.of((said.sector, said.topic, said.agency), day)
        operators.unknown += [(key, each) for each in unknown]
        words = operators.words.setdefault(key, {})
        if labels[0] is not None and labels[1] is None and "sector" in words and words["sector"].label != labels[0]:
            words.pop("topic", None)  # it was a topic of the other sector
        decided = correction.decided
        right = {
            "sector": said.sector == decided.sector,
            "topic": (said.sector, said.topic) == (decided.sector, decided.topic),  # two sectors may name one alike
            "agency": said.agency == decided.agency,
        }
        for head, label in zip(LABELS, labels, strict=True):
            if label is not None:
                word = Word(label, CONFIRMED if right[head] else CORRECTED, correction.operator)
                _say(operators, key, head, word)
    return operators


def _say(operators: Operators, key: Key, head: str, word: Word) -> None:
    """A word is given; it overrules an earlier one of somebody else. Who has no name may be anybody."""
    earlier = operators.words[key].get(head)
    another = earlier is not None and (word.operator is None or word.operator != earlier.operator)
    if earlier is not None and another and earlier.label != word.label:
        operators.conflicts.append(Conflict(key, head, earlier, word))
    operators.words[key][head] = word
    operators.spoken[word.operator or ""] += 1
