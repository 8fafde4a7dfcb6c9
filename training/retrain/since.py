"""What became of a dataset's rows since the version that the champion was taught: what joined, what was relabelled.

In: the rows of the two versions, the catalogue's migrations. Out: a `Since`, row by row of the later version. A label
that only took a migration of the catalogue is the same label under today's name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.catalogue.migrations import Migration, migrated
from data.complaints.schema import LABELS
from training.retrain.versions import TEST

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Since:
    """The n rows of a version, held against an earlier one.

    Attributes:
        joined: rows that the earlier version had not, shape (n,).
        relabelled: of each head, rows that had another label then, shape (n,).
        former: of each head, the label then, under today's name; None where there was none, shape (n,).
        tested: how many rows the earlier version held out.
    """

    joined: Bools
    relabelled: Mapping[str, Bools]
    former: Mapping[str, npt.NDArray[np.object_]]
    tested: int

    @property
    def changed(self) -> Bools:
        """Rows that joined, or of which some label is another, shape (n,)."""
        changed: Bools = np.logical_or.reduce([self.joined, *self.relabelled.values()])
        return changed

    def labels_in_play(self, rows: pd.DataFrame) -> dict[str, frozenset[str]]:
        """Of each head the labels that joined, went or came: where a loss is likely if the new labels are wrong."""
        return {
            head: frozenset(
                str(label)
                for label in (*rows[head][self.joined | changed], *self.former[head][changed])
                if isinstance(label, str)
            )
            for head, changed in self.relabelled.items()
        }


def rows_since(before: pd.DataFrame, now: pd.DataFrame, migrations: Sequence[Migration] = ()) -> Since:
    """Hold a version's rows against those of an earlier version of its folder; columns as of `DatasetVersion.rows`."""
    keys = pd.MultiIndex.from_frame(now[["source", "id"]])
    then = before.set_index(["source", "id"])[list(LABELS)].astype(object)
    there = then.where(then.notna(), None).reindex(keys)
    joined = ~keys.isin(then.index)
    former = _in_todays_names(there.where(there.notna(), None), migrations)
    labels = now[list(LABELS)].astype(object)
    labels = labels.where(labels.notna(), None)
    relabelled = {head: np.array([was is not None for was in former[head]], dtype=bool) for head in LABELS}
    for head, had_one in relabelled.items():
        had_one &= former[head] != labels[head].to_numpy()
    return Since(joined, relabelled, former, int((before["split"] == TEST).sum()))


def _in_todays_names(then: pd.DataFrame, migrations: Sequence[Migration]) -> dict[str, npt.NDArray[np.object_]]:
    """A topic that was split or retired since was none, as far as today's names go."""
    columns = {head: then[head].to_numpy(dtype=object) for head in LABELS}
    if migrations:
        pairs = list(zip(columns["sector"], columns["topic"], strict=True))
        today = {pair: migrated(migrations, *pair, labelled=date.min) for pair in set(pairs)}
        columns["sector"] = np.array([today[pair].sector for pair in pairs], dtype=object)
        columns["topic"] = np.array([today[pair].topic for pair in pairs], dtype=object)
    return columns
