"""Commands on odd tables: what is read, what is told beside it, and the option that mends an error."""

from pathlib import Path

from tests.conftest import tsur

HEADER = "Номер;Дата;Категория;Текст\n"
ROWS = "1;01.11.2026;ЖКХ;Яма\n2;02.11.2026;ЖКХ;Снег\n"


def write(folder: Path, content: str) -> str:
    (folder / "a.csv").write_text(content, encoding="cp1251")
    return str(folder / "a.csv")


def test_an_import_tells_what_it_left_out_and_why(tmp_path: Path):
    file = write(tmp_path, f"Отчёт;;;\n{HEADER}{ROWS}8 900 000-12-34;02.11.2026;ЖКХ;Лёд\n")
    said = tsur(tmp_path, "import", file, "--no-catalogue", "--out", str(tmp_path / "a.jsonl")).stdout
    assert "note: the column names are on line 2" in said
    assert "2 of 3 rows" in said
    assert "1 × the id is a phone number" in said
    assert "900" not in (tmp_path / "a.rejects.csv").read_text(encoding="utf-8")


def test_labels_of_another_catalogue_are_told_the_options_that_mend_it(tmp_path: Path):
    file = write(tmp_path, HEADER + ROWS.replace("ЖКХ", "Космос"))
    done = tsur(tmp_path, "import", file, "--out", str(tmp_path / "a.jsonl"), check=False)
    assert done.returncode == 2
    assert "none of 2 rows can be used; line 2: sector 'Космос' is not known" in done.stderr
    assert "--no-catalogue takes labels and places as they come" in " ".join(done.stderr.split())


def test_labelled_complaints_are_counted_from_the_export_itself(tmp_path: Path):
    tsur(tmp_path, "counts", write(tmp_path, HEADER + ROWS), "--out", str(tmp_path / "counts.csv"))
    assert (tmp_path / "counts.csv").read_bytes().decode("utf-8-sig").splitlines() == [
        "date;municipality;sector;count",
        "2026-11-01;не указано;ЖКХ;1",
        "2026-11-02;не указано;ЖКХ;1",
    ]
    done = tsur(tmp_path, "counts", write(tmp_path, f"{HEADER}{ROWS}3;;ЖКХ;Лёд\n"), check=False)
    assert "line 4: there is no date; --date gives one" in " ".join(done.stderr.split())
