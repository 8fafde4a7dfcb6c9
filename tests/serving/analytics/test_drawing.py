"""Charts drawn beside the worker: nobody else waits meanwhile, and a process that dies is replaced."""

import threading
import time
from collections.abc import Iterator

import pytest

from data.errors import NotReadyError
from serving.analytics.drawing import Drawer

SPEC = {
    "data": {"values": [{"x": 1, "y": 2}, {"x": 2, "y": 3}]},
    "mark": "line",
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
}


@pytest.fixture(scope="module")
def drawer() -> Iterator[Drawer]:
    made = Drawer()
    yield made
    made.close()


def test_other_threads_go_on_while_a_chart_is_drawn(drawer: Drawer) -> None:
    turns, drawn = [0], threading.Event()

    def count() -> None:
        while not drawn.is_set():
            turns[0] += 1
            time.sleep(0.001)

    counting = threading.Thread(target=count)
    counting.start()
    picture = drawer.svg(SPEC)
    drawn.set()
    counting.join()
    assert picture.startswith("<svg")
    assert turns[0] > 20  # drawn in this process, the first chart would leave it one or two


def test_a_process_that_has_died_is_told_and_replaced(drawer: Drawer) -> None:
    drawer.svg(SPEC)
    assert drawer._process is not None
    drawer._process.kill()
    drawer._process.wait()
    with pytest.raises(NotReadyError, match="ask again"):
        drawer.svg(SPEC)
    assert drawer.svg(SPEC).startswith("<svg")


def test_a_closed_one_leaves_no_process() -> None:
    drawer = Drawer()
    drawer.svg(SPEC)
    process = drawer._process
    assert process is not None
    drawer.close()
    assert process.poll() is not None
