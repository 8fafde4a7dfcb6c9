"""Complaints as JSONL: written and read back, and bad lines named."""

from pathlib import Path

import pandas as pd
import pytest

from data.catalogue.checks import load_catalogue
from data.complaints.files import read_complaints, write_complaints
from data.complaints.importing import import_complaints
from data.complaints.sources import load_source
from data.errors import FileError, InputError
from data.settings import CHECKOUT

EXPORTS = CHECKOUT / "data" / "samples" / "exports"


def test_written_complaints_are_read_back_the_same(tmp_path: Path):
    catalogue = load_catalogue(CHECKOUT / "configs" / "regions" / "verkhnerechye" / "catalogue.yaml")
    source = load_source("dobrodel", CHECKOUT / "configs" / "sources", timezone="Europe/Moscow")
    frame = import_complaints(EXPORTS / "dobrodel.json", source, catalogue).complaints
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
