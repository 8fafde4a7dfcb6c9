"""The classifier as it is served: a bundle and its encoder in, classifications out; ONNX Runtime, no torch.

In: texts and municipality ids. Out: one `Classification` an item, in the order given. Each text is normalised once; the
encoder reads those whose vectors are not in the cache while the n-grams read all, the logits of both are added and
decoded jointly.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from data.catalogue.model import Catalogue
from data.errors import BundleError
from models.classifier.bundle import FORMAT, ClassifierBundle, read_bundle, served_files
from models.classifier.decoding import Floats, JointDecoder
from models.classifier.labels import HEADS
from models.classifier.routing import ALTERNATIVES, Classification, decide
from models.encoder.artifact import Precision
from models.encoder.onnx_runtime import Encoders, OnnxEncoder
from models.encoder.vector_cache import Vectors
from models.text.model_input import normalised_text, with_municipality


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
    """A region's classifier. Thread-safe: nothing changes but the cache of its encoders.

    Args:
        bundle: what was read of the bundle, or fitted.
        encoders: the process's encoders; the bundle's own is loaded there unless another classifier has done so.
        precision: another precision than the bundle asks for.

    Attributes:
        bundle: labels, calibration, catalogue, config.
        decoder: joint decoding with the bundle's calibration.
        encoders: the process's encoders, and the cache of what they read.
    """

    def __init__(self, bundle: ClassifierBundle, encoders: Encoders, precision: Precision | None = None) -> None:
        self.bundle = bundle
        self.decoder = JointDecoder(
            bundle.labels,
            bundle.catalogue,
            bundle.topic_agency_pmi,
            bundle.calibration.weights,
            bundle.calibration.scaling,
        )
        self.encoders = encoders
        self._heads = bundle.heads if bundle.config.format == FORMAT else bundle.heads.on_features()
        self._names = {place.id: place.name for place in bundle.catalogue.municipalities}
        self._encoder = _encoder_of(bundle, encoders, precision)
        if self._encoder.width != len(bundle.heads.mean):
            raise BundleError(
                f"classifier bundle {bundle.folder.name}: its heads read {len(bundle.heads.mean)} numbers a text, "
                f"its encoder gives {self._encoder.width}"
            )

    @classmethod
    def load(cls, folder: Path, encoders: Encoders | None = None, precision: Precision | None = None) -> "Classifier":
        """Load a bundle; without `encoders` it gets some of its own.

        Raises:
            BundleError: the bundle or its encoder is incomplete, broken or of another version.
        """
        return cls(read_bundle(folder), encoders or Encoders(), precision)

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue this classifier was trained for."""
        return self.bundle.catalogue

    def classify(
        self,
        texts: Sequence[str],
        municipalities: Sequence[str | None] | None = None,
        alternatives: int = ALTERNATIVES,
    ) -> list[Classification]:
        """Classify texts; `municipalities` are ids of the catalogue, None where unknown."""
        places = list(municipalities) if municipalities is not None else [None] * len(texts)
        plain = [normalised_text(text) for text in texts]
        reading = self._read(plain, places)
        return self._decided(reading.logits, plain, places, reading, alternatives)

    def decisions(
        self, logits: Mapping[str, Floats], texts: Sequence[str], places: Sequence[str | None]
    ) -> list[Classification]:
        """Joint decoding and the routing decision on logits that are there already."""
        return self._decided(logits, [normalised_text(text) for text in texts], places)

    def logits(self, texts: Sequence[str], places: Sequence[str | None]) -> tuple[Mapping[str, Floats], list[bool]]:
        """Logits of each head, shape (n, labels of the head), and which texts were cut."""
        reading = self.read(texts, places)
        return reading.logits, reading.truncated

    def features(self, texts: Sequence[str], places: Sequence[str | None]) -> Floats:
        """What the heads read of each text, shape (n, hidden)."""
        with self._encoding(self._model_inputs([normalised_text(text) for text in texts], places)) as finish:
            return self._heads.features(finish().values)

    def read(self, texts: Sequence[str], places: Sequence[str | None]) -> Reading:
        """Logits and features of one pass."""
        return self._read([normalised_text(text) for text in texts], places)

    def _model_inputs(self, plain: Sequence[str], places: Sequence[str | None]) -> list[str]:
        """What both halves read: texts behind the names of their municipalities, where the catalogue has those."""
        names = [None if place is None else self._names.get(place) for place in places]
        return [with_municipality(text, name) for text, name in zip(plain, names, strict=True)]

    def _read(self, plain: Sequence[str], places: Sequence[str | None]) -> Reading:
        inputs = self._model_inputs(plain, places)
        with self._encoding(inputs) as finish:
            lexical = self.bundle.ngrams.logits(inputs)  # meanwhile
            vectors = finish()
        features = self._heads.features(vectors.values)
        neural = self._heads.of_features(features)
        return Reading({head: neural[head] + lexical[head] for head in HEADS}, features, vectors.truncated)

    def _encoding(self, inputs: Sequence[str]) -> AbstractContextManager[Callable[[], Vectors]]:
        config = self.bundle.config
        return self._encoder.reading([config.text_prefix + text for text in inputs], config.max_tokens)

    def _decided(
        self,
        logits: Mapping[str, Floats],
        plain: Sequence[str],
        places: Sequence[str | None],
        reading: Reading | None = None,
        alternatives: int = ALTERNATIVES,
    ) -> list[Classification]:
        return decide(
            self.decoder,
            logits,
            plain,
            places,
            self.bundle.calibration.threshold,
            topic_threshold=self.bundle.calibration.topic_threshold,
            out_of_vocabulary=self.bundle.out_of_vocabulary.unlike_training(plain).tolist(),
            truncated=reading.truncated if reading else None,
            features=reading.features if reading else None,
            alternatives=alternatives,
        )


def _encoder_of(bundle: ClassifierBundle, encoders: Encoders, precision: Precision | None) -> OnnxEncoder:
    """The bundle's encoder; int8 that is no faster on this processor gives way to fp32, which needs no agreement."""
    files = served_files(bundle, encoders.folder, precision)
    if precision is not None or bundle.config.format != FORMAT or bundle.config.precision == "fp32":
        return encoders.load(files)
    return encoders.load_faster(files, served_files(bundle, encoders.folder, "fp32"), bundle.config.max_tokens)
