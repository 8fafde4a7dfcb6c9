"""Places: however an export writes one, it is the same; two that differ stay two."""

import pytest

from data.catalogue.model import Catalogue

TOPIC = {"name": "Разное", "deadline_hours": 1, "routes": [{"agency": "any"}]}
CATALOGUE = Catalogue.model_validate(
    {
        "region": "Верхнереченская область",
        "municipalities": [
            {"id": "town", "name": "Верхнереченск", "aliases": ["областной центр"]},
            {"id": "around", "name": "Верхнереченский район"},
            {"id": "district", "name": "Ключёвский муниципальный округ", "aliases": ["Ключёво"]},
            {"id": "lug-town", "name": "г. Луговец"},
            {"id": "lug-village", "name": "с. Луговец"},
        ],
        "agencies": [{"id": "any", "name": "Кто-нибудь"}],
        "sectors": [
            {"name": "Всё", "topics": [{"name": "Разное", "deadline_hours": 1, "routes": [{"agency": "any"}]}]}
        ],
    }
)


@pytest.mark.parametrize(
    ("written", "municipality"),
    [
        ("Верхнереченск", "town"),
        ("г. Верхнереченск", "town"),
        ("г.Верхнереченск", "town"),
        ("город  ВЕРХНЕРЕЧЕНСК", "town"),
        ("Верхнереченск г.", "town"),
        ("Верхнереченск (город)", "town"),
        ("ГО Верхнереченск", "town"),
        ("г.о. Верхнереченск", "town"),
        ("городской округ город Верхнереченск", "town"),
        ("Верхнереченский городской округ", "town"),
        ("Верхнереченск, Садовая ул.", "town"),
        ("Верхнереченская область, г. Верхнереченск, Садовая ул., 5", "town"),
        ("Областной центр", "town"),
        ("Администрация города Верхнереченска", "town"),
        ("Верхнереченск г.о. (г. Верхнереченск)", "town"),
        ("Верхнереченский р-н", "around"),
        ("Администрация Верхнереченского района", "around"),
        ("Верхнереченский мун. район", "around"),
        ("Верхнереченский муниципальный р-н", "around"),
        ("МР Верхнереченский", "around"),
        ("Верхнереченский муниципальный район Верхнереченской обл.", "around"),
        ("Ключевский м.о.", "district"),
        ("МО «Ключёвский район»", "district"),
        ("с. Ключёво", "district"),
        ("г. Луговец", "lug-town"),
        ("с. Луговец", "lug-village"),
        ("Луговец", None),  # the town or the village?
        ("г. Нигде", None),
        ("город", None),
        ("", None),
        (None, None),
    ],
)
def test_a_place_is_known_however_it_is_written(written: str | None, municipality: str | None):
    assert CATALOGUE.municipality_ids([written]) == [municipality]
