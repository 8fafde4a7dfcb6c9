"""The demo of retraining, in its short form and on a tiny encoder: its figures hold."""

import json
from pathlib import Path

from tests.conftest import tsur
from tests.serving.conftest import free_port
from tests.training.tiny import write_tiny_encoder


def test_corrections_teach_the_running_service_poisoned_ones_are_refused_and_a_rollback_goes_back(tmp_path: Path):
    encoder = write_tiny_encoder(tmp_path / "tiny")
    settings = [f"encoder={encoder}", "max_tokens=32", "precision=fp32"]
    chosen = [part for each in settings for part in ("--set", each)]
    done = tsur(
        tmp_path / "home", "demo-retraining", "--short", "--port", str(free_port()), *chosen, OMP_NUM_THREADS="1"
    )
    shown = json.loads((tmp_path / "home" / "demo-retraining" / "demo.json").read_text(encoding="utf-8"))
    assert shown["right_before"] == shown["right_back"], "the very same model"
    assert shown["right_before"] < shown["questions"] / 2 <= shown["right_after"]
    assert shown["passed"].startswith("Passed on ")
    assert shown["refused"].startswith("Refused, ")
    assert "Реклама и спам" in shown["refused"]
    first, second, still, back = shown["versions"]
    assert first == back != second == still
    assert "the demo goes back" in done.stdout
