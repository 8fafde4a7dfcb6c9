"""`GET /v1/municipalities`: places side by side, and no rate where there is only chance."""

import io

import httpx
import pandas as pd
import pytest

from serving.api.v1.municipalities import poisson_interval
from tests.serving.bundles import CALM_PLACE, LAST_DAY, SURGE_PLACE, SURGE_SECTOR, small_counts


def test_what_came_is_counted_per_thousand_inhabitants_with_its_interval(api: httpx.Client) -> None:
    answer = api.get("/v1/municipalities", params={"days": 28}).json()
    counts = small_counts()
    last = (
        counts[counts["date"] > pd.Timestamp(LAST_DAY) - pd.Timedelta(days=28)].groupby("municipality")["count"].sum()
    )
    assert [row["municipality"] for row in answer["municipalities"]] == [SURGE_PLACE, CALM_PLACE]
    for row in answer["municipalities"]:
        assert row["observed"] == last[row["municipality"]]
        rate = 1000 * row["observed"] / row["inhabitants"]
        assert row["per_thousand"] == pytest.approx(rate, abs=1e-3)
        assert row["low"] < rate < row["high"]
    assert answer["region"]["observed"] == last.sum()
    assert answer["region"]["inhabitants"] == sum(row["inhabitants"] for row in answer["municipalities"])


def test_few_complaints_have_no_rate(api: httpx.Client) -> None:
    (row,) = [
        each
        for each in api.get("/v1/municipalities", params={"days": 1, "sector": "Дороги"}).json()["municipalities"]
        if each["municipality"] == CALM_PLACE
    ]
    assert row["observed"] < 20
    assert (row["per_thousand"], row["low"], row["high"]) == (None, None, None)


def test_a_sector_is_counted_alone_and_as_a_table(api: httpx.Client) -> None:
    answer = api.get("/v1/municipalities", params={"sector": SURGE_SECTOR, "format": "csv"})
    table = pd.read_csv(io.StringIO(answer.text)).set_index("municipality")
    both = api.get("/v1/municipalities").json()["region"]["observed"]
    assert 0 < table.loc["весь регион", "observed"] < both
    assert api.get("/v1/municipalities", params={"sector": "Нет такой"}).status_code == 404


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (20, 12.217, 30.888)])
def test_the_interval_is_garwoods(count: int, low: float, high: float) -> None:
    assert poisson_interval(count) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))
