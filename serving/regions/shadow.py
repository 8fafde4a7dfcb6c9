"""The shadow: a challenger decides what the champion has decided, behind its back and off the path of any request.

In: texts that were answered, with the numbers of their decisions. Out: rows of the store; never an answer. A queue with
an end takes them; when it is full they are dropped and counted, so that a slow challenger costs the champion nothing.
Its one thread gives way to all others on the processor.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING

from data.errors import StoreError
from data.store.shadows import ShadowDecision, Shadows
from serving.analytics.threads import give_way
from serving.background import Background
from serving.http.logs import LOGGER, where_it_failed
from serving.regions.champions import Champions

if TYPE_CHECKING:
    from models.classifier.classifier import Classifier
    from models.classifier.routing import Classification

WAITING = 1024
"""Complaints that wait at most: a minute of busy traffic."""
TOGETHER = 8
"""Complaints that are decided at once: short enough not to hold the interpreter for long."""
LOOK_SECONDS = 0.5
logger = logging.getLogger(LOGGER)


@dataclass(frozen=True)
class Answered:
    """A complaint that was answered: the number of its decision, its masked text and its place."""

    decision: int
    text: str
    place: str | None


class Shadow:
    """Lets the challenger of a region decide what was answered.

    Args:
        champions: hold the challenger, where there is one.
        shadows: where its decisions go.
        region: id of the region.
        waiting: complaints that may wait.

    Attributes:
        dropped: complaints that it never saw because too many waited, or the store did not answer.
    """

    def __init__(self, champions: Champions, shadows: Shadows, region: str, waiting: int = WAITING) -> None:
        self._champions, self._shadows, self._region = champions, shadows, region
        self._queue: Queue[Answered] = Queue(waiting)
        self._thread = Background("shadow", self._step, begin=give_way)
        self.dropped = 0

    def offer(self, answered: Sequence[Answered]) -> None:
        """Let the challenger see these when it has time; returns at once."""
        if self._champions.challenger is None:
            return
        for place, each in enumerate(answered):
            try:
                self._queue.put_nowait(each)
            except Full:
                self.dropped += len(answered) - place
                return

    def start(self) -> None:
        """Begin to decide."""
        self._thread.start()

    def close(self) -> None:
        """Decide nothing more; what waits is dropped."""
        self._thread.close()

    def forget(self) -> None:
        """Drop what waits and what the challenger remembers of texts: a complaint was erased."""
        with suppress(Empty):
            while True:
                self._queue.get_nowait()
        challenger = self._champions.challenger
        if challenger is not None:
            challenger.model.encoders.cache.forget()

    def once(self) -> int:
        """Decide some of those that wait; how many."""
        answered = self._some()
        challenger = self._champions.challenger
        if not answered or challenger is None:
            return 0
        try:
            rows = [
                self._row(each, item, challenger.version)
                for each, item in zip(answered, _decided(challenger.model, answered), strict=True)
            ]
            self._shadows.save(rows)
        except StoreError:  # the store's thread tells of it
            self.dropped += len(answered)
        return len(answered)

    def _some(self) -> list[Answered]:
        some: list[Answered] = []
        try:
            some.append(self._queue.get(timeout=LOOK_SECONDS))
            while len(some) < TOGETHER:
                some.append(self._queue.get_nowait())
        except Empty:
            pass
        return some

    def _row(self, answered: Answered, item: "Classification", version: str) -> ShadowDecision:
        return ShadowDecision(
            decision=answered.decision,
            region=self._region,
            model_version=version,
            outcome=item.decision,
            sector=item.sector.label,
            topic=item.topic.label,
            agency=item.agency.label,
            agency_confidence=item.agency.confidence,
        )

    def _step(self) -> None:
        try:
            self.once()
        except Exception as error:  # a challenger's bug is not the champion's
            logger.error("the challenger failed\n%s", where_it_failed(error))
            self._thread.wait(LOOK_SECONDS)


def _decided(classifier: "Classifier", answered: Sequence[Answered]) -> "list[Classification]":
    """As the endpoint decides: a message with several problems goes to an operator."""
    from models.classifier.segments import classify_with_proposals, with_several

    texts, places = [each.text for each in answered], [each.place for each in answered]
    wholes, problems = classify_with_proposals(classifier, texts, places)
    return [with_several(whole, proposals) for whole, proposals in zip(wholes, problems, strict=True)]
