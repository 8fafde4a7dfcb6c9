"""Complaints whose labels an encoder has learnt: a classifier on it is not judged by them, for they were taught.

In: an encoder's name, a job. Out: the keys of the complaints that taught the encoder, and the job as it may be done on
it: only rows that it does not know choose, calibrate and measure. An adapted encoder (`tsur adapt`), that of a
fine-tuned classifier, and a student of such know some; the keys are kept with the run that made the encoder, and in a
student's folder.
"""

import json
from collections.abc import Callable, Set
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from data.errors import BundleError, InputError
from models.encoder.source import CONTENT, REGISTERED
from registry.client import Registry
from registry.encoders import ENCODER, encoder_version
from training.classifier.job import Job
from training.classifier.splits import MIN_ROWS, complaint_keys

ENCODER_ROWS = "encoder_rows.json"
"""Artifact of a run, and file of a student's folder: keys of the complaints whose labels taught the encoder."""
KEYS = "complaints"
Say = Callable[[str], None]


def rows_of_encoder(encoder: str, registry: Registry) -> Set[str]:
    """Keys of the complaints whose labels taught an encoder, as a config names it (pinned); none of one as it comes.

    Raises:
        TrackingError: MLflow does not answer.
    """
    if not encoder.startswith(REGISTERED):
        kept = Path(encoder) / ENCODER_ROWS
        return set(json.loads(kept.read_text(encoding="utf-8"))[KEYS]) if kept.is_file() else set()
    version = encoder_version(registry.models.client(), encoder.rpartition(CONTENT)[2])
    return set() if version is None else rows_of_run(ENCODER, version, registry)


def rows_of_run(name: str, version: int, registry: Registry) -> Set[str]:
    """The same of the encoder of a registered version, by what its run kept.

    Raises:
        TrackingError: MLflow does not answer.
    """
    try:
        return set(json.loads(registry.run_artifact(name, version, ENCODER_ROWS))[KEYS])
    except BundleError:  # its encoder is as it comes, and the run kept no such file
        return set()


def encoder_rows(known: Set[str], taught: pd.DataFrame | None = None) -> dict[str, list[str]]:
    """What is kept of an encoder: keys of the complaints known before, and of those that taught it now."""
    now = set() if taught is None else set(complaint_keys(taught).tolist())
    return {KEYS: sorted(known | now)}


def judged_by_unknown(job: Job, known: Set[str], say: Say) -> Job:
    """The job on an encoder that knows some of its complaints; as it was where nothing is held out anyway.

    Raises:
        InputError: it knows rows that are kept back to measure by, or too few are left to calibrate by.
    """
    is_known = np.isin(complaint_keys(job.frame), sorted(known))
    if not (job.measurable and is_known.any()):
        return job
    encoder = job.arguments.encoder
    if is_known[job.splits.test].any():
        raise InputError(
            f"{int(is_known[job.splits.test].sum())} of the {len(job.splits.test)} complaints kept back to measure by "
            f"taught the encoder ({encoder}) their labels: adapt one without them, or choose another encoder"
        )
    unknown = np.flatnonzero(~is_known[job.splits.train])
    if len(unknown) < MIN_ROWS:
        raise InputError(
            f"the encoder ({encoder}) was taught all of these complaints but {len(unknown)}, and {MIN_ROWS} that it "
            "does not know are needed to calibrate by: add newer ones, or adapt it with --set held_out_share=0.2"
        )
    say(
        f"the encoder was taught the labels of {len(job.splits.train) - len(unknown)} complaints; "
        f"choices, calibration and figures go by the other {len(unknown)}"
    )
    return replace(job, judged=unknown)
