"""`tsur adapt`: labelled complaints of several regions in; a registered encoder that all of them can share out.

The steps: rows are chosen and some held out, the encoder is fine-tuned with heads for each region, the heads are
thrown away, and the encoder becomes an artifact: a version of `complaint-encoder`, and its champion. A region's own
heads are fitted on it by `tsur train classifier --set encoder=registry:complaint-encoder@champion`.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from data.errors import InputError
from models.encoder.artifact import ENCODERS
from registry.client import Registry
from registry.encoders import ENCODER
from training.adaptation.rows import RegionRows, region_rows
from training.arguments import EncoderAdaptation
from training.classifier.encoder_rows import ENCODER_ROWS, encoder_rows, rows_of_encoder
from training.tracker import Tracker

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AdaptedEncoder:
    """What an adaptation leaves behind.

    Attributes:
        run_id: its MLflow run.
        version: of `complaint-encoder`.
        folder: the artifact on this machine.
        figures: accuracy of each region's heads on the rows held out.
    """

    run_id: str
    version: int
    folder: Path
    figures: dict[str, dict[str, float]]


def adapt(
    complaints: Mapping[str, pd.DataFrame],
    arguments: EncoderAdaptation,
    home: Path,
    say: Callable[[str], None] = log.info,
    fresh: bool = False,
    *,
    tracker: Tracker,
    registry: Registry,
) -> AdaptedEncoder:
    """Adapt, register and promote an encoder; continues an interrupted run on the same rows by the same arguments.

    Args:
        complaints: of each region (schema COMPLAINTS), by what the region is called in figures.
        arguments: how.
        home: where unfinished work, the packaged encoder and the artifact are kept.
        say: is told each step.
        fresh: start over instead of continuing.
        tracker: where the run is kept.
        registry: where the encoder is registered.

    Raises:
        InputError: a region has too few labelled rows, or nothing that tells them apart.
        EncoderError: the encoder cannot be loaded, or has fewer layers than are to be frozen.
    """
    if not complaints:
        raise InputError("an encoder is adapted on the complaints of one region at least")
    regions = [region_rows(name, frame, arguments) for name, frame in complaints.items()]
    for region in regions:
        labels = ", ".join(f"{count} {head}" for head, count in region.label_counts.items())
        say(f"{region.name}: {len(region.taught)} complaints taught, {len(region.held_out)} held out; labels: {labels}")
    work = home / "training" / f"encoder-{_key(regions, arguments)}"
    if fresh:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    with tracker.run(ENCODER, "adapt", _parameters(regions, arguments), work / "run.json") as run:
        address, figures = _adapted(regions, arguments, work, home, say, run)
        run.log_metrics(
            {f"held_out.{name}.{head}.accuracy": x for name, each in figures.items() for head, x in each.items()}
        )
        taught = pd.concat([region.taught for region in regions])
        run.log_dict(encoder_rows(rows_of_encoder(arguments.encoder, registry), taught), ENCODER_ROWS)
        say(f"registering the encoder as {ENCODER}")
        version = registry.register_encoder(home / ENCODERS / address, run.id)
        registry.promote(ENCODER, version, {"held_out": figures}, "tsur adapt")
    shutil.rmtree(work, ignore_errors=True)
    return AdaptedEncoder(run.id, version, home / ENCODERS / address, figures)


def _adapted(
    regions: Sequence[RegionRows], arguments: EncoderAdaptation, work: Path, home: Path, say: Any, run: Any
) -> tuple[str, dict[str, dict[str, float]]]:
    """Fine-tune and write the artifact into the home; its hash, and the figures."""
    import transformers

    from training.adaptation.fine_tuning import adapt_network
    from training.adaptation.network import RegionsNetwork
    from training.encoder.export import export_encoder
    from training.encoder.pretrained import load_pretrained

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    transformers.set_seed(arguments.seed)
    say(f"loading {arguments.encoder}")
    encoder, tokenizer = load_pretrained(arguments.encoder, home / ENCODERS)
    counts = [region.label_counts for region in regions]
    width = encoder.config.hidden_size
    network = RegionsNetwork(encoder, width, counts, arguments.dropout, arguments.label_smoothing)
    network.freeze(arguments.freeze_embeddings, arguments.frozen_layers)
    network, figures = adapt_network(network, regions, tokenizer, arguments, work, say, run)
    return export_encoder(network.encoder, tokenizer, home / ENCODERS, say), figures


def _key(regions: Sequence[RegionRows], arguments: EncoderAdaptation) -> str:
    """Names the working folder: the same rows and arguments continue the same run."""
    said = [[region.name, region.fingerprint] for region in regions]
    fixed = json.dumps([said, arguments.model_dump(mode="json")])
    return hashlib.sha256(fixed.encode()).hexdigest()[:16]


def _parameters(regions: Sequence[RegionRows], arguments: EncoderAdaptation) -> dict[str, Any]:
    """What the run is tracked with."""
    parameters: dict[str, Any] = arguments.model_dump(mode="json")
    for region in regions:
        parameters |= {
            f"{region.name}.rows": len(region.taught),
            f"{region.name}.held_out": len(region.held_out),
            f"{region.name}.data_fingerprint": region.fingerprint,
        }
    return parameters
