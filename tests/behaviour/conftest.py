"""One classifier for all behaviour tests: the real encoder, heads fitted on the bundled sample."""

import pytest

from data.settings import settings
from models.classifier.classifier import Classifier
from registry.client import open_registry
from registry.names import classifier_name
from tests.conftest import tsur
from tsur.samples import SAMPLE_REGION

CLASSIFIER = classifier_name(SAMPLE_REGION)


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """The champion that `tsur train classifier` makes without fine-tuning (90 s on a free core)."""
    home = tmp_path_factory.mktemp("behaviour")
    tsur(home, "train", "classifier", "--set", "epochs=0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TSUR_HOME", str(home))
        settings.cache_clear()
        folder, _ = open_registry(SAMPLE_REGION).champion_bundle(CLASSIFIER)
        champion = Classifier.load(folder)  # its encoder lies in that home
    settings.cache_clear()
    return champion
