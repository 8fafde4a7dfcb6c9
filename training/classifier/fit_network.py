"""The network of a region's classifier: an encoder, its heads and the n-grams beside them, fitted on the region's rows.

In: labelled rows, labels, catalogue, arguments. Out: a `FittedNetwork`: heads, n-grams, the encoder's artifact. The
heads are fitted on the encoder as it is; with `epochs` the encoder is then fine-tuned on top of what n-grams fitted
without a row say of it, so that the two add up. Without, the artifact depends on no row: regions share it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from data.atomic import atomic_folder
from data.catalogue.model import Catalogue
from models.classifier.heads import LinearHeads
from models.classifier.labels import HEADS, Ints, LabelSpace
from models.classifier.ngrams import NgramModel
from models.encoder.architecture import ComplaintNetwork
from models.encoder.artifact import ENCODERS
from models.text.model_input import model_input
from training.arguments import ClassifierTraining
from training.classifier.catalogue_rows import WEIGHT as CATALOGUE_WEIGHT
from training.classifier.catalogue_rows import catalogue_rows
from training.classifier.courtesy_augmentation import with_courtesy
from training.classifier.fine_tuning import FedRows, class_weights, fine_tune
from training.classifier.fit_ngrams import draw_folds, fit_maps, out_of_fold, silent
from training.classifier.heads import PENALTY, Rows, choose, fit_mixture, fit_stacked
from training.classifier.splits import text_keys
from training.encoder.cached_states import EncodedRows, can_cache, encode_with
from training.encoder.export import export_encoder
from training.encoder.pretrained import load_pretrained, token_limit
from training.encoder.trainer import last_checkpoint, use_bf16
from training.long_step import LongStep, Tell
from training.tracker import TrackedRun

Say = Callable[[str], None]
Floats = npt.NDArray[np.floating]
HELD_OUT = "held_out.npz"
ABOUT = "fitted.json"


@dataclass(frozen=True)
class FittedNetwork:
    """What fitting leaves behind for a bundle.

    Attributes:
        encoder_hash: of the encoder's artifact, which lies in `encoders` of the working folder.
        max_tokens: that are read of a window.
        held_out: logits of the training rows by heads fitted without them, shape (n, labels of the head); None where
            the encoder was fine-tuned: every row has had a part in that.
    """

    encoder_hash: str
    max_tokens: int
    heads: LinearHeads
    ngrams: NgramModel
    held_out: Mapping[str, Floats] | None

    def save(self, folder: Path) -> None:
        """Write all of it, as exact as a bundle stores it; a kill leaves the whole or nothing."""
        with atomic_folder(folder) as partial:
            self.heads.save(partial)
            self.ngrams.save(partial)
            if self.held_out is not None:
                np.savez(partial / HELD_OUT, allow_pickle=False, **self.held_out)
            about = {"encoder_hash": self.encoder_hash, "max_tokens": self.max_tokens}
            (partial / ABOUT).write_text(json.dumps(about), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, labels: LabelSpace) -> "FittedNetwork":
        """Read what `save` wrote."""
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        held_out = dict(np.load(folder / HELD_OUT)) if (folder / HELD_OUT).exists() else None
        ngrams = NgramModel.load(folder, labels.counts)
        return cls(**about, heads=LinearHeads.load(folder), ngrams=ngrams, held_out=held_out)


@dataclass(frozen=True)
class TaughtRows:
    """Training rows: complaints, and behind them the catalogue's own words.

    Attributes:
        frame: columns `text, municipality, sector, topic, agency`.
        complaints: how many rows, from the first on, are complaints.
        weight: what each row counts.
        folds: which rows are held out together.
    """

    frame: pd.DataFrame
    complaints: int
    weight: Floats
    folds: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Lexical:
    """The n-grams, and their log-probabilities of the training rows (out of fold) and of the validation rows."""

    ngrams: NgramModel
    of_training: Mapping[str, Floats]
    of_validation: Mapping[str, Floats]


def fit_network(
    train: pd.DataFrame,
    validation: pd.DataFrame,
    labels: LabelSpace,
    catalogue: Catalogue,
    arguments: ClassifierTraining,
    work: Path,
    encoders: Path,
    say: Say,
    run: TrackedRun | None = None,
) -> FittedNetwork:
    """Fit on `train`; with epochs keep the one best on `validation`. The encoder's artifact goes to `work`.

    `encoders` is where the packaged encoder is decoded. An interrupted run goes on from its last finished epoch.

    Raises:
        EncoderError: the encoder cannot be loaded, or has fewer layers than are to be frozen.
        BundleError: its graph differs from it.
    """
    prepare_transformers(arguments.seed)
    encoder, tokenizer = load_pretrained(arguments.encoder, encoders)
    network = ComplaintNetwork(
        encoder,
        encoder.config.hidden_size,
        labels.counts,
        arguments.dropout,
        class_weights(labels, train, arguments.class_weighting),
        arguments.label_smoothing,
    )
    network.freeze(arguments.freeze_embeddings, arguments.frozen_layers)
    limit = token_limit(arguments.max_tokens, encoder.config)
    taught = taught_rows(train, catalogue, arguments)
    rows = _fed(taught.frame, labels, catalogue, tokenizer, arguments.text_prefix, limit)
    checked = _fed(validation, labels, catalogue, tokenizer, arguments.text_prefix, limit)
    say("fitting the n-grams")
    with LongStep("fitting the n-grams", say) as tell:
        lexical = _fit_lexical(rows, checked, labels, arguments, taught.folds, tell)
    say("reading the rows with the encoder as it is")
    with LongStep("reading the rows", say) as tell:
        encoded, encoded_checked = _encode(network, (rows, checked), tokenizer, arguments, work, tell)
    ngrams, held_out = lexical.ngrams, None
    checkpoints = work / "checkpoints"
    if last_checkpoint(checkpoints) is None:
        say("fitting the heads on the encoder as it is")
        heads_rows = Rows(
            rows.texts, encoded.vectors, rows.targets, labels.counts,
            taught.weight, taught.folds, arguments.class_weighting, arguments.seed,
        )  # fmt: skip
        with LongStep("fitting the heads", say) as tell:
            heads, ngrams, held_out = _fit_heads(heads_rows, lexical, arguments, tell)
        network.set_heads(heads)
    if arguments.epochs:
        fed = rows.with_network(lexical.of_training, encoded.states)
        fed_checked = checked.with_network(lexical.of_validation, encoded_checked.states)
        network = fine_tune(network, fed, fed_checked, tokenizer, arguments, checkpoints, say, run)
    address = export_encoder(network.encoder, tokenizer, work / ENCODERS, say)
    if held_out is not None:
        held_out = {head: logits[: taught.complaints] for head, logits in held_out.items()}
    return FittedNetwork(address, limit, network.linear_heads(), ngrams, held_out)


def prepare_transformers(seed: int) -> None:
    """Transformers without its own bars and warnings, and every generator seeded."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    transformers.set_seed(seed)


def taught_rows(train: pd.DataFrame, catalogue: Catalogue, arguments: ClassifierTraining) -> TaughtRows:
    """Complaints, augmented if asked for, and behind them the catalogue's own words."""
    words = catalogue_rows(catalogue)
    frame = pd.concat([train, words], ignore_index=True)
    folds = draw_folds(text_keys(frame["text"]), arguments.seed)
    if arguments.courtesy_augmentation:
        frame["text"] = [*with_courtesy(train["text"].tolist(), arguments.seed), *words["text"]]
    weight = np.where(np.arange(len(frame)) < len(train), 1.0, CATALOGUE_WEIGHT)
    return TaughtRows(frame, len(train), weight, folds)


def model_inputs(rows: pd.DataFrame, catalogue: Catalogue) -> list[str]:
    """What the models read of each row; a municipality that the catalogue does not know is left out."""
    known = {place.name for place in catalogue.municipalities}
    return [
        model_input(text, place if place in known else None)
        for text, place in zip(rows["text"], rows["municipality"], strict=True)
    ]


def _fed(
    rows: pd.DataFrame, labels: LabelSpace, catalogue: Catalogue, tokenizer: Any, prefix: str, limit: int
) -> FedRows:
    """Rows as they are fed to n-grams and network."""
    texts, targets = model_inputs(rows, catalogue), labels.targets(rows)
    return FedRows(texts, targets, _tokenised(texts, targets, tokenizer, prefix, limit))


def _tokenised(texts: list[str], targets: Mapping[str, Ints], tokenizer: Any, prefix: str, limit: int) -> Any:
    """A `datasets.Dataset` with `input_ids, attention_mask, sector, topic, agency, length, row`."""
    from datasets import Dataset

    inputs = [prefix + text for text in texts]
    tokens = tokenizer(inputs, truncation=True, max_length=limit, return_token_type_ids=False)
    columns = {head: column.tolist() for head, column in targets.items()}
    lengths = [len(ids) for ids in tokens["input_ids"]]
    return Dataset.from_dict({**tokens, **columns, "length": lengths, "row": range(len(texts))})


def _fit_lexical(
    rows: FedRows,
    checked: FedRows,
    labels: LabelSpace,
    arguments: ClassifierTraining,
    folds: npt.NDArray[np.int64],
    tell: Tell,
) -> Lexical:
    """The n-grams; without `ngrams` in the arguments they say nothing of anything."""
    model = fit_maps(rows.texts, rows.targets, labels.counts, arguments.seed, tell=tell).ngrams
    if not arguments.ngrams:
        nothing = [
            {head: np.zeros((len(part.texts), count), np.float32) for head, count in labels.counts.items()}
            for part in (rows, checked)
        ]
        return Lexical(silent(model), nothing[0], nothing[1])
    of_training = out_of_fold(rows.texts, rows.targets, labels.counts, arguments.seed, folds, tell)
    return Lexical(model, of_training, model.logits(checked.texts))


def _encode(
    network: ComplaintNetwork,
    parts: tuple[FedRows, FedRows],
    tokenizer: Any,
    arguments: ClassifierTraining,
    work: Path,
    tell: Tell,
) -> tuple[EncodedRows, EncodedRows]:
    """Vectors of the training and the validation rows; before fine-tuning, states behind the frozen layers too.

    Without fine-tuning the vectors decide, so they are read in fp32, as exactly as they are served.
    """
    from transformers import DataCollatorWithPadding

    pad = DataCollatorWithPadding(tokenizer)
    caching = bool(arguments.epochs) and can_cache(network)
    train, validation = (work / "states" / name for name in ("train.npy", "validation.npy"))
    with torch.autocast("cpu", torch.bfloat16, bool(arguments.epochs) and use_bf16(arguments.bf16)):
        encoded = encode_with(network, parts[0].tokens, pad, train if caching else None, tell)
        if not arguments.epochs:
            return encoded, encoded  # nobody asks for the validation rows then
        return encoded, encode_with(network, parts[1].tokens, pad, validation if caching else None, tell)


def _fit_heads(
    rows: Rows, lexical: Lexical, arguments: ClassifierTraining, tell: Tell
) -> tuple[LinearHeads, NgramModel, Mapping[str, Floats] | None]:
    """Heads and n-grams; where nothing will be fine-tuned also what heads fitted without them say of the rows.

    Then stacked heads are mixed with those fitted side by side with n-grams, as held-out rows choose.
    """
    if arguments.epochs:
        return fit_stacked(rows, lexical.of_training, dict.fromkeys(HEADS, PENALTY)), lexical.ngrams, None
    choice = choose(rows, lexical.of_training, arguments.ngrams, tell)
    if not arguments.ngrams:
        return fit_stacked(rows, lexical.of_training, choice.penalties), lexical.ngrams, choice.held_out
    ngrams, heads = fit_mixture(rows, lexical.ngrams, lexical.of_training, choice, tell)
    return heads, ngrams, choice.held_out
