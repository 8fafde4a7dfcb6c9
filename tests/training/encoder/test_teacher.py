"""The teacher's answers: each part is read once, whoever is killed or comes later."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from datasets import Dataset  # noqa: E402
from tokenizers import Tokenizer, models  # noqa: E402
from transformers import DataCollatorWithPadding, PreTrainedTokenizerFast  # noqa: E402

from tests.training.tiny import tiny_network  # noqa: E402
from training.encoder import teacher as module  # noqa: E402
from training.encoder.teacher import Answers, Teacher, answer  # noqa: E402


class KilledError(Exception):
    """Stands for a kill."""


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PART", 4)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    words = Tokenizer(models.WordLevel({"<s>": 0, "<pad>": 1, "<unk>": 2}, unk_token="<unk>"))
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>")


@pytest.fixture(scope="module")
def teacher(tokenizer: Any) -> Teacher:
    return Teacher("tiny", tiny_network("Bert").eval(), tokenizer, "", has_heads=False)


def encoded(rows: int) -> Any:
    lengths = [2 + n % 5 for n in range(rows)]
    ids = [[4 + (n + place) % 40 for place in range(length)] for n, length in enumerate(lengths)]
    masks = [[1] * length for length in lengths]
    return Dataset.from_dict({"input_ids": ids, "attention_mask": masks, "length": lengths, "row": range(rows)})


def answers(teacher: Teacher, rows: int, cache: Path, said: list[str], bf16: bool = False) -> Answers:
    return answer(teacher, encoded(rows), DataCollatorWithPadding(teacher.tokenizer), cache, bf16, said.append)


def test_parts_that_are_there_are_not_read_again(teacher: Teacher, tmp_path: Path):
    first: list[str] = []
    before = answers(teacher, 10, tmp_path, first)
    assert first == [f"the teacher reads texts {a} to {b} of 10" for a, b in ((1, 4), (5, 8), (9, 10))]
    again: list[str] = []
    after = answers(teacher, 10, tmp_path, again)
    assert again == []
    np.testing.assert_array_equal(after.pooled, before.pooled)
    assert torch.equal(after.states([9, 0, 5], 6), before.states([9, 0, 5], 6))
    longer: list[str] = []
    answers(teacher, 14, tmp_path, longer)
    assert longer == ["the teacher reads texts 9 to 12 of 14", "the teacher reads texts 13 to 14 of 14"]


def test_a_part_that_was_not_finished_is_read_again_and_no_other(
    teacher: Teacher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = answers(teacher, 10, tmp_path / "whole", [])
    encode_with, calls = module.encode_with, []

    def killed_in_the_second(*given: Any) -> Any:
        calls.append(given)
        done = encode_with(*given)
        if len(calls) == 2:
            raise KilledError
        return done

    monkeypatch.setattr(module, "encode_with", killed_in_the_second)
    with pytest.raises(KilledError):
        answers(teacher, 10, tmp_path / "cache", [])
    said: list[str] = []
    resumed = answers(teacher, 10, tmp_path / "cache", said)
    assert said == ["the teacher reads texts 5 to 8 of 10", "the teacher reads texts 9 to 10 of 10"]
    np.testing.assert_array_equal(resumed.pooled, whole.pooled)


def test_answers_in_another_precision_or_of_another_teacher_are_others(teacher: Teacher, tmp_path: Path):
    answers(teacher, 4, tmp_path, [])
    said: list[str] = []
    answers(teacher, 4, tmp_path, said, bf16=True)
    other = Teacher("other", teacher.network, teacher.tokenizer, "", has_heads=False)
    answers(other, 4, tmp_path, said)
    assert len(said) == 2
