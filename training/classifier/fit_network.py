"""The network of a region's classifier: an encoder, its heads and the n-grams beside them, fitted on the region's rows.

In: rows that teach, arguments. Out: a `FittedNetwork`: heads, n-grams, the encoder's artifact, and
what fits without them said of rows held out. Two candidates stand against each other on the same held-out rows: heads
on the encoder as it is, and the encoder fine-tuned; the better one is fitted on all rows. So no size of data is
worse off for fine-tuning. Where the encoder stays as it is, its artifact depends on no row: regions share it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data.atomic import atomic_file, atomic_folder
from models.classifier.heads import LinearHeads
from models.classifier.labels import HEADS, Ints, LabelSpace
from models.classifier.ngrams import NgramModel
from models.encoder.artifact import ENCODERS, Precision, encoder_files, link_encoder
from models.encoder.onnx_runtime import Encoders, OnnxEncoder
from training.arguments import ClassifierTraining
from training.classifier.fine_tuning import LEAST_ROWS, epochs_of
from training.classifier.frozen_heads import Candidate, RowVectors, frozen_heads
from training.classifier.held_out_rows import HeldOut
from training.classifier.job import ReadBefore
from training.classifier.remembered_vectors import RememberedVectors
from training.classifier.taught_rows import TaughtRows
from training.classifier.tuned_encoder import TunedEncoder
from training.encoder.export import export_encoder
from training.encoder.pretrained import load_pretrained, token_limit
from training.evaluate.metrics import head_metrics
from training.long_step import LongStep, Tell
from training.tracker import TrackedRun

Say = Callable[[str], None]
Floats = npt.NDArray[np.floating]
HELD_OUT = "held_out.npz"
ROWS, FOLDS = "rows", "folds"
"""Keys of that file beside the heads."""
ABOUT = "fitted.json"
READ_AT_ONCE = 1000
"""Texts between two signs of life; of so many, several have each length and share a batch."""
FROZEN, TUNED = "heads on the encoder as it is", "the fine-tuned encoder"


@dataclass(frozen=True)
class FittedNetwork:
    """What fitting leaves behind for a bundle.

    Attributes:
        encoder_hash: of the encoder's artifact, which lies in `encoders` of the working folder.
        max_tokens: that are read of a window.
        epochs: that the encoder was fine-tuned; 0 where it is as it was.
        chosen: a sentence on which candidate was chosen, and why.
    """

    encoder_hash: str
    max_tokens: int
    epochs: int
    chosen: str
    heads: LinearHeads
    ngrams: NgramModel
    held_out: HeldOut

    def save(self, folder: Path) -> None:
        """Write all of it, as exact as a bundle stores it; a kill leaves the whole or nothing."""
        held_out: dict[str, Any] = {ROWS: self.held_out.rows, FOLDS: self.held_out.folds, **self.held_out.logits}
        about = {name: getattr(self, name) for name in ("encoder_hash", "max_tokens", "epochs", "chosen")}
        with atomic_folder(folder) as partial:
            self.heads.save(partial)
            self.ngrams.save(partial)
            np.savez(partial / HELD_OUT, allow_pickle=False, **held_out)
            (partial / ABOUT).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, labels: LabelSpace) -> "FittedNetwork":
        """Read what `save` wrote."""
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        arrays = dict(np.load(folder / HELD_OUT))
        held_out = HeldOut(arrays[ROWS], arrays[FOLDS], {head: arrays[head] for head in HEADS})
        ngrams = NgramModel.load(folder, labels.counts)
        return cls(**about, heads=LinearHeads.load(folder), ngrams=ngrams, held_out=held_out)


@dataclass(frozen=True)
class Places:
    """Where fitting reads and writes.

    Attributes:
        work: of the run; the encoder's artifact goes there.
        encoders: where the packaged encoder is decoded.
        read_before: what need not be computed again.
    """

    work: Path
    encoders: Path
    read_before: ReadBefore | None = None


def fit_network(
    taught: TaughtRows, arguments: ClassifierTraining, places: Places, say: Say, run: TrackedRun | None = None
) -> FittedNetwork:
    """Fit on all of `taught`. An interrupted run goes on with what it has not finished.

    Raises:
        EncoderError: the encoder cannot be loaded, or has fewer layers than are to be frozen.
        BundleError: its graph differs from it.
    """
    prepare_transformers(arguments.seed)
    work = places.work
    encoder, tokenizer = load_pretrained(arguments.encoder, places.encoders)
    limit = token_limit(arguments.max_tokens, encoder.config)
    address = _artifact(encoder, tokenizer, places, say)
    say("reading the rows with the encoder as it is")
    vectors = _vectors(address, taught, arguments, limit, places, say)
    say("fitting the heads on the encoder as it is, rows held out in turn")
    with LongStep("fitting the heads", say) as tell:
        frozen = frozen_heads(taught, vectors, arguments.ngrams, tell)
    tuned = TunedEncoder(taught, vectors.taught, tokenizer, limit, arguments, places.encoders, work, say, run)
    pays, chosen = _pays(frozen, tuned, say)
    say(chosen)
    say("fitting on all rows")
    if pays:
        factors, logits, rows = tuned.weighed(list(taught.held_out))
        fit = tuned.fit_all(factors)
        heads, ngrams = fit.heads, fit.ngrams
        address = export_encoder(fit.encoder, tokenizer, work / ENCODERS, say)
    else:
        logits, rows = dict(frozen.held_out), taught.held_out_rows
        with LongStep("fitting the heads", say) as tell:
            ngrams, heads = frozen.fit_all(tell)
    epochs = epochs_of(arguments.epochs, taught.complaints) if pays else 0
    held_out = HeldOut(rows, taught.folds[rows], logits)
    return FittedNetwork(address, limit, epochs, chosen, heads, ngrams, held_out)


def _artifact(encoder: Any, tokenizer: Any, places: Places, say: Say) -> str:
    """The encoder as it is, as an artifact in the working folder: made before, or exported now; its hash."""
    before = places.read_before
    if before is not None and before.artifact is not None:
        return link_encoder(before.artifact, places.work / ENCODERS)
    return export_encoder(encoder, tokenizer, places.work / ENCODERS, say)


def prepare_transformers(seed: int) -> None:
    """Transformers without its own bars and warnings, and every generator seeded."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    transformers.set_seed(seed)


def _pays(frozen: Candidate, tuned: TunedEncoder, say: Say) -> tuple[bool, str]:
    """Whether fine-tuning answers the first held-out fold better than heads alone; and the sentence that says so."""
    taught = tuned.taught
    if not taught.held_out:
        return False, f"chosen: {FROZEN}; {taught.complaints} complaints are too few to choose by"
    if epochs_of(tuned.arguments.epochs, taught.complaints) == 0:
        why = (
            "fine-tuning was not asked for (epochs: 0)"
            if tuned.arguments.epochs == 0
            else f"below {LEAST_ROWS} complaints they answer at least as well as a tuned encoder (epochs: 6 tries it)"
        )
        return False, f"chosen: {FROZEN}; {why}"
    say("fine-tuning the encoder, the first fold held out")
    _, logits, rows = tuned.weighed([taught.held_out[0]])
    here = np.isin(taught.held_out_rows, rows)
    of_tuned = _score(taught, logits, rows)
    of_frozen = _score(taught, {head: frozen.held_out[head][here] for head in HEADS}, rows)
    pays = of_tuned > of_frozen
    return pays, (
        f"chosen: {TUNED if pays else FROZEN}; {len(rows)} rows held out, accuracy and macro-F1, mean of the heads: "
        f"{of_tuned:.3f} with {TUNED}, {of_frozen:.3f} with {FROZEN}"
    )


def _score(taught: TaughtRows, logits: Mapping[str, Floats], rows: Ints) -> float:
    """Mean of accuracy and macro-F1 over the heads: the commonest labels count by one, the rarest by the other."""
    figures = [head_metrics(taught.targets[head][rows], logits[head]) for head in HEADS]
    return float(np.nanmean([(of_head.accuracy + of_head.macro_f1) / 2 for of_head in figures]))


def _vectors(
    address: str, taught: TaughtRows, arguments: ClassifierTraining, limit: int, places: Places, say: Say
) -> RowVectors:
    """Vectors of all rows as the exported encoder serves them, wherever it trains; equal texts are read once.

    As it is asked a row is read where it is held out: of many rows most are not, and three in ten texts less are read.
    """
    path = places.work / "vectors.npy"
    if not path.exists():
        held_out = np.isin(taught.folds, taught.held_out)
        wordings = zip(taught.asked, taught.texts, held_out, strict=True)
        asked = [as_asked if is_held_out else as_taught for as_asked, as_taught, is_held_out in wordings]
        texts, row_of = np.unique(np.array([*taught.texts, *asked], dtype=object), return_inverse=True)
        inputs = [arguments.text_prefix + text for text in texts]
        precision: Precision = "fp32" if arguments.precision == "fp32" else "int8"
        known = None if places.read_before is None else places.read_before.vectors
        remembered = RememberedVectors(known, f"{address} {precision} {limit}")
        folder = places.work / ENCODERS
        encoder = Encoders(cached=0, folder=folder).load(encoder_files(folder / address, precision))
        with LongStep("reading the rows", say) as tell:
            read = remembered.of(inputs, lambda part: _read(encoder, part, limit, tell))
        remembered.save()
        with atomic_file(path) as partial, partial.open("wb") as file:
            np.save(file, read[row_of])
    return RowVectors(*np.split(np.load(path), 2))


def _read(encoder: OnnxEncoder, texts: Sequence[str], limit: int, tell: Tell) -> Floats:
    """Vectors of texts, shape (n, hidden)."""
    parts = []
    for start in range(0, len(texts), READ_AT_ONCE):
        tell(f"text {start} of {len(texts)}")
        with encoder.reading(texts[start : start + READ_AT_ONCE], limit) as finish:
            parts.append(finish().values)
    return np.concatenate(parts)
