"""Fine-tuning on transformers' Trainer: checkpoints every epoch, early stopping, length grouping.

In: rows, splits, labels, arguments. Out: the n-grams and the best network of the run, exported into
a bundle folder. The network learns on top of what n-grams fitted without a row say of it, so that
the two add up. Started again after a kill, it goes on from the last finished epoch and ends with the
same weights as a run that was never killed: the Trainer restores the random state with the rest.
"""

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from data.catalogue.model import Catalogue
from data.errors import EncoderError
from models.classifier.decoding import Floats
from models.classifier.labels import HEADS, Ints, LabelSpace
from models.classifier.ngrams import NgramModel
from models.encoder.architecture import ComplaintNetwork
from models.encoder.source import resolve_encoder
from models.text.model_input import model_input
from training.arguments import ClassifierTraining
from training.classifier.catalogue_rows import WEIGHT as CATALOGUE_WEIGHT
from training.classifier.catalogue_rows import catalogue_rows
from training.classifier.courtesy_augmentation import with_courtesy
from training.classifier.fit_ngrams import draw_folds, fit_maps, out_of_fold, silent
from training.classifier.heads import PENALTY, Rows, choose, fit_mixture, fit_stacked
from training.classifier.splits import text_keys
from training.encoder.cached_states import CachedStates, can_cache, read_rows
from training.encoder.export import check_agreement, export_weights
from training.encoder.trainer import epochs_done, last_checkpoint, make_trainer, run_arguments, use_bf16
from training.evaluate.metrics import head_metrics
from training.heartbeat import Heartbeat, Tell
from training.tracker import TrackedRun

log = logging.getLogger(__name__)
SCORE = "score"
EXPORT_ROWS = 64
"""Texts that show the ranges of the activations and that the exported graph agrees with the network."""
HELD_OUT = "held_out.npz"
"""Logits of the training rows by heads fitted without them; only where nothing is fine-tuned."""


@dataclass(frozen=True)
class Tuned:
    """What serving has to know of a tuned network beside its files."""

    pad_token_id: int
    max_tokens: int


def fit_network(
    rows: tuple[pd.DataFrame, pd.DataFrame],
    labels: LabelSpace,
    catalogue: Catalogue,
    arguments: ClassifierTraining,
    work: Path,
    encoders: Path,
    bundle: Path,
    say: Any,
    run: TrackedRun | None = None,
) -> Tuned:
    """Fit on the first frame of `rows`, keep the epoch best on the second, export the network and the n-grams."""
    import transformers
    from transformers import DataCollatorWithPadding

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    transformers.set_seed(arguments.seed)
    encoder, tokenizer = load_pretrained(arguments.encoder, encoders)
    counts = {head: len(labels.names[head]) for head in HEADS}
    weighting = class_weights(labels, rows[0], arguments.class_weighting)
    network = ComplaintNetwork(
        encoder, encoder.config.hidden_size, counts, arguments.dropout, weighting, arguments.label_smoothing
    )
    network.freeze(arguments.freeze_embeddings, arguments.frozen_layers)
    taught, weight, folds = _taught_rows(rows[0], catalogue, arguments)
    texts = [model_inputs(part, catalogue) for part in (taught, rows[1])]
    targets = [labels.targets(part) for part in (taught, rows[1])]
    say("fitting the n-grams")
    with Heartbeat("fitting the n-grams", say) as tell:
        ngrams, priors = _fit_priors(texts, targets, counts, arguments, folds, tell)
    limit, prefix = token_limit(arguments, encoder.config), arguments.text_prefix
    datasets = [encode_rows(*part, tokenizer, prefix, limit) for part in zip(texts, targets, strict=True)]
    say("reading the rows with the encoder as it is")
    pad = DataCollatorWithPadding(tokenizer)
    keep = work / "states" if can_cache(network) and arguments.epochs else None
    # Where nothing is fine-tuned, the features decide: they are read as exactly as they are served.
    with torch.autocast("cpu", torch.bfloat16, bool(arguments.epochs) and use_bf16(arguments.bf16)):
        read = [read_rows(network, part, pad, keep and keep / f"{n}.npy") for n, part in enumerate(datasets)]
    checkpoint = last_checkpoint(work / "checkpoints")
    if checkpoint:
        say(f"continuing after epoch {epochs_done(checkpoint):.0f} of {arguments.epochs}")
    else:
        say("fitting the heads on the encoder as it is")
        fitting = counts, weight, folds, arguments.class_weighting, arguments.seed
        with Heartbeat("fitting the heads", say) as tell:
            ngrams = _fit_heads(
                network, Rows(texts[0], read[0][0], targets[0], *fitting), ngrams, priors[0], arguments, work, tell
            )
    bundle.mkdir(parents=True, exist_ok=True)
    ngrams.save(bundle)
    if arguments.epochs:
        transformers.set_seed(arguments.seed)
        collators = [_Collator(pad, prior, states) for prior, (_, states) in zip(priors, read, strict=True)]
        trainer = _trainer(network, datasets, collators, arguments, work / "checkpoints", run)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        # In bf16 the Trainer wraps `forward`; unwrapped it computes in fp32 again, as it is exported.
        network = trainer.accelerator.unwrap_model(network, keep_fp32_wrapper=False).to("cpu")
    say("exporting to ONNX")
    some = [torch.tensor([datasets[1][row]["input_ids"]]) for row in range(min(EXPORT_ROWS, len(datasets[1])))]
    export_weights(network, tokenizer, bundle, some)
    check_agreement(network, some, bundle)
    shutil.rmtree(work / "states", ignore_errors=True)
    return Tuned(int(tokenizer.pad_token_id), limit)


def _taught_rows(
    rows: pd.DataFrame, catalogue: Catalogue, arguments: ClassifierTraining
) -> tuple[pd.DataFrame, Floats, npt.NDArray[np.int64]]:
    """Complaints, augmented if asked for, and behind them the catalogue's own words; their weights and folds."""
    words = catalogue_rows(catalogue)
    taught = pd.concat([rows, words], ignore_index=True)
    folds = draw_folds(text_keys(taught["text"]), arguments.seed)
    if arguments.courtesy_augmentation:
        taught["text"] = [*with_courtesy(rows["text"].tolist(), arguments.seed), *words["text"]]
    weight = np.where(np.arange(len(taught)) < len(rows), 1.0, CATALOGUE_WEIGHT)
    return taught, weight, folds


def _fit_heads(
    network: ComplaintNetwork,
    rows: Rows,
    ngrams: NgramModel,
    priors: Mapping[str, Floats],
    arguments: ClassifierTraining,
    work: Path,
    tell: Tell,
) -> NgramModel:
    """Set the network's heads; without fine-tuning also mix in those fitted side by side with n-grams.

    What held-out rows are given then is kept in `work`, complaints first, to calibrate on. Returns the n-grams.
    """
    heads = fit_stacked(rows, priors, dict.fromkeys(HEADS, PENALTY))
    if not arguments.epochs:
        choice = choose(rows, priors, arguments.ngrams, tell)
        if arguments.ngrams:
            ngrams, heads = fit_mixture(rows, ngrams, priors, choice, tell)
        else:
            heads = fit_stacked(rows, priors, choice.penalties)
        held_out: dict[str, Any] = dict(choice.held_out)
        np.savez(work / HELD_OUT, **held_out)
    heads.install(network)
    return ngrams


def model_inputs(rows: pd.DataFrame, catalogue: Catalogue) -> list[str]:
    """What the models read of each row; a place that the catalogue does not know is left out."""
    known = {place.name for place in catalogue.municipalities}
    return [
        model_input(text, place if place in known else None)
        for text, place in zip(rows["text"], rows["municipality"], strict=True)
    ]


def _fit_priors(
    texts: Sequence[Sequence[str]],
    targets: Sequence[Mapping[str, Ints]],
    label_counts: Mapping[str, int],
    arguments: ClassifierTraining,
    folds: npt.NDArray[np.int64],
    tell: Tell,
) -> tuple[NgramModel, list[dict[str, Floats]]]:
    """The n-grams, and what they say of the training rows (out of fold) and of the others."""
    model = fit_maps(texts[0], targets[0], label_counts, arguments.seed, tell=tell).ngrams
    if not arguments.ngrams:
        nothing = [{head: np.zeros((len(part), n), np.float32) for head, n in label_counts.items()} for part in texts]
        return silent(model), nothing
    priors = out_of_fold(texts[0], targets[0], label_counts, arguments.seed, folds, tell)
    return model, [priors, model.logits(texts[1])]


def token_limit(arguments: ClassifierTraining, config: Any) -> int:
    """How many tokens are read: as many as asked for and as the encoder has positions (RoBERTa's begin later)."""
    positions = int(getattr(config, "max_position_embeddings", arguments.max_tokens))
    before = config.pad_token_id + 1 if "roberta" in str(getattr(config, "model_type", "")) else 0
    return min(arguments.max_tokens, positions - before)


def load_pretrained(name: str, cache: Path) -> tuple[Any, Any]:
    """The encoder and its fast tokenizer through transformers' Auto classes.

    Raises:
        EncoderError: neither packaged, nor a folder, nor reachable on the hub.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    where = resolve_encoder(name, cache)
    try:
        tokenizer = AutoTokenizer.from_pretrained(where, use_fast=True)
        config = AutoConfig.from_pretrained(where)
        # Dropout on attention weights costs about a seventh of the time on a CPU.
        if hasattr(config, "attention_probs_dropout_prob"):
            config.attention_probs_dropout_prob = 0.0
        encoder = _without_pooler(AutoModel, where, config)
    except (OSError, ValueError) as error:
        sentence = " ".join(str(error).split())[:160]
        raise EncoderError(
            f"encoder {name!r} cannot be loaded ({sentence}); without a network use "
            "packaged:e5-small-ru or a folder with the downloaded model"
        ) from None
    if not tokenizer.is_fast:
        raise EncoderError(f"encoder {name!r} has no fast tokenizer (tokenizer.json), which serving needs")
    return encoder, tokenizer


def _without_pooler(auto: Any, where: str, config: Any) -> Any:
    """The encoder without BERT's pooler, which nothing reads; other architectures have none to leave out."""
    try:
        return auto.from_pretrained(where, config=config, add_pooling_layer=False)
    except TypeError:
        return auto.from_pretrained(where, config=config)


def class_weights(labels: LabelSpace, rows: pd.DataFrame, weighting: str) -> dict[str, torch.Tensor] | None:
    """Weights of each head's labels, mean 1 over rows: balanced 1/rows, or its square root."""
    if weighting == "none":
        return None
    weights = {}
    for head, targets in labels.targets(rows).items():
        counted = np.bincount(targets[targets >= 0], minlength=len(labels.names[head])).clip(min=1)
        weight = 1.0 / counted if weighting == "balanced" else 1.0 / np.sqrt(counted)
        weights[head] = torch.tensor(weight * counted.sum() / (weight * counted).sum(), dtype=torch.float32)
    return weights


def encode_rows(texts: Sequence[str], targets: Mapping[str, Ints], tokenizer: Any, prefix: str, limit: int) -> Any:
    """A `datasets.Dataset` with `input_ids, attention_mask, sector, topic, agency, length, row`."""
    from datasets import Dataset

    inputs = [prefix + text for text in texts]
    tokens = tokenizer(inputs, truncation=True, max_length=limit, return_token_type_ids=False)
    columns = {head: column.tolist() for head, column in targets.items()}
    lengths = [len(ids) for ids in tokens["input_ids"]]
    return Dataset.from_dict({**tokens, **columns, "length": lengths, "row": range(len(texts))})


def _trainer(
    network: ComplaintNetwork,
    datasets: list[Any],
    collators: list["_Collator"],
    arguments: ClassifierTraining,
    folder: Path,
    tracked: TrackedRun | None,
) -> Any:
    from transformers import EarlyStoppingCallback

    run = run_arguments(
        arguments,
        folder,
        load_best_model_at_end=True,
        metric_for_best_model=SCORE,
        greater_is_better=True,
        label_names=list(HEADS),
        restore_callback_states_from_checkpoint=True,  # the patience of early stopping is one of them
    )
    return make_trainer(
        network,
        datasets,
        collators,
        run,
        optimizer=_optimizer(network, arguments),
        what="fine-tuning",
        callbacks=[EarlyStoppingCallback(arguments.patience)],
        compute_metrics=_validation_metrics,
        run=tracked,
    )


class _Collator:
    """A batch for the network: padded tokens or the kept states instead, targets and priors."""

    def __init__(self, pad: Any, priors: Mapping[str, Floats], states: CachedStates | None) -> None:
        self._pad = pad
        self._priors = {head: torch.from_numpy(prior) for head, prior in priors.items()}
        self._states = states

    def __call__(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        rows = [feature["row"] for feature in features]
        batch = dict(self._pad([{k: v for k, v in f.items() if k not in ("length", "row")} for f in features]))
        batch["priors"] = {head: prior[rows] for head, prior in self._priors.items()}
        if self._states is not None:
            width = batch.pop("input_ids").shape[1]
            batch["states"] = self._states.padded(rows, width)
        return batch


def _optimizer(network: ComplaintNetwork, arguments: ClassifierTraining) -> torch.optim.Optimizer:
    """AdamW; no decay for biases and layer norms; the new heads learn faster than the encoder."""
    groups: list[dict[str, Any]] = []
    for module, rate in (
        (network.encoder, arguments.learning_rate),
        (network.heads, arguments.head_learning_rate),
    ):
        named = [(n, p) for n, p in module.named_parameters() if p.requires_grad]
        plain = [p for n, p in named if p.ndim == 1]
        decayed = [p for n, p in named if p.ndim > 1]
        groups.append({"params": decayed, "lr": rate, "weight_decay": arguments.weight_decay})
        groups.append({"params": plain, "lr": rate, "weight_decay": 0.0})
    return torch.optim.AdamW([group for group in groups if group["params"]], fused=True)


def _validation_metrics(prediction: Any) -> dict[str, float]:
    """Accuracy and macro-F1 of each bare head; `score` is the mean accuracy that picks the epoch."""
    out: dict[str, float] = {}
    for head, scores, targets in zip(HEADS, prediction.predictions, prediction.label_ids, strict=True):
        figures = head_metrics(np.asarray(targets), np.asarray(scores))
        out[f"{head}.accuracy"], out[f"{head}.macro_f1"] = figures.accuracy, figures.macro_f1
    return out | {SCORE: float(np.mean([out[f"{head}.accuracy"] for head in HEADS]))}
