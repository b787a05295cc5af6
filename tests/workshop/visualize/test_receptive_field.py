"""What a pixel depends on, as an image."""

import numpy as np

from causality import sees
from keras_gen.networks import gated_pixel_cnn, pixel_cnn
from keras_gen.workshop.visualize import seen_pixels
from keras_gen.workshop.visualize.plots import ITSELF, LATER, SEEN, UNSEEN


def test_a_single_masked_layer_sees_its_kernel():
    network = pixel_cnn((5, 6, 1), 1, filters=8, blocks=0, first_kernel=3, levels=None)
    image = seen_pixels(network, 2, 3, scale=2)
    assert image.shape == (10, 12, 3) and image.dtype == np.uint8
    pixels = image[::2, ::2].reshape(30, 3)
    place = 2 * 6 + 3
    allowed = sees("A", 3, (5, 6, 1))[place]
    expected = np.where(
        allowed[:, None], SEEN, np.where(np.arange(30)[:, None] < place, UNSEEN, LATER)
    )
    expected[place] = ITSELF
    np.testing.assert_array_equal(pixels, expected)


def test_the_blind_spot_is_of_the_plain_network_alone():
    options = dict(outputs_per_value=1, filters=8, blocks=4, first_kernel=3, kernel=3, levels=2)
    plain = seen_pixels(pixel_cnn((6, 7, 1), **options), 4, 2, scale=1)
    unseen = (plain == UNSEEN).all(axis=-1)
    assert unseen[3, 6] and not unseen[3, 1]
    network = gated_pixel_cnn((6, 7, 1), **options)
    for weight in network.trainable_variables:  # those that add to the horizontal stack are zeros
        weight.assign(weight + np.random.default_rng(0).normal(0, 0.1, weight.shape))
    assert not (seen_pixels(network, 4, 2, scale=1) == UNSEEN).all(axis=-1).any()
