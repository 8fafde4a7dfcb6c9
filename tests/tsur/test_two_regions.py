"""Two regions on one installation: they count, train and serve side by side, and neither sees the other's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from data.store.store import Store
from registry.names import classifier_name, forecaster_name
from serving import launch
from tests.conftest import tsur
from tests.serving.bundles import register, write_classifier
from tests.serving.conftest import Server, start_server
from tests.tsur.regions import add_region

HISTORY_DAYS = 80
QUICK = ["forecasters=[seasonal_naive, weekday_mean]", "combination=[seasonal_naive, weekday_mean]", "windows=1"]
QUICK += ["calendar=none", "processes=1", "max_horizon=28"]
CATALOGUE = """region: {title}
municipalities:
  - {{id: town, name: {town}, administration: town-hall}}
agencies:
  - {{id: town-hall, name: Администрация города {town}}}
  - {{id: roads, name: Дорожная служба города {town}}}
sectors:
  - name: ЖКХ
    topics:
      - {{name: Вывоз мусора, deadline_hours: 48, routes: [{{agency: town-hall}}]}}
      - {{name: Отопление, deadline_hours: 24, routes: [{{agency: town-hall}}]}}
  - name: Дороги
    topics:
      - {{name: Ямы, deadline_hours: 120, routes: [{{agency: roads}}]}}
"""


@dataclass(frozen=True)
class Place:
    """A region of the test."""

    id: str
    title: str
    timezone: str
    town: str

    @property
    def yesterday(self) -> date:
        """Its last whole day."""
        return datetime.now(ZoneInfo(self.timezone)).date() - timedelta(days=1)

    def moment(self, clock: str) -> str:
        """A time of its yesterday, with its offset."""
        local = datetime.combine(self.yesterday, time.fromisoformat(clock), ZoneInfo(self.timezone))
        return local.isoformat()


PLACES = {
    "kamchatka": Place("kamchatka", "Камчатский край", "Asia/Kamchatka", "Елизово"),
    "kursk": Place("kursk", "Курская область", "Europe/Moscow", "Льгов"),
}


def export(place: Place, path: Path) -> None:
    """Complaints of each day at half past eleven in the evening, as the region's clocks show it."""
    lines = ["id;text;created_at;municipality;sector"]
    for age in range(HISTORY_DAYS):
        day = place.yesterday - timedelta(days=age + 1)
        for number, sector in enumerate(["ЖКХ"] * (3 + age % 7) + ["Дороги"] * 3):
            lines.append(f"{age}-{number};Не вывозят мусор;{day:%d.%m.%Y} 23:30;{place.town};{sector}")
    path.write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home with the configs of both regions and the champions of each; its counts lie in `REGION.csv`."""
    home = tmp_path_factory.mktemp("two-regions")
    (home / "mlflow" / "artifacts").mkdir(parents=True)
    for place in PLACES.values():
        text = f"title: {place.title}\ntimezone: {place.timezone}\n"
        folder = add_region(home / "configs", place.id, text)
        (folder / "catalogue.yaml").write_text(CATALOGUE.format(title=place.title, town=place.town), encoding="utf-8")
    for place in PLACES.values():
        said, configs = ["--region", place.id], str(home / "configs")
        rows, complaints, counts = home / "export.csv", home / f"{place.id}.jsonl", home / f"{place.id}.csv"
        export(place, rows)
        tsur(home, "import", str(rows), "--out", str(complaints), *said, TSUR_CONFIGS=configs)
        tsur(home, "counts", str(complaints), "--out", str(counts), *said, TSUR_CONFIGS=configs)
        changes = [part for item in QUICK for part in ("--set", item)]
        columns = ["--municipality", "municipality"]
        tsur(home, "train", "forecaster", str(counts), *columns, *changes, *said, TSUR_CONFIGS=configs)
        catalogue = home / "configs" / "regions" / place.id / "catalogue.yaml"
        bundle = write_classifier(home / f"classifier-{place.id}" / "bundle", catalogue_file=catalogue)
        register(home, classifier_name(place.id), bundle)
    return home


@pytest.fixture(scope="module")
def servers(home: Path) -> Iterator[dict[str, Server]]:
    """A service of each region, on the same home, registry and store."""
    running: dict[str, Server] = {}
    try:
        for name in PLACES:
            environment = {"TSUR_CONFIGS": str(home / "configs"), "TSUR_REGION": name}
            running[name] = start_server(home, **environment)
        yield running
    finally:
        for server in running.values():
            launch.stop(server.process)


def classified(server: Server, place: Place) -> dict[str, Any]:
    """The answer to two complaints at both ends of the region's yesterday; ids are the same in both regions."""
    texts = ["Не вывозят мусор", "Яма на дороге"]
    moments = [place.moment("00:30"), place.moment("23:30")]
    items = [
        {"id": f"{number}", "source": "pos", "text": text, "created_at": moment, "municipality": place.town}
        for number, (text, moment) in enumerate(zip(texts, moments, strict=True))
    ]
    with server.client as client:
        answer = client.post("/v1/classify", json={"items": items})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("name", PLACES)
def test_complaints_count_on_the_evenings_of_their_region(home: Path, name: str):
    days = pd.to_datetime(pd.read_csv(home / f"{name}.csv", sep=";")["date"])
    assert days.max().date() == PLACES[name].yesterday - timedelta(days=1)
    assert days.nunique() == HISTORY_DAYS


def test_two_regions_serve_side_by_side_and_neither_sees_the_other(home: Path, servers: dict[str, Server]):
    for name, place in PLACES.items():
        with servers[name].client as client:
            ready = client.get("/readyz").json()
            forecast = client.post("/v1/forecast", json={"horizon": 1}).json()
            heat = client.get("/v1/heatmap").json()
        assert ready["region"] == name
        assert [model["name"] for model in ready["serving"]] == [classifier_name(name), forecaster_name(name)]
        assert ready["missing"] == []
        assert forecast["model"]["name"] == forecaster_name(name)
        assert forecast["days"][0]["date"] == place.yesterday.isoformat(), "the day after the last counted one"
        assert {cell["municipality"] for cell in heat["cells"]} == {place.town}
        answer = classified(servers[name], place)
        assert answer["model"]["name"] == classifier_name(name)
        agencies = {proposal["agency"]["label"] for proposal in answer["results"]}
        assert all(place.town in agency for agency in agencies)

    with servers["kamchatka"].client as client:
        only_here = {"id": "here", "source": "pos", "text": "Яма"}
        assert client.post("/v1/classify", json={"items": [only_here]}).status_code == 200
    correction = {"items": [{"id": "here", "source": "pos", "sector": "ЖКХ"}]}
    with servers["kursk"].client as client:
        assert client.post("/v1/feedback", json=correction).json()["error"]["code"] == "unknown_complaint"
    with servers["kamchatka"].client as client:
        assert client.post("/v1/feedback", json=correction).status_code == 200

    store = Store(f"sqlite:///{home}/store.db", old_region="kursk")
    for name, place in PLACES.items():
        counts = store.complaints.counts(name, place.yesterday - timedelta(days=7))
        of_yesterday = counts[counts["date"] == pd.Timestamp(place.yesterday)]
        assert of_yesterday["count"].sum() == 2, "both ends of the day are the region's, and nobody else's"
        assert set(counts["municipality"].dropna()) == {place.town}
    store.close()
