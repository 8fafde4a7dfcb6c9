"""The candidate that fine-tunes the encoder: the same recipe on rows held out in turn, then on all rows.

In: training rows, their tokens, a pretrained encoder. Out: a `TunedEncoder`: what n-grams and a tuned encoder say
of rows that neither has seen, weighed by these very rows, and a way to fit both on all rows. What is finished of it is
kept, so that an interrupted run goes on.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from data.atomic import atomic_file
from models.classifier.heads import LinearHeads
from models.classifier.labels import HEADS, Ints
from models.classifier.ngrams import NgramModel
from models.encoder.architecture import ComplaintNetwork
from training.arguments import ClassifierTraining
from training.classifier.evidence import Factors, fit_factors
from training.classifier.fine_tuning import class_weights, epochs_of, fine_tune
from training.classifier.fit_ngrams import fit_maps, scores_out_of_fold, silent
from training.classifier.heads import moments
from training.classifier.taught_rows import TaughtRows, tokenised
from training.encoder.cached_states import CachedStates, can_cache, encode_with
from training.encoder.pretrained import load_pretrained
from training.encoder.trainer import pad_collator, use_bf16
from training.long_step import LongStep
from training.tracker import TrackedRun

Say = Callable[[str], None]
Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class TunedFit:
    """N-grams and a tuned network, fitted on all rows."""

    ngrams: NgramModel
    heads: LinearHeads
    encoder: Any


@dataclass
class TunedEncoder:
    """Fine-tuning of one job.

    Attributes:
        taught: the training rows.
        vectors: of the encoder as it is, shape (n, hidden): their moments standardise what the heads read.
        tokenizer: the encoder's.
        limit: tokens that are read of a held-out text.
        arguments: the recipe.
        cache: where the packaged encoder is decoded.
        work: the folder of what is finished.
    """

    taught: TaughtRows
    vectors: Floats
    tokenizer: Any
    limit: int
    arguments: ClassifierTraining
    cache: Path
    work: Path
    say: Say
    run: TrackedRun | None = None

    def held_out_scores(self, fold: int) -> Mapping[str, Floats]:
        """What the tuned encoder's heads say of a fold's complaints, tuned without them; shape (rows, labels)."""
        path = self.work / f"tuned-{fold}.npz"
        if not path.exists():
            taught = self.taught
            network = self._tune(np.flatnonzero(taught.folds != fold), self.work / f"checkpoints-{fold}")
            vectors = self._read(network, taught.rows_of([fold]))
            scores: dict[str, Any] = dict(network.linear_heads().logits(vectors))
            with atomic_file(path) as partial, partial.open("wb") as file:
                np.savez(file, allow_pickle=False, **scores)
        return dict(np.load(path))

    @cached_property
    def ngram_scores(self) -> Mapping[str, Floats]:
        """What n-grams say of the rows held out, fitted without their fold; shape (n, labels)."""
        taught = self.taught
        if not self.arguments.ngrams:
            return {head: np.zeros((len(taught.texts), count)) for head, count in taught.label_counts.items()}
        with LongStep("fitting the n-grams alone", self.say) as tell:
            (scores,) = scores_out_of_fold(
                taught.texts,
                [taught.asked],
                taught.targets,
                taught.label_counts,
                taught.folds,
                taught.held_out,
                tell,
            )
            return scores

    def weighed(self, folds: list[int]) -> tuple[Factors, dict[str, Floats], Ints]:
        """The factors that suit the folds best, the logits under them, and the rows these are of."""
        taught = self.taught
        parts = [self.held_out_scores(fold) for fold in folds]
        rows: Ints = np.concatenate([taught.rows_of([fold]) for fold in folds])
        order = np.argsort(rows)
        rows = rows[order]
        encoder = {head: np.concatenate([part[head] for part in parts])[order] for head in HEADS}
        ngrams = {head: self.ngram_scores[head][rows] for head in HEADS}
        factors = fit_factors(
            ngrams,
            encoder,
            {head: taught.targets[head][rows] for head in HEADS},
            {head: taught.row_weights(head)[rows] for head in HEADS},
        )
        return factors, factors.combined(ngrams, encoder), rows

    def fit_all(self, factors: Factors) -> TunedFit:
        """Fit on all rows."""
        taught = self.taught
        with LongStep("fitting the n-grams", self.say) as tell:
            ngrams = fit_maps(taught.texts, taught.targets, taught.label_counts, tell=tell).ngrams
        network = self._tune(np.arange(len(taught.texts)), self.work / "checkpoints-all")
        shutil.rmtree(self.work / "states", ignore_errors=True)
        model = factors.of_ngrams(ngrams) if self.arguments.ngrams else silent(ngrams)
        return TunedFit(model, factors.of_heads(network.linear_heads()), network.encoder)

    def _tune(self, rows: Ints, checkpoints: Path) -> ComplaintNetwork:
        labelled = np.any([self.taught.targets[head][rows] >= 0 for head in HEADS], axis=0)
        return fine_tune(
            self._network(),
            self._tokens,
            rows[labelled],  # a batch without any label has no loss
            self._states,
            self.tokenizer,
            self.arguments,
            epochs_of(self.arguments.epochs, self.taught.complaints),
            checkpoints,
            self.say,
            self.run,
        )

    def _network(self) -> ComplaintNetwork:
        """The encoder as it is under heads that say nothing yet."""
        taught, arguments = self.taught, self.arguments
        encoder, _ = load_pretrained(arguments.encoder, self.cache)
        weights = class_weights(taught.targets, taught.label_counts, arguments.class_weighting)
        hidden = int(encoder.config.hidden_size)
        network = ComplaintNetwork(
            encoder, hidden, taught.label_counts, arguments.dropout, weights, arguments.label_smoothing
        )
        network.freeze(arguments.freeze_embeddings, arguments.frozen_layers)
        zeros = {head: np.zeros((hidden, count), np.float32) for head, count in taught.label_counts.items()}
        bias = {head: np.zeros(count, np.float32) for head, count in taught.label_counts.items()}
        network.set_heads(LinearHeads(zeros, bias, *moments(self.vectors)))
        return network

    @cached_property
    def _tokens(self) -> Any:
        taught, arguments = self.taught, self.arguments
        limit = min(self.limit, arguments.fine_tuning_tokens)
        return tokenised(taught.texts, taught.targets, self.tokenizer, arguments.text_prefix, limit)

    @cached_property
    def _states(self) -> CachedStates | None:
        """Of all rows behind the frozen layers, which no fit changes."""
        network = self._network()
        if not can_cache(network):
            return None
        with LongStep("computing the frozen layers", self.say) as tell, self._autocast():
            path = self.work / "states" / "states.npy"
            encoded = encode_with(network, self._tokens, pad_collator(self.tokenizer), path, tell, pool=False)
        return encoded.states

    def _read(self, network: ComplaintNetwork, rows: Ints) -> Floats:
        """Vectors of some rows, read as far as serving reads a window."""
        texts, targets = self.taught.asked, self.taught.targets
        tokens = tokenised(
            [texts[row] for row in rows.tolist()],
            {head: of_head[rows] for head, of_head in targets.items()},
            self.tokenizer,
            self.arguments.text_prefix,
            self.limit,
        )
        with LongStep("reading the rows held out", self.say) as tell, self._autocast():
            return encode_with(network, tokens, pad_collator(self.tokenizer), None, tell).vectors

    def _autocast(self) -> Any:
        return torch.autocast("cpu", torch.bfloat16, use_bf16(self.arguments.bf16))
