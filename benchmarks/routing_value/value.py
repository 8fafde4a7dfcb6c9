"""What routing is worth against the portal's first routing, on the same complaints; pure functions.

In: which complaints are routed, where TSUR and the portal's first routing are right, and how long people waited. Out:
`Estimate`s with 95 % bootstrap intervals, paired by row. The one decision: an avoided re-routing is a complaint whose
first agency was wrong and that TSUR routes rightly; one that TSUR routes wrongly and the portal had right counts
against it.
"""

import numpy as np
import pandas as pd

from benchmarks.classifier_quality.figures import Bools, Estimate, Floats, estimated, share

THOUSAND = 1000
"""Counts are told for so many complaints."""
LEAST = 5
"""Rows of a topic, re-routed and not, from which its medians are compared."""
CHUNK = 100
"""Resamples that are drawn at once: some 25,000 waits each, 20 MB."""


def compared(
    routed: Bools, known: Bools, ours: Bools, portal: Bools, weights: Floats
) -> dict[str, dict[str, float] | None]:
    """Precision of both on the complaints that are routed and whose final label is known, and the difference.

    Args:
        routed: which complaints TSUR routes, shape (n,).
        known: whose final label is known.
        ours: which TSUR has right.
        portal: which the portal's first routing had right.
        weights: how often each row is drawn in each resample, shape (resamples, n).
    """
    among = routed & known
    first, second = share(among, ours, weights), share(among, portal, weights)
    gain = None
    if first is not None and second is not None:
        gain = estimated(first.value - second.value, first.resamples - second.resamples)
    every = {"tsur": first, "portal": second, "gain": gain}
    return {name: None if estimate is None else estimate.as_dict() for name, estimate in every.items()}


def reroutings_avoided(routed: Bools, known: Bools, ours: Bools, portal: Bools, weights: Floats) -> dict[str, Estimate]:
    """Re-routings avoided and caused, and avoided less caused, of a thousand complaints; arrays of shape (n,)."""
    among = routed & known
    marks = {"avoided": among & ours & ~portal, "caused": among & ~ours & portal}
    signed = {name: mark.astype(np.float32) for name, mark in marks.items()}
    signed["net"] = signed["avoided"] - signed["caused"]
    rows = weights.sum(axis=1)
    return {
        name: estimated(THOUSAND * float(values.mean()), THOUSAND * (weights @ values) / rows)
        for name, values in signed.items()
    }


def wait_of_a_rerouting(past: pd.DataFrame, resamples: int, seed: int = 0) -> dict[str, Estimate]:
    """Median days to the first answer of complaints never re-routed and of those re-routed once, and the difference.

    Complaints without an answer are left out. `same topic` is the difference inside topics, each weighed by its
    complaints that were re-routed once: what is left when slow topics are re-routed oftener.
    """
    rng = np.random.default_rng(seed)
    answered = past[past["days"].notna()]
    direct, once = (answered[answered["reroutings"] == times] for times in (0, 1))
    waits = {
        name: _median(part["days"].to_numpy(dtype=float), resamples, rng)
        for name, part in (("never", direct), ("once", once))
    }
    gap = waits["once"].resamples - waits["never"].resamples
    waits["difference"] = estimated(waits["once"].value - waits["never"].value, gap)
    waits["same topic"] = _same_topic(direct, once, resamples, rng)
    return waits


def days_saved(net: Estimate, wait: Estimate) -> Estimate:
    """Days of waiting saved for a thousand complaints: re-routings avoided, each at the days that one costs.

    The two come from different weeks, so their resamples are independent.
    """
    return estimated(net.value * wait.value, net.resamples * wait.resamples)


def _median(values: Floats, resamples: int, rng: np.random.Generator) -> Estimate:
    drawn = [
        np.median(values[rng.integers(len(values), size=(min(CHUNK, resamples - start), len(values)))], axis=1)
        for start in range(0, resamples, CHUNK)
    ]
    return estimated(float(np.median(values)), np.concatenate(drawn))


def _same_topic(direct: pd.DataFrame, once: pd.DataFrame, resamples: int, rng: np.random.Generator) -> Estimate:
    """NaN where no topic has enough of both."""
    slow_by_topic, quick_by_topic = (
        {str(topic): rows.to_numpy(dtype=float) for topic, rows in part.groupby("topic")["days"]}
        for part in (once, direct)
    )
    topics = [
        topic for topic, rows in slow_by_topic.items() if min(len(rows), len(quick_by_topic.get(topic, ()))) >= LEAST
    ]
    if not topics:
        return estimated(float("nan"), np.full(resamples, np.nan))
    rerouted = sum(len(slow_by_topic[topic]) for topic in topics)
    value, drawn = 0.0, np.zeros(resamples)
    for topic in topics:
        slow, quick = (_median(by_topic[topic], resamples, rng) for by_topic in (slow_by_topic, quick_by_topic))
        weight = len(slow_by_topic[topic]) / rerouted
        value += weight * (slow.value - quick.value)
        drawn += weight * (slow.resamples - quick.resamples)
    return estimated(value, drawn)
