"""Tiny autoregressive models."""

from keras_gen.autoregressive import PixelCNN
from keras_gen.networks import pixel_cnn
from tiny import Tiny, sample


def _pixel_cnn(seed=3):
    network = pixel_cnn((4, 4, 1), 5, filters=4, blocks=1, first_kernel=3, levels=5)
    return PixelCNN(network, levels=5, seed=seed)


TINY = {"PixelCNN": Tiny(_pixel_cnn, sample, draws=False)}
