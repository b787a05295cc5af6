"""Tests that MyModel rejects invalid input, learns, and gives the same results when exported."""

import keras
import numpy as np
from my_model import MyModel

from keras_gen.serving.exported import load
from keras_gen.testing import check_model


def model_and_images():
    keras.utils.set_random_seed(0)
    images = np.zeros((16, 8, 8, 1), "uint8")
    images[:, 2:6, 2:6] = 255
    model = MyModel.for_images((8, 8, 1), widths=(8,), deviation=0.4)
    model.compile(keras.optimizers.Adam(0.01))
    return model, images


def test_what_cannot_be_right_is_refused():
    model, _ = model_and_images()
    check_model(model)


def test_it_learns_and_is_served(tmp_path):
    model, images = model_and_images()
    history = model.fit(images, batch_size=8, epochs=10, verbose=0).history["loss"]
    assert history[-1] < history[0] / 2

    exported = load(model.export(tmp_path / "export"))
    served = exported("denoise", images=images)["output_images"]
    np.testing.assert_allclose(served, model.denoise(images), atol=1)  # one of 255 levels
