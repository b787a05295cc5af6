"""Translation of images of any size, where the network does nothing or blurs."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.bases import Translator
from keras_gen.networks import resnet_generator


class Seen(Translator):
    """One direction, whose network keeps what it was given."""

    def directions(self):
        return {"there": self.network}

    def network(self, images, training):
        self.seen = images
        return images


@pytest.mark.parametrize("height,width", [(1, 1), (3, 8), (7, 9), (8, 12), (13, 2)])
def test_pads_by_mirroring_to_sizes_the_network_takes(height, width):
    model = Seen()
    images = tf.random.uniform([2, height, width, 3])
    result = model._translate(images, model.network, 0)
    np.testing.assert_array_equal(result, images)
    rows, columns = model.seen.shape[1:3]
    assert min(rows, columns) >= 8 and rows % 4 == 0 and columns % 4 == 0
    assert rows - height < 8 and columns - width < 8
    expected = np.pad(
        images, [(0, 0), (0, rows - height), (0, columns - width), (0, 0)], "symmetric"
    )
    np.testing.assert_array_equal(model.seen, expected)


@pytest.mark.parametrize("side", [1, 3, 8, 10])
def test_a_generator_takes_images_of_any_size(side):
    class One(Translator):
        def directions(self):
            return {"there": generator}

    generator = resnet_generator(filters=2, blocks=1)
    images = np.random.default_rng(0).integers(0, 256, (1, side, 5, 3), "uint8")
    translated = One().translate(images)
    assert translated.shape == images.shape and translated.dtype == np.uint8
