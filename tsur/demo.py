"""`tsur demo`: the whole path on the sample, from training to answers over HTTP.

Champions that are there already are used as they are; missing ones are trained on the sample.
Everything shown comes out of the running service.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from data.errors import NoChampionError, TsurError
from data.regions.region import Region
from data.settings import settings

READY_SECONDS = 120
"""Loading the models takes seconds; on a busy machine many times that."""
MLFLOW_PORT = 5000
"""MLflow's own default."""
COMPLAINTS = [
    {
        "id": "demo-1",
        "text": "Вторую неделю не вывозят мусор на Садовой 12, баки переполнены, вонь и крысы!!!",
        "municipality": "Верхнереченск",
    },
    {
        "id": "demo-2",
        "text": "В квартире +14, батареи еле тёплые, двое маленьких детей. Управляющая молчит.",
        "municipality": "Каменный Брод",
    },
    {
        "id": "demo-3",
        "text": "Автобус 17 опять не пришёл, стояли сорок минут на морозе, опоздала на работу",
        "municipality": "Верхнереченск",
    },
    {
        "id": "demo-4",
        "text": "Спасибо врачам районной больницы за внимание и заботу!",
        "municipality": "Полянский район",
    },
    {"id": "demo-5", "text": "ну и долго это будет продолжаться???"},
    {"id": "demo-6", "text": "Cheap loans online, click here"},
    {
        "id": "demo-7",
        "text": "Во дворе второй месяц не горят фонари. И ещё третью неделю не вывозят мусор, баки переполнены.",
        "municipality": "Верхнереченск",
    },
]


def run_demo(once: bool, port: int, region: Region, console: Console) -> None:
    """Train what is missing, serve, ask, show; stay up unless `once`."""
    from serving.launch import ENDINGS, start, stop

    began = time.monotonic()
    _train_missing(region, console)
    base = f"http://127.0.0.1:{port}"
    console.rule("the service")
    for ending in ENDINGS:
        signal.signal(ending, _interrupt)
    log = _log_file("service")
    process = start(port=port, region=region.id, log=log)
    console.print(f"its log: {log}", soft_wrap=True)
    interface = None
    try:
        with httpx.Client(base_url=base, timeout=60, headers=_key()) as client:
            _wait_ready(client, process, log, console)
            cells = _asked(client.get("/v1/heatmap"))["cells"]
            sector_by_municipality = {cell["municipality"]: cell["sector"] for cell in cells}
            _show_classification(client, sector_by_municipality, console)
            _show_forecast(client, sector_by_municipality, console)
            _show_surges(client, console)
            _send_day(client, region, console)
        console.rule("try it yourself")
        _show_commands(base, sector_by_municipality, console)
        console.print(f"the demo took {time.monotonic() - began:.0f} seconds to get here")
        if not once:
            interface = _start_interface(console)
            console.print("The service stays up; Ctrl+C ends it.", style="bold")
            process.wait()
    except KeyboardInterrupt:
        console.print("stopping")
    finally:
        for ending in ENDINGS:
            signal.signal(ending, signal.SIG_IGN)  # stopping is under way
        if interface is not None:
            os.killpg(interface.pid, signal.SIGTERM)
        stop(process)


def _train_missing(region: Region, console: Console) -> None:
    from registry.client import open_registry
    from registry.names import classifier_name, forecaster_name, training_command

    registry = open_registry(region.id)
    for step, name in enumerate((forecaster_name(region.id), classifier_name(region.id)), start=1):
        command = training_command(name)
        try:
            version = registry.champion(name)
            console.print(f"{step}/2 {name}: version {version} is champion already")
        except NoChampionError:
            console.rule(f"{step}/2 no {name} yet: {command}")
            # A process of its own, so that its memory and threads are gone before the service starts.
            done = subprocess.run([sys.executable, "-m", *command.split()], check=False)
            if done.returncode:
                raise TsurError(f"`{command}` ended with status {done.returncode}") from None


def _key() -> dict[str, str]:
    keys = sorted(settings().keys)
    return {"X-API-Key": keys[0]} if keys else {}


def _log_file(name: str) -> Path:
    """Where what a process prints goes, so that it does not run through the tables."""
    log = settings().home.resolve() / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    return log


def _wait_ready(client: httpx.Client, process: "subprocess.Popen[bytes]", log: Path, console: Console) -> None:
    began = time.monotonic()
    with console.status("waiting until both champions are loaded"):
        while time.monotonic() - began < READY_SECONDS:
            if process.poll() is not None:
                raise TsurError(f"the service ended with status {process.returncode}: see {log}")
            try:
                if client.get("/readyz").status_code == 200:
                    console.print(f"ready after {time.monotonic() - began:.1f} s")
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
    raise TsurError(f"the service was not ready within {READY_SECONDS} seconds: see {log}")


def _asked(answer: httpx.Response) -> Any:
    if answer.status_code != 200:
        raise TsurError(f"{answer.request.url.path} answered {answer.status_code}: {answer.text[:300]}")
    return answer.json()


def _show_classification(client: httpx.Client, municipalities: Collection[str], console: Console) -> None:
    # Champions of another region know other municipalities than the sample's.
    items = [{k: v for k, v in item.items() if k != "municipality" or v in municipalities} for item in COMPLAINTS]
    answer = _asked(client.post("/v1/classify", json={"items": items}))
    model = answer["model"]
    table = Table(
        "обращение", "решение", "отрасль", "тема", "ведомство", "срок, ч",
        title=f"POST /v1/classify ({model['name']}, version {model['version']})", show_lines=True,
    )  # fmt: skip
    for complaint, result in zip(COMPLAINTS, answer["results"], strict=True):
        cells = [
            f"{result[head]['label']} ({result[head]['confidence']:.2f})" for head in ("sector", "topic", "agency")
        ]
        decision = "направить" if result["decision"] == "route" else "оператору: " + "; ".join(result["reasons_ru"])
        hours = "—" if result["deadline_hours"] is None else str(result["deadline_hours"])
        table.add_row(complaint["text"], decision, *cells, hours)
    console.print(table)


def _send_day(client: httpx.Client, region: Region, console: Console) -> None:
    from tsur.demo_day import send_day

    with console.status("sending a working day's complaints"):
        count = send_day(client, region)
    if count:
        console.print(f"{count} complaints of a working day are in the store: some wait for an operator")


def _series(sector_by_municipality: dict[str, str]) -> dict[str, str]:
    """A series to ask for: the sample's largest, or any of another region's."""
    if "Верхнереченск" in sector_by_municipality:
        return {"municipality": "Верхнереченск", "sector": "ЖКХ"}
    municipality, sector = next(iter(sector_by_municipality.items()))
    return {"municipality": municipality, "sector": sector}


def _show_forecast(client: httpx.Client, sector_by_municipality: dict[str, str], console: Console) -> None:
    wanted = {**_series(sector_by_municipality), "horizon": 7, "levels": [0.8]}
    answer = _asked(client.post("/v1/forecast", json=wanted))
    title = f"POST /v1/forecast: {answer['municipality']} · {answer['sector']} ({answer['method']})"
    table = Table("день", "ожидается", "80 % интервал", title=title)
    for day in answer["days"]:
        low, high = day["quantiles"]["q10"], day["quantiles"]["q90"]
        table.add_row(day["date"], f"{day['mean']:.1f}", f"{low}–{high}")
    console.print(table)


def _show_surges(client: httpx.Client, console: Console) -> None:
    surges = _asked(client.get("/v1/surges"))["surges"]
    table = Table(
        "вид",
        "где",
        "отрасль",
        "дни",
        "ожидалось",
        "пришло / прогноз",
        "вероятность",
        "почему",
        title="GET /v1/surges",
    )
    for surge in surges[:8]:
        kind = "идёт" if surge["kind"] == "observed" else "ожидается"
        value = surge.get("observed") if surge.get("observed") is not None else surge.get("forecast")
        table.add_row(
            kind, surge["municipality"], surge["sector"], f"{surge['start']}…{surge['end']}",
            f"{surge['expected']:.0f}", f"{value:.0f}", f"{surge['probability']:.2f}",
            "; ".join(surge["reasons"]),
        )  # fmt: skip
    console.print(table)


def _show_commands(base: str, sector_by_municipality: dict[str, str], console: Console) -> None:
    complaint = {k: v for k, v in COMPLAINTS[0].items() if k != "municipality" or v in sector_by_municipality}
    body = json.dumps({"items": [complaint]}, ensure_ascii=False)
    wanted = json.dumps({**_series(sector_by_municipality), "horizon": 7}, ensure_ascii=False)
    key = ' -H "X-API-Key: $KEY"' if settings().keys else ""
    posted = f"{key} -H 'Content-Type: application/json' -d"
    for line in (
        f"curl -s {base}/v1/classify{posted} '{body}'",
        f"curl -s {base}/v1/forecast{posted} '{wanted}'",
        f"curl -s {base}/v1/surges{key}",
        f"curl -s '{base}/v1/heatmap?format=csv'{key}",
        f"curl -s {base}/readyz",
    ):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    console.print(f"the console, for people: {base}/console", style="bold")
    console.print(f"API documentation: {base}/docs")
    console.print(f"MLflow: http://127.0.0.1:{MLFLOW_PORT} (alone: `tsur mlflow`)")


def _start_interface(console: Console) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tsur", "mlflow", "--port", str(MLFLOW_PORT)]
    with _log_file("mlflow").open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
