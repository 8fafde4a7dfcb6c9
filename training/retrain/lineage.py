"""`tsur lineage`: from a decision back to the model, its run, commit and rows; from a complaint forward to its models.

In: a complaint's id, the store, the registry, the folder of dataset versions. Out: sentences, one a line. What is gone
(an erased row, a registry's run) is said to be gone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data.errors import BundleError, InputError
from data.store.decisions import Decided
from data.store.store import Store
from registry.client import Registry
from registry.names import classifier_name
from training.retrain.challenger import DATASET, dataset_of
from training.retrain.versions import TEST, DatasetVersion, read_version, version_folders


@dataclass(frozen=True)
class Lineage:
    """Where things are looked up: a region's store, registry and dataset versions."""

    region: str
    store: Store
    registry: Registry
    datasets: Path

    def of(self, complaint_id: str) -> Iterator[str]:
        """What is known of a complaint.

        Raises:
            InputError: no decision and no dataset version knows it.
            StoreError, TrackingError: it cannot be looked up now.
        """
        decisions = self.store.decisions.of_complaint(self.region, complaint_id)
        held = [(version, row) for version in self._versions() for row in _rows_of(version, complaint_id)]
        if not decisions and not held:
            raise InputError(f"no decision and no dataset version of {self.region} knows a complaint {complaint_id!r}")
        for decided in decisions:
            yield f"decision {decided.number} ({decided.received_at:%Y-%m-%d %H:%M} UTC): {_said(decided)}"
            yield from (f"  {line}" for line in self._model(decided.model_version))
        for version, row in held:
            yield from self._forward(version, row)

    def _versions(self) -> list[DatasetVersion]:
        return [read_version(path) for path in version_folders(self.datasets)]

    def _model(self, model_version: str) -> Iterator[str]:
        """Run, commit and dataset version of the model that decided."""
        name = classifier_name(self.region)
        if not model_version.isdecimal():
            yield f"by {model_version}, which is no version of {name}"
            return
        number = int(model_version)
        try:
            run_id = self.registry.models.version(name, number).run_id
            commit = self.registry.models.client().get_run(str(run_id)).data.tags.get("git_commit", "unknown")
            dataset = dataset_of(self.registry, name, number, self.datasets)
        except BundleError as error:
            yield f"by {name} version {number}, which is gone: {error.message}"
            return
        yield f"by {name} version {number}, MLflow run {run_id}, commit {commit}"
        if dataset is None:
            yield "taught rows that are in no dataset version here"
        else:
            rows = len(dataset.split.train)
            yield f"taught {rows} rows of dataset version {dataset.name}: {dataset.folder}"

    def _forward(self, version: DatasetVersion, row: "pd.Series[str]") -> Iterator[str]:
        """The models that a row taught, or that were tested on it."""
        labels = ", ".join(f"{head} «{row[head]}» ({row[f'{head}_origin']})" for head in ("sector", "topic", "agency"))
        is_test = row["split"] == TEST
        where = "held out for good" if is_test else "teaches"
        yield f"dataset version {version.name}, source {row['source']}: {where}; {labels}"
        name = classifier_name(self.region)
        made = [each.version for each in self.registry.models.versions(name) if each.tags.get(DATASET) == version.name]
        if made:
            yield f"  {'tested' if is_test else 'taught'} {name} version {', '.join(map(str, made))}"


def _rows_of(version: DatasetVersion, complaint_id: str) -> "list[pd.Series[str]]":
    rows = version.rows[version.rows["id"] == complaint_id]
    return [row for _, row in rows.iterrows()]


def _said(decided: Decided) -> str:
    return f"{decided.decision}, {decided.sector} · {decided.topic} · {decided.agency} (source {decided.source})"
