"""Whether int8 may serve: a region's decisions by the int8 graph of its encoder against those by the fp32 graph.

In: a bundle, and real texts of its region with their municipalities. Out: the precision that serves, and the share of
texts that keep their label, for each head. The encoder is quantised once for all regions; what that changes depends on
each region's heads, so a bundle whose decisions change too much asks for the fp32 graph of the same encoder.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from data.errors import BundleError
from data.settings import CHECKOUT
from models.classifier.bundle import ClassifierBundle
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from models.classifier.smoke import SMOKE, smoke_of
from models.encoder.artifact import Precision
from models.encoder.onnx_runtime import Encoders
from training.long_step import Counted, LongStep, Tell, quiet

Wish = Literal["auto", "int8", "fp32"]
AGREEMENT = 0.99
"""Share of texts that must keep their label, for each head."""
CHECKED_TEXTS = 512
"""At this many a true share of 99 % is measured to within 0.9 points (two standard errors), in seconds."""
TEXTS_AT_ONCE = 64
"""Between two lines of progress."""


@dataclass(frozen=True)
class Checked:
    """What serves, and the share of texts to which it gives the same label as fp32, for each head."""

    precision: Precision
    agreement: Mapping[str, float]


SMOKE_TEXTS = CHECKOUT / "data" / "samples" / "quantisation.txt"
"""The project's own words: a bundle may hold them."""
FP32_AGREES = dict.fromkeys(HEADS, 1.0)
"""With itself."""


def agreement(
    one: Classifier, other: Classifier, texts: Sequence[str], places: Sequence[str | None], tell: Tell = quiet
) -> dict[str, float]:
    """Share of texts to which both give the same label, for each head."""
    same = dict.fromkeys(HEADS, 0)
    for start in Counted(range(0, len(texts), TEXTS_AT_ONCE), "part", tell):
        part = slice(start, start + TEXTS_AT_ONCE)
        by_one, by_other = (classifier.classify(texts[part], places[part]) for classifier in (one, other))
        for a, b in zip(by_one, by_other, strict=True):
            for head in HEADS:
                same[head] += getattr(a, head).label == getattr(b, head).label
    return {head: count / max(len(texts), 1) for head, count in same.items()}


def checked_precision(
    bundle: ClassifierBundle,
    encoders: Encoders,
    texts: Sequence[str],
    places: Sequence[str | None],
    wish: Wish,
    say: Callable[[str], None],
) -> Checked:
    """Compare the decisions of int8 with those of fp32 on the last of the texts.

    Where they differ too much, `auto` serves fp32 instead.

    Raises:
        BundleError: they differ too much, and `int8` was asked for.
    """
    if wish == "fp32":
        return Checked("fp32", FP32_AGREES)
    texts, places = texts[-CHECKED_TEXTS:], places[-CHECKED_TEXTS:]
    say(f"comparing the decisions of int8 and fp32 on {len(texts)} texts")
    small, plain = Classifier(bundle, encoders, "int8"), Classifier(bundle, encoders, "fp32")
    with LongStep("comparing the decisions", say) as tell:
        shares = agreement(small, plain, texts, places, tell)
    worst = min(shares, key=lambda head: shares[head])
    if shares[worst] >= AGREEMENT:
        return Checked("int8", shares)
    sentence = (
        f"int8 gives {shares[worst]:.1%} of {len(texts)} texts the same {worst} as fp32, fewer than {AGREEMENT:.0%}"
    )
    if wish == "int8":
        raise BundleError(f"{sentence}: train with precision: fp32, or auto")
    say(f"{sentence}: the bundle asks for fp32")
    return Checked("fp32", FP32_AGREES)


def write_smoke(bundle: ClassifierBundle, encoders: Encoders) -> None:
    """Put into the bundle's folder what fp32 says of the smoke texts, for whoever loads it elsewhere."""
    smoke = smoke_of(Classifier(bundle, encoders, "fp32"), SMOKE_TEXTS.read_text(encoding="utf-8").splitlines())
    (bundle.folder / SMOKE).write_text(smoke.model_dump_json(), encoding="utf-8")
