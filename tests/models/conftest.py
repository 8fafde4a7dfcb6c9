"""What several tests of the models need: the catalogue, the real encoder, one tiny real bundle."""

from pathlib import Path

import pytest

from data.catalogue.checks import load_catalogue
from data.catalogue.model import Catalogue
from data.settings import CHECKOUT
from models.classifier.classifier import Classifier
from models.encoder.source import PACKAGED, resolve_encoder
from tests.serving.bundles import write_classifier


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The bundled catalogue."""
    return load_catalogue(CHECKOUT / "configs" / "regions" / "verkhnerechye" / "catalogue.yaml")


@pytest.fixture(scope="session")
def encoder_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder into which the packaged encoder was decoded."""
    cache = tmp_path_factory.mktemp("encoders")
    resolve_encoder(PACKAGED, cache)
    return cache


@pytest.fixture(scope="session")
def encoder_folder(encoder_cache: Path) -> Path:
    """The packaged encoder as a transformers folder."""
    return Path(resolve_encoder(PACKAGED, encoder_cache))


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny classifier bundle: random weights, all else as in production."""
    return write_classifier(tmp_path_factory.mktemp("classifier") / "bundle")


@pytest.fixture(scope="session")
def classifier(bundle: Path) -> Classifier:
    """That bundle, loaded."""
    return Classifier.load(bundle)
