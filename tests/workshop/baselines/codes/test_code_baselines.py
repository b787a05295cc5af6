"""Codes without a network, beside learned ones."""

import numpy as np
import pytest

from keras_gen.workshop.baselines import (
    CodedComponents,
    PatchCodebook,
    QuantizedComponents,
    code_baselines,
    jpeg,
    jpeg_quality,
)

IMAGES = np.random.default_rng(0).integers(0, 256, [40, 8, 8, 3], "uint8")


@pytest.mark.thorough
def test_each_is_fitted_to_training_images():
    training, test = IMAGES[:30], IMAGES[30:]
    found, bits = code_baselines(training, test, 400, patches=16, seed=3)
    made, used = jpeg(test, jpeg_quality(training, 400), header=False)
    expected = {
        "kmeans": PatchCodebook(training, 4, 16, seed=3).reconstruct(test),
        "pca": QuantizedComponents(training, 400).reconstruct(test),
        "coded_pca": CodedComponents(training, 400).reconstruct(test),
        "jpeg": made,
    }
    assert list(found) == list(expected) and bits == used.mean()
    for name, images in expected.items():
        np.testing.assert_array_equal(found[name], images)
    assert list(code_baselines(training, test, 400)[0]) == ["pca", "coded_pca", "jpeg"]
