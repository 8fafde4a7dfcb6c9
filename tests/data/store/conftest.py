"""An empty store for each test, on each kind of database."""

from collections.abc import Iterator

import pytest

from data.store.store import Store
from tests.data.store.rows import REGION


@pytest.fixture()
def store(url: str) -> Iterator[Store]:
    """An empty store."""
    made = Store(url, REGION)
    yield made
    made.close()
