"""What a running worker remembers of complaints goes when one is erased.

In: the number of erasures in the store, looked at every few seconds (`serving/store_thread.py`). Out: all memories of
texts emptied as soon as there is one more. Erasing is rare, so nothing is gained by emptying less.
"""

from collections.abc import Callable, Sequence

from data.complaints.name_dictionary import people_tagger
from data.store.erasure import Erasures
from models.encoder.vector_cache import VectorCache
from serving.analytics.new_topics import SearchMemory

Memory = Callable[[], None]
"""Empties one."""


class ErasureWatch:
    """Empties memories when a complaint was erased.

    Args:
        erasures: of the store.
        memories: what there is to empty.
    """

    def __init__(self, erasures: Erasures, memories: Sequence[Memory]) -> None:
        self._erasures = erasures
        self._memories = memories
        self._seen: int | None = None

    def check(self) -> None:
        """Look once.

        Raises:
            StoreError: the store does not answer.
        """
        count = self._erasures.count()
        if self._seen not in (None, count):
            for forget in self._memories:
                forget()
        self._seen = count


def memories_of_texts(cache: VectorCache, searches: SearchMemory) -> list[Memory]:
    """Whatever in a worker remembers texts: vectors, sentences that were masked, proposed topics."""
    return [cache.forget, lambda: people_tagger().forget(), searches.forget]
