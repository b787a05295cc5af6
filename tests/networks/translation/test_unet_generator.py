"""Layers, sizes and passed maps of the U-Net."""

import keras
import numpy as np
import pytest

from keras_gen.networks import unet_generator


def convolutions(network, kind):
    return [layer for layer in network.layers if type(layer) is kind]


@pytest.mark.thorough
def test_the_papers_layers_at_256_pixels():
    network = unet_generator(filters=64)
    down = [layer.filters for layer in convolutions(network, keras.layers.Conv2D)]
    up = [layer.filters for layer in convolutions(network, keras.layers.Conv2DTranspose)]
    assert down == [64, 128, 256, 512, 512, 512, 512, 512]
    assert up == [512, 512, 512, 512, 256, 128, 64, 3]
    # Each deconvolution but the first sees as many passed channels as those before it.
    kernels = convolutions(network, keras.layers.Conv2DTranspose)
    seen = [layer.kernel.shape[-1] for layer in kernels]
    assert seen == [512, 1024, 1024, 1024, 1024, 512, 256, 128]
    assert len([layer for layer in network.layers if "dropout" in layer.name]) == 3


@pytest.mark.thorough
@pytest.mark.parametrize("shape", [(64, 64, 3), (24, 40, 1), (6, 6, 2)])
def test_sizes_are_kept(shape, rng):
    network = unet_generator(shape, channels=2, filters=2, noise="none")
    images = network(rng.uniform(-1, 1, (2, *shape)))
    assert images.shape == (2, *shape[:2], 2)
    assert np.abs(images).max() <= 1 and np.ptp(images) > 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(image_shape=(15, 16, 3)), "cannot take images of 15x16: expected known, even"),
        (dict(image_shape=(None, None, 3)), "cannot take images of NonexNone"),
        (dict(noise="salt"), "noise is 'salt': expected one of"),
    ],
)
def test_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        unet_generator(**arguments)
