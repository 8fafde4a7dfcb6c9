"""`tsur demo-retraining`: from operators' corrections to the next model and back, on the sample, in a home of its own.

A champion that knows one topic by the catalogue's words alone serves; an operator corrects it; the retrain passes the
gate, and the running service answers better without a restart. Then an operator calls one topic another, and the gate
refuses what was taught that. Then a rollback. Every figure comes out of the running service or a command's own output.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
from rich.console import Console
from rich.table import Table

from data.errors import TsurError
from data.settings import settings

TAUGHT = "Бездомные собаки"
"""The topic that no complaint has taught the first champion."""
WRONGED, CALLED = "Нет отопления или холодно в квартире", ("Не жалоба", "Реклама и спам", "")
"""The topic whose complaints the second operator calls something else, and what he calls them: sector and topic."""
QUESTIONS = 12
"""Complaints on the taught topic that nobody corrects: what the service is asked before and after."""
OTHERS, SHORT_OTHERS = 700, 30
"""Complaints on other topics that the first operator goes through too: a month's, so that a model learns what 350 test
rows can show."""
SENT_AT_ONCE = 100
PATIENCE_SECONDS = 600
"""Of a service that starts, or takes another version, on a busy machine."""
SHORT_TOPICS = 5
"""Of the short form: the largest topics, and no others."""
SHORT_GATE = {"least_rows": 30, "slower": 10}
"""A sixth of the sample holds out fewer rows than the gate asks for; a test shares its machine."""


@dataclass(frozen=True)
class Shown:
    """The demo's figures.

    Attributes:
        questions: asked before and after.
        right_before, right_after, right_back: answers with the right topic: at first, retrained, rolled back.
        refused: what the gate says of the poisoned corrections.
        seconds_to_serve, seconds_to_go_back: from the command's end until the running service answered otherwise.
        versions: of the classifier that answered, in their order.
    """

    questions: int
    right_before: int
    right_after: int
    right_back: int
    passed: str
    refused: str
    seconds_to_serve: float
    seconds_to_go_back: float
    versions: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Rows:
    """The sample's rows, by the part that they play."""

    base: pd.DataFrame
    corrected: pd.DataFrame
    wronged: pd.DataFrame
    questions: pd.DataFrame


def parts_of(sample: pd.DataFrame, short: bool) -> Rows:
    """Who plays what; complaints that come to the running service are none of those it was trained on."""
    if short:
        largest = {*sample["topic"].value_counts().index[:SHORT_TOPICS], TAUGHT, WRONGED, CALLED[1]}
        sample = sample[sample["topic"].isin(largest)]
    rows = sample.sample(frac=1, random_state=0).reset_index(drop=True)
    of_topic = rows[rows["topic"] == TAUGHT]
    wronged = rows[rows["topic"] == WRONGED].iloc[::2]
    others = rows[~rows["topic"].isin([TAUGHT, WRONGED])].iloc[: SHORT_OTHERS if short else OTHERS]
    base = rows.drop(of_topic.index.union(wronged.index).union(others.index))
    return Rows(base, pd.concat([of_topic.iloc[QUESTIONS:], others]), wronged, of_topic.iloc[:QUESTIONS])


def run_demo_retraining(short: bool, overrides: Sequence[str], port: int, home: Path, console: Console) -> Shown:
    """Show the whole loop in `home`, which is emptied first.

    Raises:
        TsurError: a step did not end as it should.
    """
    from serving.launch import start, stop
    from tsur.samples import SAMPLE_REGION, sample_complaints

    began = time.monotonic()
    shutil.rmtree(home, ignore_errors=True)
    os.environ["TSUR_HOME"] = str(home.resolve())
    settings.cache_clear()
    rows = parts_of(sample_complaints(), short)
    stage = Stage(home.resolve(), SAMPLE_REGION, SHORT_GATE if short else {}, console)
    stage.first_champion(rows.base, overrides)
    console.rule("the service")
    process = start(port=port, region=SAMPLE_REGION, log=home / "service.log")
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, headers=_key()) as client:
            shown = _play(stage, Desk(client, process, home / "service.log"), rows, began)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stop(process)
    (home / "demo.json").write_text(json.dumps(asdict(shown), ensure_ascii=False, indent=1), encoding="utf-8")
    console.print(_table(shown))
    return shown


@dataclass(frozen=True)
class Stage:
    """The commands, as an engineer runs them."""

    home: Path
    region: str
    gate: Mapping[str, Any]
    console: Console

    def tsur(self, *arguments: str, ends: Sequence[int] = (0,)) -> str:
        """Run a command, show it and its last lines; what it printed."""
        self.console.print(f"$ tsur {' '.join(arguments)}", style="bold", soft_wrap=True)
        command = [sys.executable, "-m", "tsur", *arguments, "--region", self.region]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = [line for line in done.stdout.splitlines() if line.strip() and not line.startswith("…")]
        for line in lines[-4:]:
            self.console.print(f"  {line}", soft_wrap=True)
        if done.returncode not in ends:
            raise TsurError(f"`tsur {arguments[0]}` ended with status {done.returncode}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def first_champion(self, base: pd.DataFrame, overrides: Sequence[str]) -> None:
        """The rows that the region begins with, and the champion that they teach."""
        from data.complaints.files import write_complaints

        self.console.rule(f"a champion that no complaint has told of «{TAUGHT}»")
        write_complaints(base, self.home / "base.jsonl")
        self.tsur("dataset", "build", str(self.home / "base.jsonl"), "--set", "wrong_labels=false")
        chosen = [part for each in ("epochs=0", "courtesy_augmentation=false", *overrides) for part in ("--set", each)]
        self.tsur("train", "classifier", "--dataset", "1", *chosen)

    def retrained(self, ends: int) -> str:
        """A version with what operators said since, and a retrain on it; why the gate says what it says."""
        self.tsur("dataset", "build", "--add", "--from-store", "--set", "wrong_labels=false")
        limits = [part for key, value in self.gate.items() for part in ("--set", f"{key}={value}")]
        said = self.tsur("retrain", "--promote", *limits, ends=(ends,))
        return next(line for line in said.splitlines() if line.startswith(("Passed", "Refused")))


@dataclass(frozen=True)
class Desk:
    """The running service, as routing system and operator use it."""

    client: httpx.Client
    process: "subprocess.Popen[bytes]"
    log: Path

    def wait(self, until: str | None = None, other_than: str | None = None) -> str:
        """The version that answers, as soon as it is this one or another than that one."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise TsurError(f"the service ended with status {self.process.returncode}: see {self.log}")
            try:
                answer = self.client.post("/v1/classify", json={"items": [{"text": "Нет воды"}]})
                version = str(answer.json()["model"]["version"]) if answer.status_code == 200 else ""
            except httpx.TransportError:
                version = ""
            if version and version != other_than and until in (None, version):
                return version
            time.sleep(0.2)
        raise TsurError(f"the service did not change its version within {PATIENCE_SECONDS} seconds: see {self.log}")

    def right(self, questions: pd.DataFrame) -> int:
        """How many of the complaints are given their topic."""
        answer = self._asked("/v1/classify", [{"text": text} for text in questions["text"]])
        said = [each["topic"]["label"] for each in answer["results"]]
        return sum(topic == own for topic, own in zip(said, questions["topic"], strict=True))

    def correct(self, rows: pd.DataFrame, operator: str, called: tuple[str, str, str] | None = None) -> None:
        """Send complaints, then an operator's word on each: its own labels, or what he calls it."""
        records = rows.to_dict("records")
        for start in range(0, len(records), SENT_AT_ONCE):
            part = records[start : start + SENT_AT_ONCE]
            self._asked("/v1/classify", [{key: each[key] for key in ("id", "text", "source")} for each in part])
            stored = self._asked("/v1/feedback", [_word(each, operator, called) for each in part])["stored"]
            if stored != len(part):
                raise TsurError(f"only {stored} of {len(part)} corrections were stored")

    def _asked(self, path: str, items: list[dict[str, Any]]) -> Any:
        answer = self.client.post(path, json={"items": items})
        if answer.status_code != 200:
            raise TsurError(f"{path} answered {answer.status_code}: {answer.text[:300]}")
        return answer.json()


def _word(complaint: Mapping[Any, Any], operator: str, called: tuple[str, str, str] | None) -> dict[str, str]:
    """What an operator says of a complaint."""
    sector, topic, agency = called or (complaint["sector"], complaint["topic"], complaint["agency"])
    word = {"id": complaint["id"], "source": complaint["source"], "operator": operator}
    word |= {"sector": sector, "topic": topic}
    return word | ({"agency": agency} if agency else {})


def _play(stage: Stage, desk: Desk, rows: Rows, began: float) -> Shown:
    first = desk.wait()
    before = desk.right(rows.questions)
    stage.console.print(f"version {first}: {before} of {len(rows.questions)} complaints on «{TAUGHT}» are recognised")
    stage.console.rule("an operator corrects it, and it is retrained")
    desk.correct(rows.corrected, "operator-1")
    passed = stage.retrained(ends=0)
    ended = time.monotonic()
    second = desk.wait(other_than=first)
    to_serve = time.monotonic() - ended
    after = desk.right(rows.questions)
    stage.console.print(
        f"version {second} answers {to_serve:.1f} s later, without a restart: {after} of {len(rows.questions)}"
    )
    stage.console.rule(f"another operator calls «{WRONGED}» «{CALLED[1]}»")
    desk.correct(rows.wronged, "operator-2", CALLED)
    refused = stage.retrained(ends=1)
    still = desk.wait()
    stage.console.print(f"version {still} goes on answering")
    stage.console.rule("back to the first champion")
    stage.tsur("rollback", "--why", "the demo goes back", "--by", "demo")
    ended = time.monotonic()
    desk.wait(until=first)
    back = time.monotonic() - ended
    stage.console.print(f"version {first} answers again {back:.1f} s later")
    stage.tsur("promotions")
    return Shown(
        questions=len(rows.questions),
        right_before=before,
        right_after=after,
        right_back=desk.right(rows.questions),
        passed=passed,
        refused=refused,
        seconds_to_serve=round(to_serve, 1),
        seconds_to_go_back=round(back, 1),
        versions=(first, second, still, first),
        seconds=round(time.monotonic() - began),
    )


def _key() -> dict[str, str]:
    keys = sorted(settings().keys)
    return {"X-API-Key": keys[0]} if keys else {}


def _table(shown: Shown) -> Table:
    table = Table("what", "figure", title="the demo of retraining", show_lines=True)
    of = f" of {shown.questions}"
    table.add_row(f"«{TAUGHT}» recognised at first", f"{shown.right_before}{of}")
    table.add_row("after corrections and a retrain, in the running service", f"{shown.right_after}{of}")
    table.add_row("after the rollback", f"{shown.right_back}{of}")
    table.add_row("the gate on the corrections", shown.passed)
    table.add_row("the gate on poisoned corrections", shown.refused)
    table.add_row("until the running service took the new champion", f"{shown.seconds_to_serve:.1f} s")
    table.add_row("until it took the old one back", f"{shown.seconds_to_go_back:.1f} s")
    table.add_row("the whole demo", f"{shown.seconds / 60:.1f} minutes")
    return table
