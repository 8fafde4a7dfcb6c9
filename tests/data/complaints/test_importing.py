"""Import: from each source's export to checked complaints; what is set aside, and why."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from data.catalogue.checks import load_catalogue
from data.catalogue.draft import draft_catalogue
from data.catalogue.model import Catalogue
from data.complaints.files import write_rejects
from data.complaints.importing import Imported, import_complaints
from data.complaints.schema import COLUMNS
from data.complaints.sources import SourceMap, load_source
from data.errors import ColumnsError, InputError
from data.settings import CHECKOUT, settings

SOURCES = CHECKOUT / "configs" / "sources"
EXPORTS = CHECKOUT / "data" / "samples" / "exports"
DAY = datetime(2025, 11, 3)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(CHECKOUT / "configs" / "regions" / "verkhnerechye" / "catalogue.yaml")


def generic() -> SourceMap:
    return load_source("generic", SOURCES, timezone="Europe/Moscow")


def imported(folder: Path, content: str, catalogue: Catalogue | None = None, day: datetime | None = DAY) -> Imported:
    path = folder / "export.csv"
    path.write_text(content, encoding="utf-8")
    return import_complaints(path, generic(), catalogue, default_date=day)


@pytest.mark.parametrize(
    ("export", "good", "rejects"),
    [
        ("incident.xlsx", 6, {7: "topic", 9: "the text is empty"}),
        ("pos.csv", 5, {5: "the date '32.11.2025 09:00:00'", 7: "line 6 already", 10: "9 fields where"}),
        (
            "dobrodel.json",
            5,
            {29: "expected a JSON object", 30: "close to 'Экология'", 57: "the text is empty"},
        ),
        ("hotline.csv", 5, {3: "close to 'Энергетика'", 4: "the date 'вчера утром'", 8: "the text is empty"}),
        ("municipality.jsonl", 5, {3: "not valid JSON", 4: "is not known in sector 'Дороги'"}),
        (
            "generic.csv",
            6,
            {
                4: "the same text on the same day, without an id too, is on line 2",
                9: "there is no date",
            },
        ),
    ],
)
def test_each_sources_sample_export_is_read(export: str, good: int, rejects: dict[int, str], catalogue: Catalogue):
    source = load_source(export.split(".")[0], SOURCES, timezone="Europe/Moscow")
    seen: list[int] = []
    result = import_complaints(EXPORTS / export, source, catalogue, progress=seen.append)
    assert len(result.complaints) == good
    assert set(result.complaints["source"]) == {source.name}
    assert result.rejects["line"].tolist() == list(rejects)
    for reason, part in zip(result.rejects["reason"], rejects.values(), strict=True):
        assert part in reason
    assert seen == list(range(1, result.rows + 1))


def test_times_are_local_to_the_source_and_stored_in_utc():
    result = import_complaints(EXPORTS / "incident.xlsx", load_source("incident", SOURCES, timezone="Europe/Moscow"))
    assert result.complaints["created_at"].iloc[0] == pd.Timestamp("2025-11-03T05:14Z")


def test_text_is_cleaned_and_masked_and_place_and_labels_take_the_catalogues_spelling(
    tmp_path: Path, catalogue: Catalogue
):
    result = imported(
        tmp_path,
        "id,text,municipality,sector,topic,agency\n"
        "7,<b>Яма</b>&nbsp;у дома 5! Тел. 8 900 000-12-34,каменном  броде,жкх,,\n",
        catalogue,
    )
    row = result.complaints.iloc[0]
    assert (row["text"], row["municipality"], row["sector"]) == (
        "Яма у дома 5! Тел. [ТЕЛЕФОН]",
        "Каменный Брод",
        "ЖКХ",
    )
    assert row["topic"] is None
    assert list(result.complaints) == COLUMNS


def test_a_row_whose_place_is_not_known_is_kept_without_it_and_the_place_is_told(tmp_path: Path, catalogue: Catalogue):
    content = (
        "id,text,municipality\n1,Яма,Атлантида\n2,Снег,г. Верхнереченск\n3,Лёд,\n"
        "4,Лужа,Атлантида\n5,Шум,у Ивановой Марии Петровны\n"
    )
    result = imported(tmp_path, content, catalogue)
    assert result.complaints["municipality"].tolist() == [None, "Верхнереченск", None, None, None]
    assert result.unknown_places == {"Атлантида": 2, "у [ИМЯ]": 1}
    assert result.rejects.empty


def test_without_a_catalogue_labels_are_taken_as_they_are(tmp_path: Path):
    row = imported(tmp_path, "text,sector,Район\nЯма,Что-то своё,Где-то\n").complaints.iloc[0]
    assert (row["sector"], row["municipality"]) == ("Что-то своё", "Где-то")


def test_without_a_catalogue_labels_and_places_are_masked_and_agencies_stay(tmp_path: Path):
    content = (
        "text,Район,sector,topic,Исполнитель\n"
        "Яма,Курск т. 8 900 000-12-34,Дороги,Звонить @ivanov_petr,Иванова Мария Петровна\n"
        "Снег,Курск,ЖКХ,Борщевик Сосновского,Администрация Железнодорожного округа города Курска\n"
    )
    columns = ["municipality", "sector", "topic", "agency"]
    assert imported(tmp_path, content).complaints[columns].values.tolist() == [
        ["Курск т. [ТЕЛЕФОН]", "Дороги", "Звонить [АККАУНТ]", "[ИМЯ]"],
        ["Курск", "ЖКХ", "Борщевик Сосновского", "Администрация Железнодорожного округа города Курска"],
    ]


def test_a_catalogue_drafted_from_masked_labels_knows_the_file_it_came_from(tmp_path: Path):
    content = "text,sector,topic,agency,municipality\nЯма,Дороги,Ямы,Иванова Мария Петровна,Курск\n"
    frame = imported(tmp_path, content).complaints
    (tmp_path / "own.yaml").write_text(draft_catalogue(frame, "Область"), encoding="utf-8")
    again = imported(tmp_path, content, load_catalogue(tmp_path / "own.yaml")).complaints
    assert again["agency"].tolist() == ["[ИМЯ]"]


def test_a_place_is_masked_where_the_catalogue_knows_no_places(tmp_path: Path, catalogue: Catalogue):
    placeless = catalogue.model_copy(update={"municipalities": []})
    row = imported(tmp_path, "text,municipality\nЯма,у Ивановой Марии Петровны\n", placeless).complaints.iloc[0]
    assert row["municipality"] == "у [ИМЯ]"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("8 900 000-12-34", "a phone number"),
        ("+79000001234", "a phone number"),
        ("89000001234", "a phone number"),
        ("8 (47122) 5-12-34", "a phone number"),
        ("900 000-12-34", "a phone number"),
        ("ivan@example.org", "an e-mail or an account"),
        ("t.me/ivanov_petr", "an e-mail or an account"),
        ("Иванова Мария Петровна", "a person's name"),
    ],
)
def test_an_id_that_is_somebodys_own_is_refused_and_never_repeated(tmp_path: Path, given: str, why: str):
    result = imported(tmp_path, f"id,text\n{given},Яма\n{given},Снег\n46-2025-000123,Лёд\n")
    assert result.complaints["id"].tolist() == ["46-2025-000123"]
    assert result.rejects["reason"].str.startswith(f"the id is {why}: give the complaints numbers of their own").all()
    assert [count for _, count in result.reasons] == [2]
    assert given not in result.rejects.to_json(force_ascii=False)


@pytest.mark.parametrize(
    "ids",
    [
        [str(20261101001 + n) for n in range(100)],  # some have the check digits of a СНИЛС
        [str(2026110100000001 + n) for n in range(100)],  # … of a card
        [str(84000100001 + n) for n in range(100)],  # … or begin like a phone
        ["9000001234", "4712511234", "112-233-445 95", "2202 2026 0000 0001", "46-89/2026", "00123", "-2", "=1+1"],
        ["№ 12/3-456", "ПОС-2026-1", "2026-1101-0000-0001", "1E5", "wall-123_45", "5b0c-41d2-9f6e"],
    ],
    ids=lambda ids: ids[0],
)
def test_an_id_stays_as_the_source_gave_it_and_one_text_may_have_many(tmp_path: Path, ids: list[str]):
    result = imported(tmp_path, "Номер;text\n" + "".join(f"{each};Не горит фонарь\n" for each in ids))
    assert result.complaints["id"].tolist() == ids


@pytest.mark.parametrize("given", ["2,02611E+15", "2.0261101E+15", "2E+15", "2,02611e+15", "2.02611E15"])
def test_an_id_that_excel_rounded_is_refused_with_its_culprit(tmp_path: Path, given: str):
    result = imported(tmp_path, f"Номер;text\n{given};Яма\n1;Снег\n")
    assert result.rejects["reason"].iloc[0].startswith("Excel turned the id into a rounded number")


def test_a_row_without_id_gets_a_stable_one(tmp_path: Path):
    content = "text\nНет воды\nНет света\n"
    first, again = (imported(tmp_path, content).complaints["id"].tolist() for _ in range(2))
    other_day = imported(tmp_path, content, day=datetime(2025, 11, 4)).complaints["id"].tolist()
    assert first == again
    assert all(len(identifier) == 16 for identifier in first)
    assert len({*first, *other_day}) == 4


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,  ,ЖКХ,", "the text is empty"),
        ("1,<p></p>,ЖКХ,", "the text is empty"),
        (f"1,{'вода ' * 5000},ЖКХ,", "the text has 24999 characters, more than 20000"),
        (f"{'9' * 201},Яма,ЖКХ,", "the id has 201 characters"),
        ("1,Яма,ЖКК,", "sector 'ЖКК' is not known; close to 'ЖКХ'"),
        ("0,Яма,ЖКХ,", "id '0' was given on line 2 already"),
        ("1,Яма,ЖКХ,03/11/25", "the date '03/11/25' cannot be read as any of %d.%m.%Y %H:%M:%S"),
        ("1,Яма,ЖКХ,03.11.0025", "the date '03.11.0025' cannot be read"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_line_and_reason(tmp_path: Path, catalogue: Catalogue, row: str, reason: str):
    result = imported(tmp_path, f"id,text,sector,date\n0,Снег,Дороги,\n{row}\n2,Лёд,,\n", catalogue)
    assert result.complaints["id"].tolist() == ["0", "2"]
    assert result.rejects["line"].tolist() == [3]
    assert result.rejects["reason"].iloc[0].startswith(reason)


def test_rejects_hold_mapped_columns_only_and_masked(tmp_path: Path):
    result = imported(
        tmp_path,
        "text,date,Автор\nЯма,,Оля\nПишет Иванова Мария Петровна 8 900 000-12-34,никогда,Мария Иванова\n",
    )
    assert json.loads(result.rejects["row"].iloc[0]) == {"text": "Пишет [ИМЯ] [ТЕЛЕФОН]", "date": "никогда"}
    write_rejects(result.rejects, tmp_path / "out" / "rejects.csv")
    assert pd.read_csv(tmp_path / "out" / "rejects.csv", sep=";")["line"].tolist() == [3]


def test_missing_columns_are_named_with_the_files_own_and_the_map(tmp_path: Path):
    with pytest.raises(ColumnsError) as caught:
        imported(tmp_path, "номер,примечание\n1,Яма\n", day=None)
    for part in ("text (as text / текст", "created_at (as ", "номер, примечание", "sources/generic.yaml"):
        assert part in caught.value.message
    assert caught.value.details["missing"] == ["text", "created_at"]


def test_no_good_row_is_an_error_with_the_first_reason(tmp_path: Path):
    with pytest.raises(InputError, match="none of 2 rows can be used; line 2: the text is empty"):
        imported(tmp_path, "id,text\n1,\n2,\n")


def test_json_objects_may_differ_in_their_keys(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "Яма"}\n{"message": "Снег", "sector": "Дороги"}\n', encoding="utf-8")
    assert import_complaints(path, generic(), default_date=DAY).complaints["sector"].tolist() == [
        None,
        "Дороги",
    ]


def test_the_bundled_sample_imports_whole(catalogue: Catalogue):
    result = import_complaints(CHECKOUT / "data" / "samples" / "complaints.csv", generic(), catalogue)
    assert result.rejects["reason"].tolist() == []
    assert set(result.complaints["source"]) > {"incident", "pos", "hotline"}


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["kursk", "ryazan"])
def test_real_complaints_import_without_rejects(name: str):
    folder = settings().real_data
    if folder is None:
        pytest.skip("TSUR_REAL_DATA is not set: no real complaints on this machine")
    result = import_complaints(
        folder / "text" / f"{name}.csv", generic(), default_date=datetime(2022, 1, 1, tzinfo=UTC)
    )
    assert result.rejects["reason"].tolist() == []
    assert result.complaints[["sector", "topic", "agency"]].notna().all(axis=None)
