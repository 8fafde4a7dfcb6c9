"""Routing systems under way: complaints, corrections and files, sent without a pause, and what was accepted of them.

A complaint that is refused, or whose answer does not come, is sent again with its id, as a routing system does.
Whatever was answered with 200 or 202 is accepted: the store has to have it, once, as it was answered.
"""

import csv
import io
import itertools
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

import httpx
from sqlalchemy import create_engine, select

from data.store.corrections import CorrectionRow
from data.store.decisions import DecisionRow
from data.store.jobs import ENDED
from tests.reliability.counting import COUNTS
from tests.reliability.installation import OTHER, TEXTS, Answer, Installation, answer_of
from tests.serving.bundles import REGION
from tests.serving.workers import export, wait_for

CLIENTS = 4
PAUSE_SECONDS = 0.1
"""Before a complaint is sent again."""
CORRECTED = {"sector": "ЖКХ"}
BAD = (7,)
"""Rows without a text, of every file."""


@dataclass
class Accepted:
    """What was answered with 200 or 202.

    Attributes:
        complaints: the answer to each, by region and id.
        corrections: region and id of each.
        jobs: rows of each, by region and job.
    """

    complaints: dict[tuple[str, str], Answer] = field(default_factory=dict)
    corrections: list[tuple[str, str]] = field(default_factory=list)
    jobs: dict[tuple[str, str], int] = field(default_factory=dict)


class Load:
    """Sends as long as the block lasts; then `check` counts what became of it.

    Args:
        installation: that is asked.
        clients: that send at the same time.
        name: ids begin with it.

    Attributes:
        statuses: of all answers; 0: none came.
    """

    def __init__(self, installation: Installation, name: str, clients: int = CLIENTS) -> None:
        self.installation, self.name = installation, name
        self.accepted, self.statuses, self.wrong = Accepted(), Counter[int](), list[str]()
        self._numbers = itertools.count()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send_on, args=(seed,)) for seed in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def send_file(self, rows: int, region: str = REGION) -> None:
        """Send a file, again until it is accepted."""
        content = export(rows, BAD)

        def accepted() -> bool:
            with self.installation.client(region) as client:
                answer = self._ask(client, "/v1/jobs?name=export.csv", content=content)
            if answer is None or answer.status_code != 202:
                return False
            self.accepted.jobs[region, answer.json()["id"]] = rows
            return True

        wait_for(accepted)

    def _send_on(self, seed: int) -> None:
        rng = random.Random(seed)
        while not self._stop.is_set():
            region = rng.choice([REGION, OTHER])
            with self.installation.client(region) as client:  # a new connection, as after a restart
                for _ in range(20):
                    if self._stop.is_set():
                        return
                    self._send_one(client, region, rng)

    def _send_one(self, client: httpx.Client, region: str, rng: random.Random) -> None:
        id, text = f"{self.name}-{next(self._numbers)}", rng.choice(TEXTS)
        body = {"items": [{"id": id, "source": "pos", "text": text, "created_at": "2026-01-05T10:00:00Z"}]}
        for _ in range(rng.choice([1, 1, 1, 2])):  # some are sent twice although they were accepted
            answer = self._insist(client, "/v1/classify", body)
            if answer is None:
                return
            said = answer_of(answer.json()["results"][0])
            COUNTS.answers += 1
            if said != self.installation.expected[region, text]:
                self.wrong.append(f"{id}: {said}")
            self.accepted.complaints[region, id] = said
        if rng.random() < 0.2:
            correction = {"items": [{"id": id, "source": "pos", **CORRECTED}]}
            if self._insist(client, "/v1/feedback", correction) is not None:
                self.accepted.corrections.append((region, id))

    def _insist(self, client: httpx.Client, path: str, body: object) -> httpx.Response | None:
        """The answer with 200; None where the block has ended before there was one."""
        while not self._stop.is_set():
            answer = self._ask(client, path, json=body)
            if answer is not None and answer.status_code == 200:
                return answer
            time.sleep(PAUSE_SECONDS)
        return None

    def _ask(self, client: httpx.Client, path: str, **content: object) -> httpx.Response | None:
        try:
            answer = client.post(path, **content)  # type: ignore[arg-type]
        except httpx.TransportError:
            self.statuses[0] += 1
            return None
        self.statuses[answer.status_code] += 1
        return answer

    def check(self) -> None:
        """Wait for the jobs, count what was lost, doubled or wrong, and fail where there is any."""
        lost = self._lost_or_doubled()
        rows, wrong_rows = self._rows_of_jobs()
        COUNTS.accepted += len(self.accepted.complaints) + len(self.accepted.corrections) + len(self.accepted.jobs)
        COUNTS.lost += len(lost)
        COUNTS.job_rows += rows
        COUNTS.job_rows_wrong += wrong_rows
        COUNTS.wrong_answers += len(self.wrong)
        COUNTS.internal_errors += self.statuses[500]
        assert (lost[:5], wrong_rows, self.wrong[:5], self.statuses[500]) == ([], 0, [], 0), self.statuses
        assert self.accepted.complaints, f"nothing was accepted: {self.statuses}"

    def _lost_or_doubled(self) -> list[object]:
        """Complaints and corrections that are not in the store as they were answered, or more than once."""
        engine = create_engine(self.installation.environment["TSUR_STORE_URL"])
        row = DecisionRow
        columns = (row.region, row.id, row.model_version, row.decision, row.sector, row.topic, row.agency)
        ours, corrected = row.id.like(f"{self.name}-%"), CorrectionRow.complaint_id.like(f"{self.name}-%")
        with engine.connect() as connection:
            stored = [tuple(each) for each in connection.execute(select(*columns).where(ours))]
            corrections = Counter(
                (r.region, r.complaint_id)
                for r in connection.execute(select(CorrectionRow.region, CorrectionRow.complaint_id).where(corrected))
            )
        engine.dispose()
        answers = {(region, id): tuple(said) for region, id, _, *said in stored}
        wrong: list[object] = [key for key, said in self.accepted.complaints.items() if answers.get(key) != said]
        by_model = Counter(each[:3] for each in stored)  # another champion's decision is a row of its own
        wrong += [key for key, times in by_model.items() if times != 1]
        return [*wrong, *(key for key in self.accepted.corrections if corrections[key] != 1)]

    def _rows_of_jobs(self) -> tuple[int, int]:
        """Rows of all jobs, and how many are lost, doubled or out of their order."""
        total = wrong = 0
        for (region, id), rows in self.accepted.jobs.items():
            with self.installation.client(region) as client:
                job: dict[str, object] = {}

                def has_ended(client: httpx.Client = client, id: str = id, job: dict[str, object] = job) -> bool:
                    job.update(client.get(f"/v1/jobs/{id}").json())
                    return job["status"] in ENDED

                wait_for(has_ended)
                assert job["status"] == "done", job
                answer = client.get(f"/v1/jobs/{id}/result")
            table = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";")
            ids, expected = [int(each["id"]) for each in table], [n for n in range(rows) if n not in BAD]
            total += len(expected)
            wrong += 0 if ids == expected else abs(len(ids) - len(expected)) + len(set(expected) ^ set(ids)) or 1
        return total, wrong
