"""The classifier as it is served: a bundle in, classifications out; ONNX Runtime, no torch.

In: texts and municipality ids. Out: one `Classification` an item, in the order given. Each text is
normalised once; the network and the n-grams read those that are not in the cache, their logits are
added and decoded jointly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.catalogue.model import Catalogue
from models.classifier.bundle import FEATURES, ClassifierBundle, read_bundle
from models.classifier.decoding import Floats, JointDecoder
from models.classifier.labels import HEADS
from models.classifier.ngrams import NgramModel
from models.classifier.routing import Classification, decide
from models.encoder.onnx_runtime import Network
from models.encoder.text_cache import TextCache
from models.text.model_input import normalised_text, with_municipality

CACHED_TEXTS = 8192
"""Some 25 MB at most: two kilobytes of outputs and the text itself for each."""


@dataclass(frozen=True)
class Reading:
    """What one pass over texts gives: logits of each head, features, and which texts were cut.

    Shapes: (n, labels of the head) and (n, hidden). Features are what the linear heads read: the mean over
    tokens, standardised over the training rows.
    """

    logits: Mapping[str, Floats]
    features: Floats
    truncated: list[bool]


class Classifier:
    """A loaded bundle. Thread-safe: `classify` changes nothing but its cache.

    Args:
        bundle: labels, calibration, catalogue, config, and where the weights lie.
        threads: cores that all classifications share; 0: all.
        graph: another graph than the bundle's own.
        cached: texts whose outputs are remembered.

    Attributes:
        bundle: its labels, calibration, catalogue and config.
        decoder: joint decoding with the bundle's calibration.
        cache: the texts read last.
    """

    def __init__(
        self, bundle: ClassifierBundle, threads: int = 0, graph: Path | None = None, cached: int = CACHED_TEXTS
    ) -> None:
        self.bundle = bundle
        self.decoder = JointDecoder(
            bundle.labels,
            bundle.catalogue,
            bundle.topic_agency_pmi,
            bundle.calibration.weights,
            bundle.calibration.scaling,
        )
        self.cache = TextCache(cached)
        self._names = {place.id: place.name for place in bundle.catalogue.municipalities}
        self._network = Network(bundle, threads, graph)
        self._ngrams = NgramModel.load(bundle.folder, {head: len(bundle.labels.names[head]) for head in HEADS})

    @classmethod
    def load(
        cls, folder: Path, threads: int = 0, graph: Path | None = None, cached: int = CACHED_TEXTS
    ) -> "Classifier":
        """Load a bundle; the arguments are those of the class.

        Raises:
            BundleError: the bundle is incomplete, broken or of another version.
        """
        return cls(read_bundle(folder), threads, graph, cached)

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue this classifier was trained for."""
        return self.bundle.catalogue

    def classify(
        self, texts: Sequence[str], municipalities: Sequence[str | None] | None = None
    ) -> list[Classification]:
        """Classify texts; `municipalities` are ids of the catalogue, None where unknown."""
        places = list(municipalities) if municipalities is not None else [None] * len(texts)
        plain = [normalised_text(text) for text in texts]
        read = self._read(plain, places)
        return self._decided(read.logits, plain, places, read)

    def decisions(
        self, logits: Mapping[str, Floats], texts: Sequence[str], places: Sequence[str | None]
    ) -> list[Classification]:
        """Joint decoding and the routing decision on logits that are there already."""
        return self._decided(logits, [normalised_text(text) for text in texts], places)

    def logits(self, texts: Sequence[str], places: Sequence[str | None]) -> tuple[Mapping[str, Floats], list[bool]]:
        """Logits of each head, shape (n, labels of the head), and which texts were cut."""
        read = self.read(texts, places)
        return read.logits, read.truncated

    def features(self, texts: Sequence[str], places: Sequence[str | None]) -> Floats:
        """What the heads read of each text, shape (n, hidden)."""
        return self.read(texts, places).features

    def read(self, texts: Sequence[str], places: Sequence[str | None]) -> Reading:
        """Logits and features of one pass."""
        return self._read([normalised_text(text) for text in texts], places)

    def _read(self, plain: Sequence[str], places: Sequence[str | None]) -> Reading:
        names = [None if place is None else self._names.get(place) for place in places]
        read = [with_municipality(text, name) for text, name in zip(plain, names, strict=True)]
        outputs, cut = self.cache.rows(read, self._outputs)
        columns = self._network.columns
        return Reading({head: outputs[:, columns[head]] for head in HEADS}, outputs[:, columns[FEATURES]], cut)

    def _outputs(self, texts: list[str]) -> tuple[Floats, list[bool]]:
        """Both halves' logits and the features, side by side as the network gives them."""
        with self._network.reading(texts) as finish:
            ngrams = self._ngrams.logits(texts)  # meanwhile
            outputs, cut = finish()
        for head, logits in ngrams.items():
            outputs[:, self._network.columns[head]] += logits
        return outputs, cut

    def _decided(
        self,
        logits: Mapping[str, Floats],
        plain: Sequence[str],
        places: Sequence[str | None],
        read: Reading | None = None,
    ) -> list[Classification]:
        return decide(
            self.decoder,
            logits,
            plain,
            places,
            self.bundle.calibration.threshold,
            out_of_vocabulary=self.bundle.out_of_vocabulary.unlike_training(plain).tolist(),
            truncated=read.truncated if read else None,
            features=read.features if read else None,
        )
