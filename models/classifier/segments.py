"""Several problems in one message: one proposal each, with its span of the text.

In: texts as the classifier read them, and what it said of them as wholes. Out: one proposal per
problem; a text with one problem gives one proposal that spans all of it. A text is cut into
sentences, list items and clauses behind «и ещё», «а также»…; these units are classified in one
batch, the cheapest path of sectors through them (a switch has a price) joins them to blocks, and
only blocks that are sure on their own and differ are problems. A false split costs an operator more
than a missed one, which he sees when he reads: the constants are set for precision.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from data.catalogue.model import Catalogue
from models.classifier.classifier import Classifier
from models.classifier.routing import Classification, Proposal

MAX_UNITS = 12
"""Shortest neighbours are joined beyond this: it bounds what one text can cost."""
MIN_LETTERS = 8
"""A shorter unit («Тел.:», «Спасибо!») says nothing of its own; «нет света» does."""
SWITCH_PRICE, ADDED_PRICE = 7.0, 2.0
"""Nats of evidence that a change of sector between two units must be worth, and what suffices where
the writer himself says that something is added («также», «2)»)."""
SURE_SECTOR = 0.7
"""Confidence from which a block's sector counts as a problem of its own."""
MIN_CHANCE = 1e-4
"""No unit is surer than this that a sector is not its own."""

_ADDITIVE = (
    r"ещ[её]|также|к тому же|кроме (?:того|этого)|помимо (?:того|этого)|вдобавок|плюс|заодно|отдельно|"
    r"во-(?:первых|вторых)|в-(?:третьих|четв[её]ртых|пятых)|второе|(?:второй|другой) вопрос|(?:вторая|другая) проблема"
)
_CUT = re.compile(
    rf"\n|;\s|(?<=[,:—–-])\s(?=(?:(?:и|а|да) )?(?:{_ADDITIVE})\b)|\s(?=(?:и|а|да) (?:{_ADDITIVE})\b)",
    re.IGNORECASE,
)
"""Where a unit ends inside a sentence; what is matched belongs to neither side."""
_LIST_MARK = re.compile(r"(?<!\S)\(?(\d{1,2})[.)]\s*(?=[^\W\d])")
_ADDED = re.compile(rf"(?:(?:и|а|да) )?(?:{_ADDITIVE})\b|\(?\d{{1,2}}[.)](?!\d)", re.IGNORECASE)
"""How a unit begins that adds something to what was said."""
Span = tuple[int, int]


@dataclass(frozen=True)
class SegmentProposal:
    """One problem: characters `start` to `end` of the text, and where it would go."""

    start: int
    end: int
    sector: Proposal
    topic: Proposal
    agency: Proposal
    deadline_hours: int | None


def proposals(
    classifier: Classifier,
    texts: Sequence[str],
    municipalities: Sequence[str | None],
    wholes: Sequence[Classification],
) -> list[list[SegmentProposal]]:
    """The problems of each text in its order; `wholes` is what `classify` said of the whole texts."""
    return classify_with_proposals(classifier, texts, municipalities, wholes)[1]


def classify_with_proposals(
    classifier: Classifier,
    texts: Sequence[str],
    municipalities: Sequence[str | None],
    wholes: Sequence[Classification] | None = None,
) -> tuple[Sequence[Classification], list[list[SegmentProposal]]]:
    """What `classify` says of the whole texts, and the problems of each; both are read together, on all cores."""
    cut = [units(text) for text in texts]
    several = [spans if len(spans) > 1 else [] for spans in cut]
    if wholes is None:
        whole: list[list[Span]] = [[(0, len(text))] for text in texts]
        both = [one + spans for one, spans in zip(whole, several, strict=True)]
        answers = _classified(classifier, texts, municipalities, both)
        wholes = [items[0] for items in answers]
        of_units = [items[1:] for items in answers]
    else:
        of_units = _classified(classifier, texts, municipalities, several)
    sectors = _problem_sectors(classifier.catalogue)
    count = len(classifier.bundle.labels.names["sector"])
    blocks = []
    for text, spans, items in zip(texts, cut, of_units, strict=True):
        prices = [ADDED_PRICE if _ADDED.match(text, start) else SWITCH_PRICE for start, _ in spans]
        blocks.append(_joined(spans, _path(items, prices, sectors, count)))
    several = [spans if len(spans) > 1 else [] for spans in blocks]
    of_blocks = _classified(classifier, texts, municipalities, several)
    return wholes, [
        _problems(text, spans, items, item, sectors)
        for text, spans, items, item in zip(texts, blocks, of_blocks, wholes, strict=True)
    ]


def with_several(whole: Classification, parts: Sequence[SegmentProposal]) -> Classification:
    """The decision on the whole message: with several problems in it, an operator's."""
    if len(parts) < 2:
        return whole
    return replace(whole, decision="review", reasons=[*whole.reasons, "several_problems"])


def units(text: str) -> list[Span]:
    """Spans of sentences, list items and added clauses, in order; fewer than two where the text is one."""
    from razdel import sentenize

    marks = _list_marks(text)
    edges = {edge for sentence in sentenize(text) for edge in (sentence.start, sentence.stop)}
    edges |= {edge for match in _CUT.finditer(text) for edge in match.span()}
    edges = {edge for edge in edges if not any(start < edge <= end for start, end in marks)}
    edges |= {start for start, _ in marks} | {0, len(text)}
    spans = [_stripped(text, span) for span in pairwise(sorted(edges))]
    return _long_enough(text, [span for span in spans if span[0] < span[1]])


def _list_marks(text: str) -> list[Span]:
    """Spans of «1)», «2)»… where they count up from one."""
    marks: list[Span] = []
    for match in _LIST_MARK.finditer(text):
        if int(match[1]) == len(marks) + 1:
            marks.append(match.span())
    return marks if len(marks) > 1 else []


def _stripped(text: str, span: Span) -> Span:
    piece = text[slice(*span)]
    return span[0] + len(piece) - len(piece.lstrip()), span[0] + len(piece.rstrip())


def _long_enough(text: str, spans: Sequence[Span]) -> list[Span]:
    """Too short a span joins the one before, or the next at the beginning; then the shortest pairs join."""
    joined: list[Span] = []
    size = 0  # letters of the last one
    for start, end in spans:
        letters = sum(letter.isalpha() for letter in text[start:end])
        if joined and min(size, letters) < MIN_LETTERS:
            joined[-1], size = (joined[-1][0], end), size + letters
        else:
            joined.append((start, end))
            size = letters
    while len(joined) > MAX_UNITS:
        left = min(range(len(joined) - 1), key=lambda index: joined[index + 1][1] - joined[index][0])
        joined[left : left + 2] = [(joined[left][0], joined[left + 1][1])]
    return joined


def _classified(
    classifier: Classifier, texts: Sequence[str], places: Sequence[str | None], cut: Sequence[Sequence[Span]]
) -> list[list[Classification]]:
    """Classifications of each text's spans, all in one batch."""
    pieces = [text[start:end] for text, spans in zip(texts, cut, strict=True) for start, end in spans]
    where = [place for place, spans in zip(places, cut, strict=True) for _ in spans]
    answers = iter(classifier.classify(pieces, where) if pieces else [])
    return [[next(answers) for _ in spans] for spans in cut]


def _problem_sectors(catalogue: Catalogue) -> frozenset[str]:
    """Sectors most of whose topics owe an answer: «Не жалоба» is none."""
    owed = {sector.name: [topic.deadline_hours > 0 for topic in sector.topics] for sector in catalogue.sectors}
    return frozenset(name for name, topics in owed.items() if 2 * sum(topics) > len(topics))


def _path(items: Sequence[Classification], prices: Sequence[float], sectors: frozenset[str], count: int) -> list[str]:
    """The cheapest path of sectors through the units: unlikely sectors cost, and so do switches (Viterbi)."""
    states = sorted({p.label for item in items for p in item.alternatives["sector"]} & sectors)
    if not states:
        return [""] * len(items)
    chances = np.array([[probability(item, "sector", state, count) for state in states] for item in items])
    costs = -np.log(chances.clip(MIN_CHANCE))
    paths = [[state] for state in range(len(states))]
    total = costs[0]
    for row, price in zip(costs[1:], prices[1:], strict=True):
        best = int(total.argmin())
        stays = total <= total[best] + price
        paths = [[*(paths[s] if stays[s] else paths[best]), s] for s in range(len(states))]
        total = np.where(stays, total, total[best] + price) + row
    return [states[state] for state in paths[int(total.argmin())]]


def probability(item: Classification, head: str, label: str, count: int) -> float:
    """Of one label of a head with `count` labels: what the top 3 leave is shared among the others."""
    top = {proposal.label: proposal.confidence for proposal in item.alternatives[head]}
    rest = max(1.0 - sum(top.values()), 0.0) / max(count - len(top), 1)
    return top.get(label, rest)


def _joined(spans: Sequence[Span], sectors: Sequence[str]) -> list[Span]:
    """Neighbours of one sector as one span."""
    blocks: list[Span] = []
    for index, span in enumerate(spans):
        if blocks and (index >= len(sectors) or sectors[index] == sectors[index - 1]):
            blocks[-1] = (blocks[-1][0], span[1])
        else:
            blocks.append(span)
    return blocks


def _problems(
    text: str, spans: Sequence[Span], items: Sequence[Classification], whole: Classification, sectors: frozenset[str]
) -> list[SegmentProposal]:
    """Blocks that are sure of a sector of their own; the others go to the block before, or to the first.

    Where a text comes back to a sector, what lay between was a digression («дети опаздывают в школу»).
    """
    problems: list[SegmentProposal] = []
    for span, item in zip(spans, items, strict=False):  # no items where there is but one block
        sure = item.sector.confidence >= SURE_SECTOR and item.sector.label in sectors
        sectors_so_far = [problem.sector.label for problem in problems]
        if sure and item.sector.label not in sectors_so_far:
            problems.append(_proposal(span, item))
            continue
        if sure:
            del problems[sectors_so_far.index(item.sector.label) + 1 :]
        if problems:
            problems[-1] = replace(problems[-1], end=span[1])
    if len(problems) < 2:
        return [_proposal((0, len(text)), whole)]
    return [replace(problems[0], start=spans[0][0]), *problems[1:]]


def _proposal(span: Span, item: Classification) -> SegmentProposal:
    return SegmentProposal(*span, item.sector, item.topic, item.agency, item.deadline_hours)
