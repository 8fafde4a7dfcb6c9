"""JSON as other systems export it: records are found wherever they lie, and their fields by their paths."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data.complaints.importing import Imported
from data.errors import FileError
from tests.data.complaints.exports import imported, of_text, texts


def of_json(folder: Path, content: Any, own_map: str = "") -> Imported:
    path = folder / "a.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return imported(path, own_map=own_map)


def test_a_rich_text_is_what_a_person_saw(tmp_path: Path):
    parts = ["Соседи, ", {"type": "bold", "text": "яма"}, " на Лесной, ", {"type": "mention", "text": "@dvor_lesnaya"}]
    content = {"name": "Чат", "messages": [{"id": 1, "date": "2026-11-01T10:15:00", "text": parts}]}
    result = of_json(tmp_path, content)
    assert texts(result) == ["Соседи, яма на Лесной, [АККАУНТ]"]
    assert result.notes == ["the records are those of 'messages'"]


def test_objects_inside_a_record_are_named_or_reached_by_their_path(tmp_path: Path):
    record = {"id": 1, "created": 1793517300, "text": "Яма", "category": {"id": 3, "name": "Дороги"}}
    record |= {"place": {"code": "01", "area": {"title": "Заречный"}}}
    assert of_json(tmp_path, [record]).complaints["sector"].tolist() == ["Дороги"]
    own = "columns: {id: id, text: text, created_at: created, sector: category.id, municipality: place.area.title}\n"
    content = {"response": {"count": 1, "items": [record], "profiles": [{"id": 7}]}}
    row = of_json(tmp_path, content, own + "records: response.items\n").complaints.iloc[0]
    assert (row["sector"], row["municipality"]) == ("3", "Заречный")
    assert of_json(tmp_path, content).complaints["id"].tolist() == ["1"]
    with pytest.raises(FileError, match=r"no list at 'result\.items'"):
        of_json(tmp_path, content, own + "records: result.items\n")


RECORD = {"id": 1, "date": "2026-11-01", "text": "Яма"}


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"chats": {"list": [{"name": "Двор", "messages": [RECORD]}, {"messages": [{**RECORD, "id": 2}]}]}},
         "chats.list.messages"),
        ([{"type": "header"}, {"type": "table", "name": "t", "data": [RECORD, {**RECORD, "id": 2}]}], "data"),
        ({"pages": [{"items": [RECORD]}, {"items": []}, {"items": [{**RECORD, "id": 2}]}]}, "pages.items"),
    ],
)  # fmt: skip
def test_records_are_found_in_lists_of_lists(tmp_path: Path, content: Any, path: str):
    result = of_json(tmp_path, content)
    assert (result.complaints["id"].tolist(), result.notes) == (["1", "2"], [f"the records are those of {path!r}"])
    own = f"columns: {{id: id, text: text, created_at: date}}\nrecords: {path}\n"
    assert len(of_json(tmp_path, content, own).complaints) == 2


def test_lists_with_one_object_and_empty_objects_are_cells(tmp_path: Path):
    record = RECORD | {"category": [{"id": 3, "name": "Дороги"}], "city": {"name": None}, "topic": []}
    row = of_json(tmp_path, [record]).complaints.iloc[0]
    assert (row["sector"], row["municipality"], row["topic"]) == ("Дороги", None, None)
    own = "columns: {id: id, text: text, created_at: date, sector: category.0.id}\n"
    assert of_json(tmp_path, [record], own).complaints["sector"].tolist() == ["3"]


def test_lines_cut_out_of_an_array_are_read(tmp_path: Path):
    line = json.dumps(RECORD, ensure_ascii=False)
    result = of_text(tmp_path, f"\ufeff[\n{line},\n{line.replace('1,', '2,', 1)}\n]\n", "a.jsonl")
    assert (result.complaints["id"].tolist(), len(result.rejects)) == (["1", "2"], 0)


def test_an_object_without_a_name_is_no_text(tmp_path: Path):
    record = {"id": 1, "date": "2026-11-01", "text": "Яма"}
    result = of_json(tmp_path, [record, {**record, "id": 2, "city": {"code": 5}}])
    assert result.rejects["reason"].tolist()[0].startswith("'city' holds an object and no text")
    assert pd.isna(result.complaints["municipality"].iloc[0])


def test_json_with_one_record_a_line_is_read_as_such(tmp_path: Path):
    lines = [
        '{"id": 1, "date": "2026-11-01", "text": "Яма"}',
        '{"id": 2, "te',
        '{"date": "2026-11-01", "text": "Снег"}',
    ]
    result = of_text(tmp_path, "\n".join(lines), "a.json")
    assert texts(result) == ["Яма", "Снег"]
    assert result.rejects["line"].tolist() == [2]
