"""An installation that is treated badly: a service of two regions, a worker, one of both databases.

All are real processes. What is killed (-9) here is started again as a service manager would: on the same port, with
the same home. Answers that were given before any trouble are what later ones are held against.
"""

import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from data.store.scanning import Scanner
from data.store.store import Store
from registry.names import classifier_name
from serving import launch
from tests.postgresql import PostgreSQL
from tests.reliability.counting import COUNTS
from tests.serving.bundles import CATALOGUE, FORECASTER, REGION, register, write_classifier, write_forecaster
from tests.serving.conftest import Server, free_port, start_server, write_configs
from tests.serving.workers import start_worker, stop_worker, wait_for

OTHER = "zarechye"
TOWNS = {REGION: "Верхнереченск", OTHER: "Дальнеозёрск"}
"""A word that is in every answer of a region about agencies, and in none of the other's."""
TEXTS = [
    "Не вывозят мусор, звоните 8 912 345-67-89, Петрова Анна Сергеевна",
    "Яма на дороге у дома 5 по улице Садовой, почта ivan.petrov@mail.ru",
    "Нет горячей воды третий день, кв. 17, Иванов Пётр Ильич",
    "Автобус не приходит, паспорт 4509 123456",
    "Спасибо за сквер",
    "Не горит фонарь во дворе",
]
SIGNS_OF_A_BUG = ('"status": 500', "Exception in ASGI application")
"""In the log of a service."""
Answer = tuple[str, str, str, str]
"""Decision, sector, topic and agency."""


def answer_of(result: dict[str, Any]) -> Answer:
    """What an answer to a complaint says."""
    return (result["decision"], *(result[head]["label"] for head in ("sector", "topic", "agency")))


@dataclass
class Installation:
    """Where things are, and what runs.

    Attributes:
        postgresql: the server that the store is in; None: SQLite.
        keys: an administrator's key of each region.
        expected: what each text is answered in each region.
        environment: of the service and the worker.
    """

    home: Path
    postgresql: PostgreSQL | None
    environment: dict[str, str]
    keys: dict[str, str]
    port: int = field(default_factory=free_port)
    server: Server | None = None
    worker: "subprocess.Popen[bytes] | None" = None
    expected: dict[tuple[str, str], Answer] = field(default_factory=dict)

    @classmethod
    def make(cls, home: Path, postgresql: PostgreSQL | None) -> "Installation":
        """Two regions with their champions, and a key for each; nothing runs yet."""
        url = f"sqlite:///{home}/store.db" if postgresql is None else postgresql.schema()
        configs = write_configs(home / "configs", refresh_seconds=1, requests_per_minute=0, region_idle_minutes=0)
        other = configs / "regions" / OTHER
        other.mkdir()
        (other / "region.yaml").write_text("title: Заречье\ntimezone: Asia/Omsk\n", encoding="utf-8")
        text = CATALOGUE.read_text(encoding="utf-8").replace(TOWNS[REGION], TOWNS[OTHER])
        (other / "catalogue.yaml").write_text(text, encoding="utf-8")
        (home / "mlflow" / "artifacts").mkdir(parents=True)
        for seed, region in enumerate(TOWNS):
            catalogue = configs / "regions" / region / "catalogue.yaml"
            bundle = write_classifier(home / f"made-{region}" / "bundle", seed=seed, catalogue_file=catalogue)
            register(home, classifier_name(region), bundle)
        register(home, FORECASTER, write_forecaster(home / "made-forecaster" / "bundle"))
        store = Store(url, REGION)
        keys = {region: store.keys.make(region, "admin", frozenset({region}), None)[1] for region in TOWNS}
        store.close()
        environment = {"TSUR_CONFIGS": str(configs), "TSUR_STORE_URL": url, "TSUR_REGION": REGION}
        return cls(home, postgresql, environment, keys)

    @property
    def store(self) -> Store:
        """Its store, for a look behind the service's back."""
        return Store(self.environment["TSUR_STORE_URL"], REGION)

    def client(self, region: str = REGION) -> httpx.Client:
        """A client with the key of a region."""
        headers = {"Authorization": f"Bearer {self.keys[region]}"}
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=60, trust_env=False, event_hooks=HOOKS
        )

    def start(self, **environment: str) -> None:
        """Start service and worker; the first time, ask what each text is answered."""
        self.start_service(**environment)
        self.start_worker(**environment)
        for region in TOWNS if not self.expected else ():
            with self.client(region) as client:
                for text in TEXTS:
                    answer = asked_until_ready(client, {"items": [{"text": text}]})
                    self.expected[region, text] = answer_of(answer.json()["results"][0])

    def start_service(self, **environment: str) -> None:
        """Start the service on its port."""
        self.server = start_server(self.home, port=self.port, **self.environment, **environment)

    def start_worker(self, **environment: str) -> None:
        """Start a worker."""
        self.worker = start_worker(self.home, **self.environment, **environment)

    def stop(self) -> None:
        """End both as a service manager does."""
        if self.server is not None:
            launch.stop(self.server.process)
        if self.worker is not None:
            stop_worker(self.worker)

    @property
    def api_worker(self) -> psutil.Process:
        """The process that answers requests; BentoML's first process starts another when it dies."""
        assert self.server is not None
        children = psutil.Process(self.server.process.pid).children()
        return next(child for child in children if any(".worker." in part for part in child.cmdline()))

    def kill_api_worker(self) -> None:
        """Kill the process that answers, and wait until its successor does."""
        self.api_worker.kill()
        COUNTS.restarts.append(self.wait_until_ready())

    def kill_service(self) -> None:
        """Kill all processes of the service at once, and start it again."""
        assert self.server is not None
        kill_all(self.server.process.pid)
        self.server.process.wait()
        began = time.monotonic()
        self.start_service()
        COUNTS.restarts.append(time.monotonic() - began)

    def kill_worker(self) -> None:
        """Kill the worker, and start another."""
        assert self.worker is not None
        self.worker.kill()
        self.worker.wait()
        self.start_worker()

    def kill_database(self) -> None:
        """Kill all processes of PostgreSQL at once, start it again a second later and wait for the service."""
        assert self.postgresql is not None
        kill_all(self.postgresql.process)
        time.sleep(1)
        self.start_database()
        self.wait_until_ready()

    def start_database(self) -> None:
        """Start PostgreSQL unless it answers: a full disk may end it or not; of a killed one all processes go first."""
        assert self.postgresql is not None
        for _ in range(60):
            if self.postgresql.answers:
                return
            with suppress(subprocess.CalledProcessError):
                self.postgresql.start()
            time.sleep(0.5)
        raise AssertionError("PostgreSQL does not start again")

    def wait_until_ready(self) -> float:
        """Wait until the service is ready; how many seconds that took."""
        began = time.monotonic()
        with self.client() as client:
            wait_for(lambda: status_of(client, "/readyz") == 200)
        return time.monotonic() - began

    def look_for_personal_data(self) -> None:
        """Scan the store, the logs and the jobs' folders, and count what the log says of requests."""
        scanner, store = Scanner(), self.store
        files = [*self.home.glob("*.log"), *self.home.glob("jobs")]
        findings = [*scanner.files(files), *store.scan(scanner)]
        store.close()
        logs = "".join(path.read_text(encoding="utf-8", errors="replace") for path in self.home.glob("server-*.log"))
        failed = sum(logs.count(sign) for sign in SIGNS_OF_A_BUG)
        COUNTS.looked_at += scanner.looked_at
        COUNTS.personal_data += len(findings)
        COUNTS.internal_errors += failed
        assert findings == []
        assert failed == 0, logs[max(0, min(logs.find(sign) % len(logs) for sign in SIGNS_OF_A_BUG) - 4000) :][:6000]


def _count(answer: httpx.Response) -> None:
    COUNTS.requests += 1


HOOKS: dict[str, list[Callable[..., Any]]] = {"response": [_count]}


def kill_all(process: int) -> None:
    """Kill (-9) a process and all that it has started."""
    first = psutil.Process(process)
    for each in [first, *first.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            each.kill()


def status_of(client: httpx.Client, path: str) -> int:
    """The status of an answer; 0 where there is none."""
    try:
        return client.get(path).status_code
    except httpx.TransportError:
        return 0


def asked_until_ready(client: httpx.Client, body: dict[str, Any]) -> httpx.Response:
    """An answer to `/v1/classify`, asked again while models are being loaded."""
    answers: list[httpx.Response] = []

    def answered() -> bool:
        answers[:] = [client.post("/v1/classify", json=body)]
        return answers[0].status_code != 503

    wait_for(answered)
    assert answers[0].status_code == 200, answers[0].text
    return answers[0]
