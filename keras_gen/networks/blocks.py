"""Pieces that several architectures share."""

import keras
from keras import layers


def conv(filters: int, size: int, *, layer=layers.Conv2D, use_bias=False, **kwargs):
    """A convolution initialised from N(0, 0.02), as DCGAN, pix2pix and CycleGAN do.

    Args:
        filters: Output channels.
        size: Side of the kernel.
        layer: Layer class, `Conv2D` or `Conv2DTranspose`.
        use_bias: False before a normalisation, which has its own.
        **kwargs: Further arguments of the layer.
    """
    # An initializer object repeats its values when it is called again, so each layer gets its own.
    initializer = keras.initializers.RandomNormal(stddev=0.02)
    return layer(filters, size, use_bias=use_bias, kernel_initializer=initializer, **kwargs)


def reflect_pad(x, pixels: int):
    """Pads height and width by reflection, which leaves no dark border as zeros do."""
    return keras.ops.pad(x, [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]], mode="reflect")
