"""One classifier for all behaviour tests: the real encoder, heads fitted on the bundled sample."""

import pytest

from data.settings import settings
from models.classifier.classifier import Classifier
from registry.client import open_registry
from registry.names import classifier_name
from tests.conftest import tsur
from tsur.samples import SAMPLE_REGION

CLASSIFIER = classifier_name(SAMPLE_REGION)
HELD_OUT = 0.2
"""Share of the sample that judges the champion's figures."""


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """The champion that `tsur train classifier --set holdout=0.2` makes of the sample (90 s on a free core)."""
    home = tmp_path_factory.mktemp("behaviour")
    tsur(home, "train", "classifier", "--set", f"holdout={HELD_OUT}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TSUR_HOME", str(home))
        settings.cache_clear()
        folder, _ = open_registry(SAMPLE_REGION).champion_bundle(CLASSIFIER)
        champion = Classifier.load(folder)  # its encoder lies in that home
    settings.cache_clear()
    return champion
