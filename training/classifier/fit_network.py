"""The network of a region's classifier: an encoder, its heads and the n-grams beside them, fitted on the region's rows.

In: labelled rows, labels, catalogue, arguments. Out: a `FittedNetwork`: heads, n-grams, the encoder's artifact, and
what fits without them said of rows held out. Two candidates stand against each other on the same held-out rows: heads
on the encoder as it is, and the encoder fine-tuned; the likelier one is fitted on all rows. So no size of data is
worse off for fine-tuning. Where the encoder stays as it is, its artifact depends on no row: regions share it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.atomic import atomic_file, atomic_folder
from data.catalogue.model import Catalogue
from models.classifier.heads import LinearHeads
from models.classifier.labels import HEADS, Ints, LabelSpace
from models.classifier.ngrams import NgramModel
from models.encoder.architecture import ComplaintNetwork
from models.encoder.artifact import ENCODERS
from training.arguments import ClassifierTraining
from training.classifier.evidence import least_cross_entropy
from training.classifier.fine_tuning import epochs_of
from training.classifier.frozen_heads import Candidate, frozen_heads
from training.classifier.taught_rows import TaughtRows, taught_rows, tokenised
from training.classifier.tuned_encoder import TunedEncoder
from training.encoder.cached_states import encode_with
from training.encoder.export import export_encoder
from training.encoder.pretrained import load_pretrained, token_limit
from training.encoder.trainer import pad_collator
from training.long_step import LongStep
from training.tracker import TrackedRun

Say = Callable[[str], None]
Floats = npt.NDArray[np.floating]
HELD_OUT = "held_out.npz"
ROWS, FOLDS = "rows", "folds"
"""Keys of that file beside the heads."""
ABOUT = "fitted.json"
FROZEN, TUNED = "heads on the encoder as it is", "the fine-tuned encoder"


@dataclass(frozen=True)
class HeldOut:
    """What fits without them said of rows held out in turn.

    Attributes:
        rows: positions among the rows that were taught, rising, shape (n,).
        folds: those of one fold were held out together, shape (n,).
        logits: of each head, shape (n, labels of the head).
    """

    rows: Ints
    folds: Ints
    logits: Mapping[str, Floats]


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


def fit_network(
    train: pd.DataFrame,
    labels: LabelSpace,
    catalogue: Catalogue,
    arguments: ClassifierTraining,
    work: Path,
    encoders: Path,
    say: Say,
    run: TrackedRun | None = None,
) -> FittedNetwork:
    """Fit on all of `train`; the encoder's artifact goes to `work`.

    `encoders` is where the packaged encoder is decoded. An interrupted run goes on with what it has not finished.

    Raises:
        EncoderError: the encoder cannot be loaded, or has fewer layers than are to be frozen.
        BundleError: its graph differs from it.
    """
    prepare_transformers(arguments.seed)
    encoder, tokenizer = load_pretrained(arguments.encoder, encoders)
    limit = token_limit(arguments.max_tokens, encoder.config)
    taught = taught_rows(train, labels, catalogue, arguments)
    say("reading the rows with the encoder as it is")
    vectors = _vectors(encoder, tokenizer, taught, arguments.text_prefix, limit, work, say)
    say("fitting the heads on the encoder as it is, rows held out in turn")
    with LongStep("fitting the heads", say) as tell:
        frozen = frozen_heads(taught, vectors, arguments.ngrams, tell)
    tuned = TunedEncoder(taught, vectors, tokenizer, limit, arguments, encoders, work, say, run)
    pays, chosen = _pays(frozen, tuned, say)
    say(chosen)
    if pays:
        factors, logits, rows = tuned.weighed(list(taught.held_out))
        say("fitting on all rows")
        fit = tuned.fit_all(factors)
        heads, ngrams, encoder = fit.heads, fit.ngrams, fit.encoder
    else:
        say("fitting on all rows")
        with LongStep("fitting the heads", say) as tell:
            ngrams, heads = frozen.fit_all(tell)
        logits, rows = dict(frozen.held_out), taught.held_out_rows
    address = export_encoder(encoder, tokenizer, work / ENCODERS, say)
    held_out = HeldOut(rows, taught.folds[rows], logits)
    epochs = epochs_of(arguments.epochs, len(taught.texts)) if pays else 0
    return FittedNetwork(address, limit, epochs, chosen, heads, ngrams, held_out)


def prepare_transformers(seed: int) -> None:
    """Transformers without its own bars and warnings, and every generator seeded."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    transformers.set_seed(seed)


def _pays(frozen: Candidate, tuned: TunedEncoder, say: Say) -> tuple[bool, str]:
    """Whether fine-tuning tells the rows of the first held-out fold better than heads alone; and the sentence."""
    if tuned.arguments.epochs == 0:
        return False, f"chosen: {FROZEN}, for fine-tuning was not asked for (epochs: 0)"
    say("fine-tuning the encoder, the first fold held out")
    first = tuned.taught.held_out[0]
    _, logits, rows = tuned.weighed([first])
    of_frozen = {head: frozen.held_out[head][np.isin(tuned.taught.held_out_rows, rows)] for head in HEADS}
    losses = {name: _mean_loss(tuned.taught, said, rows) for name, said in ((FROZEN, of_frozen), (TUNED, logits))}
    accuracy = {name: _mean_accuracy(tuned.taught, said, rows) for name, said in ((FROZEN, of_frozen), (TUNED, logits))}
    better = min(losses, key=lambda name: losses[name])
    told = " against ".join(
        f"{losses[name]:.3f} nats and {accuracy[name]:.1%} right with {name}" for name in (TUNED, FROZEN)
    )
    return better == TUNED, f"chosen: {better}; {len(rows)} rows held out, mean of the heads: {told}"


def _mean_loss(taught: TaughtRows, logits: Mapping[str, Floats], rows: Ints) -> float:
    return float(
        np.mean(
            [
                least_cross_entropy(logits[head], taught.targets[head][rows], taught.row_weights(head)[rows])
                for head in HEADS
            ]
        )
    )


def _mean_accuracy(taught: TaughtRows, logits: Mapping[str, Floats], rows: Ints) -> float:
    shares = []
    for head in HEADS:
        truth = taught.targets[head][rows]
        known = truth >= 0
        shares.append((logits[head].argmax(axis=1) == truth)[known].mean() if known.any() else 0.0)
    return float(np.mean(shares))


def _vectors(
    encoder: Any, tokenizer: Any, taught: TaughtRows, prefix: str, limit: int, work: Path, say: Say
) -> Floats:
    """Mean-pooled vectors of all rows in fp32, as exactly as they are served; equal texts are read once."""
    path = work / "vectors.npy"
    if not path.exists():
        texts, row_of = np.unique(np.array(taught.texts, dtype=object), return_inverse=True)
        nothing: Ints = np.full(len(texts), -100)
        tokens = tokenised(texts.tolist(), dict.fromkeys(HEADS, nothing), tokenizer, prefix, limit)
        network = ComplaintNetwork(encoder, encoder.config.hidden_size, dict.fromkeys(HEADS, 1))
        with LongStep("reading the rows", say) as tell:
            vectors = encode_with(network, tokens, pad_collator(tokenizer), None, tell).vectors
        with atomic_file(path) as partial, partial.open("wb") as file:
            np.save(file, vectors[row_of])
    read: Floats = np.load(path)
    return read
