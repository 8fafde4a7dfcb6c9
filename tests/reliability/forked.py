"""Workers in processes that are forked from one in which all is imported: as mortal as others, and there at once."""

import signal
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from batch import classify
from batch.worker import LoadedClassifiers, Worker
from data.store.store import Store
from registry.client import Registry
from tests.serving.bundles import REGION

IMPORTED = ["tests.reliability.forked", "mlflow", "onnxruntime", "tokenizers", "alembic.command", "psycopg"]
FORKED = get_context("forkserver")
FORKED.set_forkserver_preload(IMPORTED)


def start(url: str, home: Path, rows_per_chunk: int) -> Any:
    """Start a worker; its process."""
    process = FORKED.Process(target=work, args=(url, home, rows_per_chunk))
    process.start()
    return process


def work(url: str, home: Path, rows_per_chunk: int) -> None:
    """What such a worker does until SIGTERM."""
    classify.ROWS_PER_CHUNK = rows_per_chunk
    store = Store(url, REGION)
    registry = Registry(f"sqlite:///{home}/mlflow/mlflow.db", home, store.promotions)
    worker = Worker(store, LoadedClassifiers(registry), home, keep_days=1)
    signal.signal(signal.SIGTERM, lambda *_: worker.stopping.set())
    worker.run()
