"""Import: from each source's export to checked complaints; what is set aside, and why."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from data.catalogue.checks import load_catalogue
from data.catalogue.draft import draft_catalogue
from data.catalogue.model import Catalogue
from data.complaints.files import read_complaints, write_complaints, write_rejects
from data.complaints.importing import Imported, import_complaints
from data.complaints.schema import COLUMNS
from data.complaints.sources import SourceMap, load_source
from data.errors import ColumnsError, ConfigError, FileError, InputError
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


def test_unknown_source_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="'insident' is not known: known are dobrodel, generic, hotline"):
        load_source("insident", SOURCES, timezone="Europe/Moscow")


@pytest.mark.parametrize(
    ("yaml", "sentence"),
    [
        ("name: pos\ntitle: x\ncolumns: {txt: a}", "'txt' is not a complaint's field: known are id, text"),
        ("name: pos\ntitle: x\ncolumns: {id: a}", "no column is named for the field 'text'"),
        ("name: pos\ntitle: x\ncolumns: {text: a}\ntimezone: Mars", "no such time zone"),
        ("name: pos\ntitle: x\ncolumns: {text: a}\ncolour: red", "unknown key 'colour'"),
        ("- pos", "expected a mapping of keys, got list"),
    ],
)
def test_bad_map_is_refused(tmp_path: Path, yaml: str, sentence: str):
    (tmp_path / "own.yaml").write_text(yaml, encoding="utf-8")
    with pytest.raises(ConfigError, match=sentence):
        load_source(tmp_path / "own.yaml", SOURCES, timezone="Europe/Moscow")


@pytest.mark.parametrize(
    ("written", "timezone", "region", "moment"),
    [
        ("01.11.2026 23:30", None, "Asia/Kamchatka", "2026-11-01T11:30"),
        ("01.11.2026 23:30", "Europe/Moscow", "Asia/Kamchatka", "2026-11-01T20:30"),
        ("2026-11-01T23:30+03:00", "Asia/Kamchatka", "Asia/Vladivostok", "2026-11-01T20:30"),
        # a date without a time is a day of the region, whatever zone the source writes its times in
        ("01.11.2026", "Europe/Moscow", "Asia/Vladivostok", "2026-10-31T14:00"),
        ("01.11.2026", "Europe/Moscow", "Europe/Kaliningrad", "2026-10-31T22:00"),
        ("2026-11-01", None, "Europe/Kaliningrad", "2026-10-31T22:00"),
        ("01.11.2026 00:00:00", "Europe/Moscow", "Europe/Kaliningrad", "2026-10-31T22:00"),
        ("01.11.2026 00:30", "Europe/Moscow", "Europe/Kaliningrad", "2026-10-31T21:30"),
    ],
)
def test_times_are_the_sources_and_days_the_regions(
    tmp_path: Path, written: str, timezone: str | None, region: str, moment: str
):
    zone = "" if timezone is None else f"timezone: {timezone}\n"
    formats = 'date_formats: ["%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y"]\n'
    columns = "columns: {text: text, created_at: date}\n"
    (tmp_path / "own.yaml").write_text(f"name: other\ntitle: x\n{columns}{formats}{zone}", encoding="utf-8")
    (tmp_path / "export.csv").write_text(f"text;date\nЯма;{written}\n", encoding="utf-8")
    source = load_source(tmp_path / "own.yaml", timezone=region)
    created_at = import_complaints(tmp_path / "export.csv", source).complaints["created_at"]
    assert created_at.tolist() == [pd.Timestamp(moment, tz="UTC")]


def test_a_default_date_is_a_day_of_the_region(tmp_path: Path):
    (tmp_path / "export.csv").write_text("text\nЯма\n", encoding="utf-8")
    source = load_source("generic", SOURCES, timezone="Asia/Kamchatka")
    frame = import_complaints(tmp_path / "export.csv", source, default_date=datetime(2026, 11, 1)).complaints
    assert frame["created_at"].tolist() == [pd.Timestamp("2026-10-31T12:00", tz="UTC")]


def test_written_complaints_are_read_back_the_same(tmp_path: Path, catalogue: Catalogue):
    frame = import_complaints(
        EXPORTS / "dobrodel.json", load_source("dobrodel", SOURCES, timezone="Europe/Moscow"), catalogue
    ).complaints
    write_complaints(frame, tmp_path / "new" / "complaints.jsonl")
    pd.testing.assert_frame_equal(read_complaints(tmp_path / "new" / "complaints.jsonl"), frame)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["complaints.jsonl"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "line 2: not valid JSON"),
        ('{"id": "b", "created_at": "2025-11-03"}', "line 2: text: Field required"),
        ('{"id": "b", "text": "x", "created_at": "вчера"}', "line 2: created_at: "),
        ('{"id": "b", "text": "x", "created_at": "2025-11-03", "colour": "red"}', "line 2: colour: "),
        ('{"id": "a", "text": "x", "created_at": "2025-11-03"}', "line 2: id 'a' is on line 1 too"),
    ],
)
def test_a_bad_line_of_complaints_is_refused_with_its_number(tmp_path: Path, line: str, sentence: str):
    path = tmp_path / "complaints.jsonl"
    path.write_text('{"id": "a", "text": "x", "created_at": "2025-11-03"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=sentence):
        read_complaints(path)


def test_complaints_must_be_jsonl():
    with pytest.raises(FileError, match="not JSONL"):
        read_complaints(EXPORTS / "pos.csv")


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
