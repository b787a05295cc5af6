"""A stand-in, its export, and photos for it."""

import numpy as np
import pytest

from keras_gen.serving.export import export
from toy_exports import Translator


@pytest.fixture(scope="session")
def model():
    return Translator()


@pytest.fixture(scope="session")
def path(model, tmp_path_factory):
    metrics = {"kid": np.float32(0.5)}
    metadata = {"recipe": "stand_in", "data": {"name": "noise"}, "metrics": metrics}
    return export(model, tmp_path_factory.mktemp("saved_models"), "stand_in", metadata=metadata)


@pytest.fixture(scope="session")
def photos():
    return np.random.default_rng(0).integers(0, 256, [2, 19, 30, 3], np.uint8)
