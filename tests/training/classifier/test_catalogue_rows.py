"""The catalogue's own words as rows: every name once, with the labels that it says and no other."""

import pandas as pd
import pytest

from data.catalogue.checks import load_catalogue
from data.catalogue.model import Agency, Catalogue, Route, Sector, Topic
from data.settings import CHECKOUT
from models.classifier.labels import HEADS, learn_label_space
from training.classifier.catalogue_rows import catalogue_rows, example_rows

COLUMNS = ["text", "municipality", "sector", "topic", "agency"]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(CHECKOUT / "configs" / "regions" / "verkhnerechye" / "catalogue.yaml")


def test_a_small_catalogue_by_hand():
    routes = [Route(agency="a")]
    topics = [
        Topic(name="Ямы", deadline_hours=24, description="Выбоины на проезжей части", routes=routes),
        Topic(name="Знаки", deadline_hours=24, routes=routes),
    ]
    small = Catalogue(
        region="Область",
        agencies=[Agency(id="a", name="Дорожный комитет")],
        sectors=[Sector(name="Дороги", topics=topics)],
    )
    assert catalogue_rows(small).values.tolist() == [
        ["Дороги", None, "Дороги", None, None],
        ["Ямы. Выбоины на проезжей части", None, "Дороги", "Ямы", None],
        ["Знаки", None, "Дороги", "Знаки", None],
        ["Дорожный комитет", None, None, None, "Дорожный комитет"],
    ]
    assert catalogue_rows(small, {"Ямы", "Знаки"}).values.tolist()[1:4] == [
        ["Ямы", None, "Дороги", "Ямы", None],
        ["Выбоины на проезжей части", None, "Дороги", "Ямы", None],
        ["Знаки", None, "Дороги", "Знаки", None],
    ]


def test_every_sector_topic_and_agency_has_one_row(catalogue: Catalogue):
    rows = catalogue_rows(catalogue)
    assert rows.columns.tolist() == COLUMNS
    topics = [(sector.name, topic.name) for sector in catalogue.sectors for topic in sector.topics]
    assert len(rows) == len(catalogue.sectors) + len(topics) + len(catalogue.agencies)
    taught = rows.dropna(subset=["topic"])
    assert list(zip(taught["sector"], taught["topic"], strict=True)) == topics
    assert rows["agency"].dropna().tolist() == [agency.name for agency in catalogue.agencies]
    assert rows["text"].str.strip().ne("").all()


def test_what_a_text_does_not_name_is_none_and_teaches_nothing(catalogue: Catalogue):
    rows = catalogue_rows(catalogue)
    missing = rows[COLUMNS].isna()
    assert all(value is None for value in rows[COLUMNS].to_numpy()[missing.to_numpy()])
    labels = learn_label_space({head: rows[head].tolist() for head in HEADS}, min_rows=1)
    for head, targets in labels.targets(rows).items():
        assert (targets == -100).tolist() == missing[head].tolist()


def test_the_rows_stand_behind_complaints_as_if_they_were_some(catalogue: Catalogue):
    sample = pd.read_csv(CHECKOUT / "data" / "samples" / "complaints.csv")
    rows = catalogue_rows(catalogue)
    both = pd.concat([sample, rows], ignore_index=True)
    assert both.tail(len(rows))["text"].tolist() == rows["text"].tolist()
    assert both["text"].notna().all()


def test_examples_of_the_topics_asked_for_teach_their_sector_and_topic():
    routes = [Route(agency="a")]
    topics = [
        Topic(name="Ямы", deadline_hours=24, examples=["Разбита дорога", "Яма у школы"], routes=routes),
        Topic(name="Знаки", deadline_hours=24, examples=["Нет знака"], routes=routes),
    ]
    small = Catalogue(
        region="Область", agencies=[Agency(id="a", name="ДК")], sectors=[Sector(name="Дороги", topics=topics)]
    )
    assert example_rows(small, {"Ямы"}).values.tolist() == [
        ["Разбита дорога", None, "Дороги", "Ямы", None],
        ["Яма у школы", None, "Дороги", "Ямы", None],
    ]
    assert example_rows(small, ()).columns.tolist() == COLUMNS
