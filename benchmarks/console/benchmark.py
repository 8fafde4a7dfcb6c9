"""Is the console quick: small files, a first paint at once, its calls answered with a full store?

In: this installation's champions. Out: a table, and `results/console.json`. A service is started on a store of its own
with 100,000 complaints; browser and service share this machine, so timings are read beside an empty page's of the same
run.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import httpx
import numpy as np
import typer

from benchmarks.console.full_store import fill
from benchmarks.console.pages import measure
from benchmarks.results import RESULTS, Target, console, markdown_table, targets_line, write_results
from data.regions.region import load_region
from data.settings import settings
from data.store.store import Store
from serving.console.app import ASSETS
from serving.launch import start, stop

NAME = "console"
READY_SECONDS = 300
CALLS = {
    "heatmap": ("/v1/heatmap",),
    "surges": ("/v1/surges", "/v1/surges/notes"),
    "series": ("/v1/series", "/v1/series/chart"),
    "places": ("/v1/municipalities",),
    "topics": ("/v1/emerging", "/v1/emerging/verdicts"),
    "complaints": (
        "/v1/complaints",
        "/v1/complaints?decision=review",
        "/v1/complaints?sector=ЖКХ&q=дом",
        "/v1/complaints?q=абракадабра",  # in no text: all are read
    ),
    "models": ("/v1/models",),
    "kpi": ("/v1/kpi?by=agency",),
}
"""What each page asks for."""
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    rows: Annotated[int, typer.Option(min=2000, help="Complaints in the store.")] = 100_000,
    runs: Annotated[int, typer.Option(min=3, help="Calls of each address.")] = 30,
    visits: Annotated[int, typer.Option(min=3, help="Visits of the browser.")] = 10,
    port: Annotated[int, typer.Option(help="The service's port.")] = 38999,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
) -> None:
    """Fill a store, ask what the pages ask, and let a browser look."""
    region = load_region()
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/store.db"
        _on_its_own_store(url)
        process = start(port=port, region=region.id, log=Path(folder) / "service.log")
        try:
            base = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=base, timeout=READY_SECONDS, trust_env=False) as client:
                _wait_ready(client)
                store = Store(url, region.id)
                fill(client, store, region.id, rows)
                store.close()
                p95 = {page: _p95(client, paths, runs) for page, paths in CALLS.items()}
            painted = measure(base, visits)
        finally:
            stop(process)
    _report(p95, {name: float(np.median(each)) for name, each in painted.items()}, rows, out)


def _on_its_own_store(url: str) -> None:
    """Let the service that is started use this store; champions stay this installation's."""
    import os

    os.environ["TSUR_STORE_URL"] = url
    settings.cache_clear()


def _wait_ready(client: httpx.Client) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)


def _p95(client: httpx.Client, paths: tuple[str, ...], runs: int) -> float:
    """Milliseconds within which 95 % of the calls of a page are answered; the slowest of its addresses."""
    slowest = []
    for path in paths:
        client.get(path)  # the first one computes what is remembered
        took = []
        for _ in range(runs):
            began = time.perf_counter()
            client.get(path).raise_for_status()
            took.append(1000 * (time.perf_counter() - began))
        slowest.append(float(np.quantile(took, 0.95)))
    return max(slowest)


def _report(p95: dict[str, float], painted: dict[str, float], rows: int, out: Path) -> None:
    kilobytes = sum(path.stat().st_size for path in Path(ASSETS).rglob("*") if path.is_file()) / 1000
    console.print(markdown_table(["page", "p95, ms"], [[page, f"{each:.0f}"] for page, each in p95.items()]))
    console.print(
        f"assets {kilobytes:.0f} KB; first paint {painted['console']:.0f} ms, an empty page's {painted['empty']:.0f}; "
        f"a 16 × 60 heat map {painted['heatmap']:.0f} ms after its data"
    )
    targets = [
        Target.at_most("assets_kb", kilobytes, 900),
        Target.at_most("first_paint_ms", painted["console"], 1000),
        Target.at_most("heatmap_ms", painted["heatmap"], 300),
        *(Target.at_most(f"p95_ms.{page}", each, 300) for page, each in p95.items()),
    ]
    console.print(targets_line(targets))
    figures = {"complaints": rows, "assets_kb": kilobytes, "p95_ms": p95, "median_ms": painted}
    write_results(out, {}, ("bentoml", "sqlalchemy", "vl-convert-python"), figures, targets)
