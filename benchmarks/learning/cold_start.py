"""A new region with a catalogue and up to eight labelled complaints a topic, beside TF-IDF.

In: complaints and the names of their topics. Out: topic accuracy by rows a topic. All contenders are taught the same
rows and the topics' names, and judged on the same others.
"""

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.adaptation.few_shot import MOST_ROWS, ROWS_A_TOPIC, Draw, Floats, count_right, difference, draw
from benchmarks.adaptation.rivals import by_vectors, by_words
from benchmarks.fast_heads import ridge
from benchmarks.results import resample_weights
from models.text.model_input import normalised_text
from training.classifier.catalogue_rows import WEIGHT

OURS, WORDS, PROTOTYPES = "heads on words and encoder", "TF-IDF + SVM", "prototypes of the encoder's vectors"


def figures(frame: pd.DataFrame, features: Floats, draws: int) -> dict[str, Any]:
    """Accuracy by contender and rows a topic; `features` are of the complaints and, behind them, the topics' names."""
    topics = frame["topic"].to_numpy(dtype=object)
    names = np.unique(topics)
    labels, of_names = np.concatenate([topics, names]), np.arange(len(topics), len(topics) + len(names))
    texts = [normalised_text(text) for text in [*frame["text"], *names]]
    drawn = [draw(topics, seed) for seed in range(draws)]
    said: dict[str, dict[int, list[Any]]] = {
        way: {rows: [] for rows in ROWS_A_TOPIC} for way in (OURS, PROTOTYPES, WORDS)
    }
    for rows in ROWS_A_TOPIC:
        for each in drawn:
            taught = np.concatenate([each.taught(rows), of_names])
            said[OURS][rows].append(_by_heads(features, labels, taught, of_names, each))
            said[PROTOTYPES][rows].append(by_vectors(features[taught], labels[taught], features[each.judged]))
            said[WORDS][rows].append(
                by_words([texts[row] for row in taught], labels[taught], [texts[row] for row in each.judged])
            )
    right = {
        way: {rows: count_right(drawn, of_rows, topics) for rows, of_rows in by.items()} for way, by in said.items()
    }
    weights = resample_weights(len(frame))
    return {
        "topics": len(names),
        "accuracy": {way: {str(rows): each.share for rows, each in by.items()} for way, by in right.items()},
        "gain": {str(rows): difference(right[OURS][rows], right[WORDS][rows], weights) for rows in ROWS_A_TOPIC},
        "most": str(MOST_ROWS),
    }


def _by_heads(features: Floats, labels: Any, taught: Any, of_names: Any, each: Draw) -> Any:
    """A ridge regression in which a topic's name counts as so many complaints, as it does in training."""
    rows = np.concatenate([taught, np.repeat(of_names, round(WEIGHT) - 1)])
    names, targets = np.unique(labels[rows], return_inverse=True)
    weights, _ = ridge(features[rows], targets, len(names))
    return names[(features[each.judged] @ weights[:-1] + weights[-1]).argmax(axis=1)]
