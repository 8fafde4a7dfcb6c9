"""Vectors that were read before are not read again, by the same reader alone, and nothing else is kept."""

import numpy as np

from training.classifier.remembered_vectors import RememberedVectors


class Reader:
    """Reads a text as its length, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts):
        self.asked += texts
        return np.array([[len(text)] for text in texts], dtype=np.float32)


def test_only_new_texts_are_read_and_only_the_last_ones_are_kept(tmp_path):
    path, reader = tmp_path / "region" / "vectors.npz", Reader()
    first = RememberedVectors(path, "encoder int8 192")
    assert first.of(["яма", "свет"], reader).tolist() == [[3], [4]]
    first.save()
    second = RememberedVectors(path, "encoder int8 192")
    assert second.of(["мусор", "яма"], reader).tolist() == [[5], [3]]
    assert reader.asked == ["яма", "свет", "мусор"]
    second.save()
    assert sorted(np.load(path)["vectors"].ravel().tolist()) == [3, 5]
    assert "яма".encode() not in path.read_bytes()


def test_another_reader_takes_nothing_over_and_no_file_is_no_memory(tmp_path):
    path, reader = tmp_path / "vectors.npz", Reader()
    one = RememberedVectors(path, "one")
    one.of(["яма"], reader)
    one.save()
    RememberedVectors(path, "another").of(["яма"], reader)
    plain = RememberedVectors(None, "one")
    plain.of(["яма"], reader)
    plain.save()
    assert reader.asked == ["яма"] * 3
