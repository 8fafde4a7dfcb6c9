"""Which precision serves: told by the processor's instructions, else by what reads the faster."""

from pathlib import Path

import pytest

from models.encoder import onnx_runtime
from models.encoder.artifact import EncoderFiles
from models.encoder.fastest import int8_is_faster, multiplies_int8


@pytest.mark.parametrize(
    ("flags", "multiplies"), [("fma avx2", False), ("avx2 avx512_vnni", True), ("avx_vnni", True), ("amx_int8", True)]
)
def test_a_processor_says_whether_it_multiplies_int8(tmp_path: Path, flags: str, multiplies: bool):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"flags : fpu {flags} sse2\n")
    assert multiplies_int8(cpuinfo) is multiplies


def test_a_processor_that_says_nothing_is_tried(tmp_path: Path):
    assert not multiplies_int8(tmp_path / "absent")


@pytest.mark.parametrize(("int8_seconds", "faster"), [(0.5, True), (0.95, False), (2.0, False)])
def test_int8_serves_where_it_is_clearly_faster(int8_seconds: float, faster: bool):
    now = [0.0]

    def taking(seconds: float):
        def run(ids):
            now[0] += seconds

        return run

    assert int8_is_faster(taking(int8_seconds), taking(1.0), clock=lambda: now[0]) is faster


@pytest.mark.parametrize(("max_tokens", "read"), [(48, 48), (192, 64)])
def test_no_row_is_measured_that_the_encoder_has_no_positions_for(max_tokens: int, read: int):
    shapes = set()
    int8_is_faster(lambda ids: shapes.add(ids.shape), lambda ids: shapes.add(ids.shape), max_tokens)
    assert shapes == {(1, read)}


@pytest.mark.parametrize(
    ("multiplies", "faster", "chosen"), [(True, False, "a"), (False, True, "a"), (False, False, "b")]
)
def test_the_encoder_that_is_loaded_is_the_faster_and_it_is_tried_once(
    monkeypatch: pytest.MonkeyPatch, multiplies: bool, faster: bool, chosen: str
):
    tried = []

    class Encoder:
        """Stands for an ONNX session, which would have to be written first."""

        def __init__(self, files, pool, cache):
            self.address = files.address

        def run(self, ids):
            """Never asked here."""

    monkeypatch.setattr(onnx_runtime, "OnnxEncoder", Encoder)
    monkeypatch.setattr(onnx_runtime, "multiplies_int8", lambda: multiplies)
    monkeypatch.setattr(onnx_runtime, "int8_is_faster", lambda int8, fp32, tokens: tried.append(tokens) or faster)
    int8, fp32 = (EncoderFiles(name, Path(), Path(), "vectors", name) for name in "ab")
    encoders = onnx_runtime.Encoders(threads=1)
    assert [encoders.load_faster(int8, fp32, max_tokens=48).address for _ in range(2)] == [chosen, chosen]
    assert len(tried) == (0 if multiplies else 1)
