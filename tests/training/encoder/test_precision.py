"""bf16 where the processor multiplies in it, and nowhere else: emulated it is slower than fp32."""

import pytest

from training.encoder import trainer


@pytest.mark.parametrize(
    ("wish", "flags", "used"),
    [
        ("auto", {"avx512f", "avx512_bf16"}, True),
        ("auto", {"amx_bf16"}, True),
        ("auto", {"avx512f", "avx2"}, False),
        ("auto", set(), False),
        ("true", set(), True),
        (True, set(), True),
        ("false", {"avx512_bf16"}, False),
        (False, {"avx512_bf16"}, False),
    ],
)
def test_auto_asks_the_processor_and_a_wish_is_granted(monkeypatch, wish, flags, used):
    monkeypatch.setattr(trainer.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(trainer, "_cpu_flags", lambda: flags)
    assert trainer.use_bf16(wish) is used
