"""What an encoder is adapted on: labelled complaints of several regions, each with labels of its own.

In: complaints of each region. Out: one `datasets.Dataset` of token ids for all of them, in which every row says its
region and, by that region's own list, its labels. A label that a row lacks is masked (`MISSING`); one that was seen in
no row taught counts as missed (`UNSEEN`). Smaller regions' rows are repeated, so that they count beside a large one's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import InputError
from models.classifier.labels import HEADS, Ints
from models.text.model_input import normalised_text
from training.arguments import EncoderAdaptation
from training.classifier.splits import fingerprint, text_keys

MISSING, UNSEEN = -100, -1
LEAST_ROWS = 50
"""Fewer labelled rows of a region say nothing that lasts."""


@dataclass(frozen=True)
class RegionRows:
    """One region's part.

    Attributes:
        name: what the region is called in figures.
        taught, held_out: labelled complaints (schema COMPLAINTS); no text is in both.
        labels: the names of each head's labels, in the order of its logits; heads with a choice of fewer than two are
            absent.
        fingerprint: of the labelled complaints.
    """

    name: str
    taught: pd.DataFrame
    held_out: pd.DataFrame
    labels: Mapping[str, tuple[str, ...]]
    fingerprint: str

    @property
    def label_counts(self) -> dict[str, int]:
        """How many labels each head has."""
        return {head: len(names) for head, names in self.labels.items()}

    def targets(self, rows: pd.DataFrame) -> dict[str, Ints]:
        """Label indices of each head, shape (n,), `MISSING` where the row or the region has none."""
        out = {}
        for head in HEADS:
            positions = {name: index for index, name in enumerate(self.labels.get(head, ()))}
            known = rows[head].notna().to_numpy() & bool(positions)
            indices = [positions.get(name, UNSEEN) for name in rows[head]]
            out[head] = np.where(known, indices, MISSING).astype(np.int64)
        return out


def region_rows(name: str, complaints: pd.DataFrame, arguments: EncoderAdaptation) -> RegionRows:
    """The labelled rows of a region, at most `max_rows` of them, and those held out.

    Raises:
        InputError: too few rows have a label, or no head has two labels.
    """
    labelled = complaints.dropna(subset=list(HEADS), how="all").reset_index(drop=True)
    if len(labelled) < LEAST_ROWS:
        raise InputError(
            f"{name}: {len(labelled)} of {len(complaints)} complaints have a sector, topic or agency; "
            f"an encoder is adapted on at least {LEAST_ROWS} of each region"
        )
    rng = np.random.default_rng(arguments.seed)
    used = newest(labelled, arguments.max_rows, rng) if arguments.max_rows else labelled
    keys, text = np.unique(text_keys(used["text"]), return_inverse=True)
    count = max(1, round(arguments.held_out_share * len(keys)))
    is_held_out = np.isin(text, rng.permutation(len(keys))[:count])
    taught = used[~is_held_out].reset_index(drop=True)
    labels = {head: tuple(sorted(taught[head].dropna().unique())) for head in HEADS}
    labels = {head: names for head, names in labels.items() if len(names) > 1}
    if not labels:
        raise InputError(f"{name}: all rows have the same labels; an encoder learns from what tells rows apart")
    return RegionRows(name, taught, used[is_held_out].reset_index(drop=True), labels, fingerprint(used))


def newest(complaints: pd.DataFrame, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """The newest rows, in their order; of rows of one moment, as where a file had no dates, random ones."""
    shuffled = rng.permutation(len(complaints))
    age = np.argsort(-complaints["created_at"].astype("int64").to_numpy()[shuffled], kind="stable")
    return complaints.iloc[np.sort(shuffled[age[:count]])].reset_index(drop=True)


def repetitions(sizes: Sequence[int], exponent: float, rng: np.random.Generator) -> list[Ints]:
    """How often each row of each region is read in an epoch, so that regions count by rows ** exponent.

    The largest region's rows are read once; of a smaller one's some, drawn by `rng`, once more than the others.
    """
    out = []
    for size in sizes:
        times = (max(sizes) / size) ** (1 - exponent)
        once_more = rng.permutation(size) < round((times - int(times)) * size)
        out.append(int(times) + once_more.astype(np.int64))
    return out


def tokenised(regions: Sequence[RegionRows], held_out: bool, tokenizer: Any, prefix: str, limit: int) -> Any:
    """A `datasets.Dataset` of all regions, with `input_ids, attention_mask, region, sector, topic, agency, length`.

    `row` is each row's position, `region` that of its region.
    """
    from datasets import Dataset

    parts = [region.held_out if held_out else region.taught for region in regions]
    texts = [prefix + normalised_text(text) for part in parts for text in part["text"]]
    tokens = tokenizer(texts, truncation=True, max_length=limit, return_token_type_ids=False)
    targets = [region.targets(part) for region, part in zip(regions, parts, strict=True)]
    columns: dict[str, npt.NDArray[np.int64]] = {
        head: np.concatenate([of_region[head] for of_region in targets]) for head in HEADS
    }
    columns["region"] = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    columns["length"] = np.array([len(ids) for ids in tokens["input_ids"]])
    columns["row"] = np.arange(len(texts))
    return Dataset.from_dict({**tokens, **{name: column.tolist() for name, column in columns.items()}})
