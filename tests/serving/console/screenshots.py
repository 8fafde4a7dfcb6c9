"""`make screenshots`: the pictures of docs/console.md, of the fictional sample region only.

In: the sample's counts, made-up complaints; a forecaster of two quick methods, which is fitted here. Out: PNGs in
`docs/console/`.
"""

import os
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from data.settings import CHECKOUT, settings
from data.store.store import Store
from models.forecasting.config import ForecasterConfig
from serving import launch as run
from tests.serving.bundles import CLASSIFIER, FORECASTER, REGION, register, write_classifier
from tests.serving.conftest import start_server
from tests.serving.console.browser import running_browser, visit
from tests.serving.console.conftest import look_once
from tests.serving.console.filled_store import fill
from training.forecaster.backtest import backtest
from training.forecaster.fitting import fit_forecasts
from tsur.samples import sample_counts

FOLDER = CHECKOUT / "docs" / "console"
COLOURS = 64
"""Enough for flat pages; a third of the bytes."""
SINCE = "2026-04-01"
"""Of the sample's three years: enough for methods that look back some weeks."""
QUICK = ForecasterConfig(forecasters=["seasonal_naive", "weekday_mean"], windows=2, max_horizon=60, processes=1)
PLACE = "municipality=Верхнереченск&sector=Энергетика"
PAGES = {
    "heatmap": ("heatmap", 1366, 768, False),
    "series": (f"series?{PLACE}", 1366, 900, False),
    "surges": ("surges", 1366, 768, False),
    "topics": ("topics", 1366, 768, False),
    "places": ("places?order=rate", 1366, 768, False),
    "desk": ("desk", 1366, 768, False),
    "kpi": ("kpi", 1366, 768, False),
    "map": ("heatmap?view=map", 1366, 768, False),
    "decisions": ("decisions", 1366, 768, False),
    "heatmap-dark": ("heatmap", 1366, 768, True),
    "heatmap-phone": ("heatmap", 390, 844, False),
    "series-phone": (f"series?{PLACE}", 390, 844, False),
}
"""Name of the picture: address, width, height, whether dark."""


def main() -> None:
    """Start a service on the sample and take the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        prepare(home)
        server = start_server(home)
        try:
            look_once(server, "")
            take(f"http://127.0.0.1:{server.port}", sys.argv[1:] or list(PAGES))
        finally:
            run.stop(server.process)


def prepare(home: Path) -> None:
    """A home with champions and a filled store."""
    os.environ["TSUR_HOME"] = str(home)
    settings.cache_clear()
    (home / "mlflow" / "artifacts").mkdir(parents=True)
    counts = sample_counts()
    counts = counts[counts["date"] >= SINCE]
    fit_forecasts(counts, QUICK, backtest(counts, QUICK)).save(home / "forecaster")
    register(home, FORECASTER, home / "forecaster")
    register(home, CLASSIFIER, write_classifier(home / "classifier"))
    store = Store(f"sqlite:///{home}/store.db", REGION)
    fill(store, home / "classifier")
    store.close()


def take(base: str, names: list[str]) -> None:
    """Take these pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running_browser() as browser:
        for name in names:
            path, width, height, dark = PAGES[name]
            with visit(browser, base, width=width, height=height, dark=dark) as seen:
                seen.open(path)
                expect(seen.page.locator(".state.failed, .banner.warn:has-text('не построен')")).to_have_count(0)
                picture = Image.open(BytesIO(seen.page.screenshot()))
                picture.convert("RGB").quantize(COLOURS).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
