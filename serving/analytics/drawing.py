"""Charts are drawn in a process of their own: vl-convert keeps the interpreter to itself while it draws.

In: a Vega-Lite specification. Out: its SVG. In the worker itself no complaint would be routed meanwhile, whatever
thread draws. The process starts with the first chart, gives way as analytics' threads do, and ends with the worker.
"""

import json
import subprocess
import sys
from contextlib import suppress
from threading import Lock
from typing import IO, Any

from data.errors import NotReadyError
from serving.analytics.threads import give_way

STOP_SECONDS = 2


class Drawer:
    """Draws one chart at a time. Thread-safe; a process that has died is started again."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = Lock()

    def svg(self, spec: dict[str, Any]) -> str:
        """The picture of a specification. A tenth of a second, the first one more than a second.

        Raises:
            NotReadyError: the process has died; the next call starts another one.
        """
        with self._lock:
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            answer = ""
            with suppress(OSError):
                process.stdin.write(json.dumps(spec) + "\n")
                process.stdin.flush()
                answer = process.stdout.readline()
            if not answer:
                self._end()
                raise NotReadyError("the chart could not be drawn now; ask again in a moment")
            return str(json.loads(answer))

    def close(self) -> None:
        """End the process, if it runs."""
        process = self._process
        if process is not None:
            process.kill()  # whoever waits for a chart is told that it could not be drawn
        with self._lock:
            self._end()

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "serving.analytics.drawing"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        return self._process

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process = None


def draw(asked: IO[str], answers: IO[str]) -> None:
    """Draw one specification a line until there is no more: the worker has ended then."""
    from serving.analytics.charts import svg_of

    for line in asked:
        answers.write(json.dumps(svg_of(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    give_way()
    draw(sys.stdin, sys.stdout)
