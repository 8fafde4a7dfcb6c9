"""`tsur import-outcomes` and `tsur report`: from a file of outcomes to one page, in the region's own store."""

from datetime import date
from pathlib import Path

from data.store.store import Store
from tests.conftest import tsur
from tests.data.store.rows import REGION, decision


def test_outcomes_come_in_once_and_the_week_is_one_page(tmp_path: Path):
    store = Store(f"sqlite:///{tmp_path}/store.db", REGION)
    store.decisions.save([decision(id=str(n), source="pos", day=date(2026, 11, 10)) for n in range(30)])
    store.close()
    file = tmp_path / "outcomes.csv"
    lines = "".join(f"{n};12.11.2026 10:00\n" for n in range(31))
    file.write_text("Номер;Ответ дан\n" + lines, encoding="utf-8")
    said = tsur(tmp_path, "import-outcomes", str(file), "--source", "pos").stdout
    assert "30 events of 31 rows stored, 0 were there already" in said
    assert "1 × no complaint … of source … was classified here" in said
    assert "no complaint '30'" in (tmp_path / "outcomes.rejects.csv").read_text(encoding="utf-8")
    again = tsur(tmp_path, "import-outcomes", str(file), "--source", "pos").stdout
    assert "0 events of 31 rows stored, 30 were there already" in again
    said = tsur(tmp_path, "report", "--week", "2026-W46", "--out", str(tmp_path / "week.pdf")).stdout
    assert "2026-11-09 to 2026-11-15" in said
    assert (tmp_path / "week.pdf").read_bytes().startswith(b"%PDF-")
    wrong = tsur(tmp_path, "report", "--week", "47", check=False)
    assert wrong.returncode == 2
    assert "write it as 2026-W47" in wrong.stderr
