"""Rows held out in turn, and what was fitted and counted without them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.catalogue.model import Catalogue
from models.classifier.labels import Ints, LabelSpace
from models.classifier.topic_agency_pmi import TopicAgencyPmi, count_topic_agency

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class HeldOut:
    """Logits of rows by fits that had not seen them.

    Attributes:
        rows: positions among the rows that were taught, rising, shape (n,).
        folds: those of one fold were held out together, shape (n,).
        logits: of each head, shape (n, labels of the head).
    """

    rows: Ints
    folds: Ints
    logits: Mapping[str, Floats]


@dataclass(frozen=True)
class UnseenRows:
    """Labelled complaints, beside what others than they say of them.

    Attributes:
        frame: the complaints, schema COMPLAINTS.
        positions: among all rows held out, shape (n,).
        logits: of each head, by a fit without them, shape (n, labels of the head).
        pmi: of topics and agencies, counted without them.
        seen: the rows that fit and PMI had instead, as positions among those that were taught.
    """

    frame: pd.DataFrame
    positions: Ints
    logits: Mapping[str, Floats]
    pmi: TopicAgencyPmi
    seen: Ints

    def part(self, rows: Ints) -> "UnseenRows":
        """The complaints at these positions of the frame."""
        logits = {head: of_head[rows] for head, of_head in self.logits.items()}
        return replace(self, frame=self.frame.iloc[rows], positions=self.positions[rows], logits=logits)

    def halves(self) -> list["UnseenRows"]:
        """Two halves, drawn by chance."""
        drawn = np.random.default_rng(0).permutation(len(self.positions)) % 2
        return [self.part(np.flatnonzero(drawn == half)) for half in (0, 1)]


def unseen_rows(taught: pd.DataFrame, labels: LabelSpace, catalogue: Catalogue, held_out: HeldOut) -> list[UnseenRows]:
    """The rows of each fold that was held out; `taught` are all rows, of which the folds had the others."""
    places, targets = catalogue.municipality_ids(taught["municipality"]), labels.targets(taught)
    folds = []
    for fold in np.unique(held_out.folds):
        positions = np.flatnonzero(held_out.folds == fold)
        rows = held_out.rows[positions]
        seen = np.setdiff1d(np.arange(len(taught)), rows)
        of_seen = {head: of_head[seen] for head, of_head in targets.items()}
        pmi = count_topic_agency(labels, of_seen, [places[row] for row in seen.tolist()])
        logits = {head: of_head[positions] for head, of_head in held_out.logits.items()}
        folds.append(UnseenRows(taught.iloc[rows], positions, logits, pmi, seen))
    return folds
