"""The scanner finds what masking would mask, and ids that must be nowhere; of what it finds it tells the kind alone."""

from pathlib import Path

import pytest

from data.store.scanning import Finding, Scanner, unmasked
from data.store.store import Store
from tests.data.store.rows import REGION, decision


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Не вывозят мусор на Садовой", []),
        ("[ИМЯ], тел. [ТЕЛЕФОН], нет воды", []),
        ("Петрова Анна Ивановна, тел. 8 900 123-45-67", ["[ИМЯ]", "[ТЕЛЕФОН]"]),
        ("пишите на ivanov@mail.ru", ["[ПОЧТА]"]),
        ("89001234567890012345678900123456", []),
        ('{"split": "train", "text_key": "9492655084198123"}', []),
        ("bundle 6f9918932466d0d8", []),
        ("карта 4111111111111111", ["[КАРТА]"]),
        ("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", []),
    ],
)
def test_what_masking_would_mask_is_personal_data(text: str, kinds: list[str]) -> None:
    assert unmasked(text) == kinds


def test_unmasked_texts_of_the_store_are_found_and_not_repeated(store: Store) -> None:
    store.decisions.save([decision(id="1"), decision(id="2", text="Звоните Петровой Анне Ивановне, 8 900 123-45-67")])
    store.keys.make("Петрова Анна Ивановна", "operator", None, None)
    (finding,) = store.scan(Scanner())
    assert finding == Finding("decisions.text, row 2", ("[ИМЯ]", "[ТЕЛЕФОН]"))


def test_a_filled_store_has_none(store: Store) -> None:
    from data.store.audit import command_entry

    store.decisions.save([decision()])
    store.keys.make("СЭД", "routing", frozenset({REGION}), None)
    store.audit.save([command_entry("tsur keys make 1")])
    store.erasures.erase(REGION, "1", None, "tsur erase")
    scanner = Scanner(["17"])
    assert list(store.scan(scanner)) == []
    assert scanner.looked_at > 100


def test_files_are_looked_through_by_line_and_other_files_for_ids(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text('{"path": "/v1/classify"}\n{"message": "тел. 8 900 123-45-67"}\n', encoding="utf-8")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.db").write_bytes(b"\0" * ((1 << 20) - 3) + "Ж-17".encode() + b"\0")
    (tmp_path / "c.csv").write_text("id;text\nЖ-171;a\nЖ-17;b\n", encoding="utf-8")
    found = list(Scanner(["Ж-17"]).files([tmp_path]))
    assert found == [
        Finding(f"{tmp_path}/a.log:2", ("[ТЕЛЕФОН]",)),
        Finding(f"{tmp_path}/c.csv:3", ("erased id",)),
        Finding(f"{tmp_path}/sub/b.db", ("erased id",)),
    ]
