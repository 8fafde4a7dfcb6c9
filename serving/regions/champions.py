"""The champions: the two registered models of a region that answer, reloaded when their alias moves.

In: the registry. Out: a loaded `Classifier` and `Forecasts`, each with its version. A new champion is loaded beside
the old one and tried on its smoke texts, then they change places; one that is broken, or decides otherwise here than
where it was made, is refused and leaves the old one serving. MLflow is asked in a background thread only, never while
a request waits.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from data.errors import BundleError, NoChampionError, NotReadyError, TrackingError, TsurError
from registry.client import CHALLENGER, CHAMPION, Registry
from registry.history import RegisteredVersion, last_versions
from registry.names import classifier_name, forecaster_name
from serving.analytics.threads import give_way
from serving.background import Background
from serving.http.logs import LOGGER, where_it_failed

if TYPE_CHECKING:
    from models.classifier.classifier import Classifier
    from models.encoder.onnx_runtime import Encoders
    from models.forecasting.bundle import Forecasts

CARD = "MODEL_CARD.md"
Model = TypeVar("Model")
logger = logging.getLogger(LOGGER)


@dataclass(frozen=True)
class Champion(Generic[Model]):
    """A loaded model and where it came from.

    Attributes:
        loaded_at: since when this process has it.
        card: its model card; None where it has none.
    """

    name: str
    version: str
    model: Model
    loaded_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    card: str | None = None
    registered_at: datetime | None = None


@dataclass(frozen=True)
class Refusal:
    """A champion of the registry that is not served, and why."""

    version: int
    reason: str
    at: datetime


@dataclass(frozen=True)
class SlotState:
    """How a slot stands: who serves, or why nobody does; and whom it has refused."""

    name: str
    champion: Champion[Any] | None
    absence: TsurError
    refusal: Refusal | None


class ModelSlot(Generic[Model]):
    """The slot of one champion: the model in it, or why there is none."""

    def __init__(self, name: str, load: Callable[[Path], Model], alias: str = CHAMPION) -> None:
        self.name = name
        self._load, self._alias = load, alias
        self._champion: Champion[Model] | None = None
        self._absence: TsurError = NotReadyError(f"{name} is being loaded; ask again in a few seconds")
        self._refusal: Refusal | None = None

    @property
    def champion(self) -> Champion[Model]:
        """Who serves.

        Raises:
            NotReadyError: still loading.
            NoChampionError: the registry holds none; says what to run.
            BundleError: the one there is broken.
        """
        champion = self._champion
        if champion is None:
            raise type(self._absence)(self._absence.message)
        return champion

    @property
    def state(self) -> SlotState:
        """How it stands."""
        return SlotState(self.name, self._champion, self._absence, self._refusal)

    def refresh(self, registry: Registry) -> bool:
        """Load the champion of the registry if it is another one; True where that changed who serves."""
        try:
            version = registry.champion(self.name, self._alias)
            serving = self._champion.version if self._champion else None
            refused = self._refusal.version if self._refusal else None
            if str(version) == serving:
                self._refusal = None  # it was taken back
            if str(version) == serving or version == refused:
                return False
            self._champion = self._loaded(registry, version)
            self._refusal = None
        except TrackingError:
            raise
        except TsurError as error:
            self._absence = error
            if self._alias != CHAMPION and isinstance(error, NoChampionError):
                self._champion = None  # it challenges no more
            return False
        logger.info("%s: version %d is the %s here", self.name, version, self._alias)
        return True

    def _loaded(self, registry: Registry, version: int) -> Champion[Model]:
        try:
            with TemporaryDirectory(prefix="tsur-champion-") as scratch:
                folder = registry.download(self.name, version, Path(scratch))
                made = registry.registered_at(self.name, version)
                return Champion(self.name, str(version), self._load(folder), card=_card(folder), registered_at=made)
        except BundleError as error:
            self._refusal = Refusal(version, error.message, datetime.now(UTC))
            logger.error("%s: version %d cannot be served: %s", self.name, version, error.message)
            raise


class Champions:
    """Both champions, and the thread that watches their aliases.

    Args:
        registry: where they are registered.
        region: id of the region whose models serve.
        encoders: the process's encoders, shared by all who classify in it.

    Attributes:
        on_change: called after a champion has changed.
    """

    def __init__(self, registry: Registry, region: str, encoders: "Encoders | None" = None) -> None:
        self._registry = registry
        self._encoders = encoders
        self.on_change: Callable[[], None] = lambda: None
        self._thread: Background | None = None
        self._trouble: str | None = None
        self._classifier: ModelSlot[Classifier] = ModelSlot(classifier_name(region), self._load_classifier)
        self._forecaster: ModelSlot[Forecasts] = ModelSlot(forecaster_name(region), _load_forecasts)
        self._challenger: ModelSlot[Classifier] = ModelSlot(classifier_name(region), self._load_challenger, CHALLENGER)
        self._slots: tuple[ModelSlot[Any], ...] = (self._classifier, self._forecaster)

    @property
    def classifier(self) -> "Champion[Classifier]":
        """The serving classifier. Raises as `ModelSlot.champion`."""
        return self._classifier.champion

    @property
    def forecaster(self) -> "Champion[Forecasts]":
        """The serving forecaster. Raises as `ModelSlot.champion`."""
        return self._forecaster.champion

    @property
    def challenger(self) -> "Champion[Classifier] | None":
        """The classifier that decides in the shadow; None where there is none but the champion."""
        challenger, champion = self._challenger._champion, self._classifier._champion
        is_other = challenger is not None and champion is not None and challenger.version != champion.version
        return challenger if is_other else None

    @property
    def serving(self) -> list[Champion[Any]]:
        """The champions that serve now."""
        return [slot._champion for slot in self._slots if slot._champion is not None]

    @property
    def missing(self) -> list[NoChampionError]:
        """Why models do not serve that the region simply has not."""
        absences = [slot._absence for slot in self._slots if slot._champion is None]
        return [absence for absence in absences if isinstance(absence, NoChampionError)]

    @property
    def states(self) -> list[SlotState]:
        """How every slot stands."""
        return [slot.state for slot in self._slots]

    def history(self, name: str, limit: int) -> list[RegisteredVersion]:
        """The last versions of a registered model, the newest first. Raises as `last_versions`."""
        return last_versions(self._registry.models, name, limit)

    def check_ready(self) -> None:
        """Pass when all champions that the registry holds serve, one at least.

        A region without a forecaster is ready for what it has. Raises as `ModelSlot.champion`.
        """
        for slot in self._slots:
            if slot._champion is None and not isinstance(slot._absence, NoChampionError):
                _ = slot.champion
        if not self.serving:
            _ = self.classifier

    def refresh(self) -> None:
        """Ask the registry once and load what has changed; trouble is logged, once, not raised."""
        try:
            changed = [slot.refresh(self._registry) for slot in self._slots]
            self._challenger.refresh(self._registry)
        except Exception as error:  # whatever MLflow, its database or its transport raises
            trouble = type(error).__name__
            if trouble != self._trouble:
                logger.error("the registry does not answer\n%s", where_it_failed(error))
            self._trouble = trouble
            return
        self._trouble = None
        if any(changed):
            self.on_change()

    def start(self, seconds: float) -> None:
        """Load in the background, then look at the registry every so many seconds."""
        self._thread = Background("champions", self.refresh, seconds, begin=self.refresh)
        self._thread.start()

    def stop(self) -> None:
        """End the background thread."""
        if self._thread is not None:
            self._thread.close()

    def _load_classifier(self, folder: Path) -> "Classifier":
        from models.classifier.classifier import Classifier
        from models.encoder.onnx_runtime import Encoders

        self._encoders = self._encoders or Encoders(folder=self._registry.encoders)
        return _tried(Classifier.load(folder, self._encoders), folder)

    def _load_challenger(self, folder: Path) -> "Classifier":
        """With the champion's encoder where it is the same; else with one of its own, on one thread that gives way."""
        from models.classifier.bundle import read_config
        from models.classifier.classifier import Classifier
        from models.encoder.onnx_runtime import Encoders

        champion = self._classifier._champion
        shared = champion and champion.model.bundle.config.encoder_hash == read_config(folder).encoder_hash
        own = Encoders(threads=1, folder=self._registry.encoders, begin=give_way)
        return _tried(Classifier.load(folder, champion.model.encoders if champion and shared else own), folder)


def _load_forecasts(folder: Path) -> "Forecasts":
    from models.forecasting.bundle import Forecasts

    return Forecasts.load(folder)


def _tried(classifier: "Classifier", folder: Path) -> "Classifier":
    """The classifier, if it decides here as where it was made. Raises as `try_out`."""
    from models.classifier.smoke import read_smoke, try_out

    smoke = read_smoke(folder)
    if smoke is not None:
        try_out(classifier, smoke)
    return classifier


def _card(folder: Path) -> str | None:
    """The model card of a bundle, if it has one."""
    path = folder / CARD
    return path.read_text(encoding="utf-8") if path.is_file() else None
