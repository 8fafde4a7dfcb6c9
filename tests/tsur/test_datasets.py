"""`tsur dataset`: from files and a real store to a version, and what changed since."""

import json
from pathlib import Path

import pytest

from data.complaints.files import read_complaints, write_complaints
from data.store.store import Store
from tests.conftest import tsur
from tests.data.store.rows import REGION, correction, decision


@pytest.fixture(scope="module")
def home(tmp_path_factory, sample) -> Path:
    """Sixty complaints, two of which operators have spoken of, and a third that only the store knows."""
    home = tmp_path_factory.mktemp("home")
    first = sample.head(60)
    write_complaints(first.head(40), home / "october.jsonl")
    write_complaints(first.tail(20), home / "november.jsonl")
    store = Store(f"sqlite:///{home.resolve()}/store.db", REGION)
    rows = first.head(3).to_dict("records")
    labels = {head: rows[0][head] for head in ("sector", "topic", "agency")}
    known = [decision(source=row["source"], id=row["id"], **labels) for row in rows[:2]]
    store.decisions.save([*known, decision(id="new", **labels), decision(id="never confirmed", **labels)])
    store.corrections.save(
        [
            correction(source=rows[0]["source"], complaint_id=rows[0]["id"], **labels, operator="operator-1"),
            correction(source=rows[1]["source"], complaint_id=rows[1]["id"], **labels, operator="operator-1"),
            correction(complaint_id="new", agency=labels["agency"]),
        ]
    )
    store.close()
    return home


def test_a_month_is_built_another_added_with_the_operators_and_the_difference_told(home):
    quick = ["--set", "wrong_labels=false"]
    first = tsur(home, "dataset", "build", str(home / "october.jsonl"), *quick).stdout
    assert "40 labelled complaints. Nothing stands out." in first
    second = tsur(home, "dataset", "build", str(home / "november.jsonl"), "--add", "--from-store", *quick).stdout
    assert "61 labelled complaints" in second
    folders = sorted((home / "datasets" / REGION).iterdir())
    names = [folder.name for folder in folders if folder.is_dir()]
    assert f"{names[1]} → {home / 'datasets' / REGION / names[1]}" in second
    rows = read_complaints(home / "datasets" / REGION / names[1] / "rows.jsonl")
    assert "never confirmed" not in set(rows["id"])
    assert rows.set_index("id").loc["new", "topic"] is None
    again = tsur(home, "dataset", "build", "--add", "--from-store", *quick).stdout
    assert f"nothing new: these rows are {names[1]}" in again
    told = json.loads(tsur(home, "dataset", "diff", "1", names[1], "--json").stdout)
    assert (told["joined"], told["left"]) == (21, 0)
    assert told["confirmed"] >= 3, "all labels of the first complaint, and what the second shares with it"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["build"], "name files of complaints, or --from-store"),
        (["build", "--from-store", "--out", "OUT", "--add"], "holds no version yet"),
        (["build", "--from-store", "--out", "OUT", "--set", "test_share=0.7"], "test_share"),
        (["diff", "8", "9"], "'8' is no dataset version"),
    ],
    ids=["nothing to read", "nothing to add to", "too much held out", "unknown version"],
)
def test_what_is_wrong_is_said_in_one_sentence(home, tmp_path, arguments, sentence):
    done = tsur(home, "dataset", *[part.replace("OUT", str(tmp_path)) for part in arguments], check=False)
    assert done.returncode == 2
    assert sentence in done.stderr.replace("\n", " ")
