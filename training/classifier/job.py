"""What fixes a training run of a classifier: rows, splits, catalogue, arguments. The same job continues the same run.

In: complaints, a catalogue's file, arguments, and the splits of a frozen dataset version where the rows are one's. Out:
a `Job`, known before anything is computed.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from data.catalogue.checks import load_catalogue
from data.catalogue.draft import draft_catalogue
from data.catalogue.model import Catalogue
from data.complaints.schema import LABELS, check_complaints
from data.errors import InputError
from training.arguments import ClassifierTraining
from training.classifier.splits import MIN_ROWS, Rows, Splits, fingerprint, split_rows


@dataclass(frozen=True)
class ReadBefore:
    """What an earlier training of a region need not compute again.

    Attributes:
        vectors: a file of the texts' vectors; read where it is there, written anew with those of this training's texts.
        artifact: of the encoder as it is, in fp32 and int8; None where it is not known.
    """

    vectors: Path
    artifact: Path | None = None


@dataclass(frozen=True)
class Job:
    """Everything that fixes a run: rows, splits, catalogue, arguments; and what need not be computed again for it.

    `judged` names the taught rows that choose, calibrate and measure where they are held out; None: all of them.
    """

    frame: pd.DataFrame
    splits: Splits
    catalogue: Catalogue
    catalogue_yaml: str
    arguments: ClassifierTraining
    fingerprint: str
    read_before: ReadBefore | None = None
    judged: Rows | None = None

    @property
    def key(self) -> str:
        """Names the working folder: the same data, catalogue and arguments continue the same run."""
        fixed = [
            self.fingerprint,
            self.catalogue_yaml,
            self.arguments.model_dump(mode="json"),
            self.splits.test.tolist(),
        ]
        said = json.dumps(fixed)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def measurable(self) -> bool:
        """Whether there are complaints enough to hold some out; with fewer the catalogue's words teach beside them."""
        return len(self.splits.train) >= MIN_ROWS

    @property
    def taught(self) -> pd.DataFrame:
        """The rows that the bundle is fitted on."""
        return self.frame.iloc[self.splits.train].reset_index(drop=True)

    @property
    def kept_back(self) -> pd.DataFrame:
        """The rows that no fit sees; none without `holdout`."""
        return self.frame.iloc[self.splits.test].reset_index(drop=True)


def prepare(
    frame: pd.DataFrame, catalogue_path: Path | None, arguments: ClassifierTraining, splits: Splits | None = None
) -> Job:
    """Check the rows and fix the splits; a row that lacks some labels teaches the others.

    `splits` are those of a frozen dataset version, whose rows all have a label; else they follow from `holdout`.
    Without a catalogue, one is drafted from the training rows alone: combinations seen only in test rows must not
    help. With one its names and descriptions teach too, so that few rows will do, or none.

    Raises:
        InputError: there are rows and none is labelled, or too few and no catalogue to begin with.
        LabelError: a row's labels are not in the given catalogue.
    """
    complaints = check_complaints(frame)
    frame = complaints.dropna(subset=LABELS, how="all").reset_index(drop=True)
    if len(complaints) and frame.empty:
        raise InputError(
            f"none of the complaints has a label to learn from (sector, topic or agency), there are {len(complaints)}; "
            "`--no-complaints` trains on the catalogue's words alone"
        )
    if splits is None and catalogue_path is not None and arguments.holdout == 0:
        splits = Splits(np.arange(len(frame)), np.array([], dtype=np.int64))
    elif splits is None:
        splits = split_rows(frame, arguments.holdout, arguments.seed)
    if len(splits.train) < MIN_ROWS and catalogue_path is None:
        raise InputError(
            f"training needs at least {MIN_ROWS} complaints to learn from, there are {len(splits.train)}; "
            "with a catalogue, whose names teach too, fewer will do"
        )
    if catalogue_path is None:
        text = draft_catalogue(frame.iloc[splits.train], region="")
        catalogue = Catalogue.model_validate(yaml.safe_load(text))
    else:
        text, catalogue = catalogue_path.read_text(encoding="utf-8"), load_catalogue(catalogue_path)
        labelled = frame[LABELS].astype(object).where(frame[LABELS].notna(), None)
        for sector, topic, agency in labelled.itertuples(index=False):
            catalogue.check_labels(sector, topic, agency)
    return Job(frame, splits, catalogue, text, arguments, fingerprint(frame))
