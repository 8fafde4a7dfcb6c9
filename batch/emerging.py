"""`tsur emerging`: a file of complaints in, proposals of new topics out.

Only the complaints that are looked at are classified. The classifier should not have been taught them: of what
it was taught it is surer than of what is new.
"""

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from data.errors import InputError
from models.classifier.classifier import Classifier
from models.topics.emerging import COLUMNS, Emerging, EmergingConfig, emerging_topics, in_window

CHUNK = 256


def emerging_in(
    complaints: pd.DataFrame,
    classifier: Classifier,
    config: EmergingConfig,
    timezone: str,
    progress: Callable[[int], None],
) -> Emerging:
    """Look for new topics in the last days of `complaints`; `progress` gets rows so far.

    Args:
        complaints: schema COMPLAINTS.
        classifier: says which topic each fits, and how surely.
        config: how many days, and how readily.
        timezone: whose midnight ends a day.
        progress: called after each chunk.

    Raises:
        InputError: there is no complaint.
    """
    if complaints.empty:
        raise InputError("there are no complaints to look for new topics in")
    local = complaints["created_at"].dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    frame = complaints.assign(day=local)
    end: date = local.max().date()
    frame = frame.iloc[in_window(frame, end, config)].reset_index(drop=True)
    vectors, topics = [], []
    for start in range(0, len(frame), CHUNK):
        rows = frame.iloc[start : start + CHUNK]
        for item in classifier.classify(
            rows["text"].tolist(), classifier.catalogue.municipality_ids(rows["municipality"])
        ):
            vectors.append(item.features)
            topics.append((item.topic.label, item.topic.confidence, "unlike_training" in item.reasons))
        progress(start + len(rows))
    columns = dict(zip(("topic", "confidence", "unlike"), zip(*topics, strict=True), strict=True))
    return emerging_topics(frame.assign(**columns)[COLUMNS], np.array(vectors), end, config)
