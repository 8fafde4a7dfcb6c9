"""`tsur suggest-labels`: the complaints whose labels would teach most, as a table that an operator fills in.

In: complaints without labels, the champion. Out: a frame, the most instructive first. Margin sampling (Scheffer et al.
2001): where the two likeliest topics are nearly as likely, one word decides between them. A text that comes again is
asked about once.
"""

from collections.abc import Callable, Collection

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.complaints.schema import COLUMNS, LABELS
from models.classifier.classifier import Classifier
from training.classifier.splits import text_keys

Floats = npt.NDArray[np.floating]
READ_AT_ONCE = 256
SUGGESTED = [f"likely {head}" for head in LABELS]


def suggest(
    complaints: pd.DataFrame,
    classifier: Classifier,
    count: int,
    known_texts: Collection[str] = (),
    tell: Callable[[int], None] = lambda rows: None,
) -> pd.DataFrame:
    """The `count` complaints to label, the smallest margin first.

    Columns of COMPLAINTS, the labels empty, and `likely sector, likely topic, likely agency, margin`. Texts that are
    labelled already (`known_texts`: their keys, as `text_keys` makes them) are left out.
    """
    keys = pd.Series(text_keys(complaints["text"]), index=complaints.index)
    fresh = complaints[~keys.isin(list(known_texts)) & ~keys.duplicated()].reset_index(drop=True)
    places = classifier.catalogue.municipality_ids(fresh["municipality"])
    texts, said = fresh["text"].tolist(), []
    for start in range(0, len(texts), READ_AT_ONCE):
        tell(start)
        part = slice(start, start + READ_AT_ONCE)
        said += classifier.classify(texts[part], places[part])
    margins = np.array([each.topic_margin for each in said])
    order = np.argsort(margins, kind="stable")[:count]
    labels = {head: [getattr(said[row], head).label for row in order.tolist()] for head in LABELS}
    chosen = fresh.iloc[order].reset_index(drop=True)
    empty = chosen.assign(**dict.fromkeys(LABELS, None))[COLUMNS]
    return empty.assign(**{f"likely {head}": labels[head] for head in LABELS}, margin=margins[order].round(3))
