"""Networks of UNIT (Liu, Breuel, Kautz 2017)."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers import InstanceNormalization
from keras_gen.networks.blocks import conv, doubled, float32, he_conv, reflect_pad


@checked_arguments
def unit_networks(
    channels: tuple[int, int] = (3, 3),
    filters: int = 64,
    blocks: CountFrom0 = 3,
    shared_blocks: CountFrom0 = 1,
) -> dict[str, keras.Model]:
    """Builds encoders and generators for two domains, as in app. A of the paper.

    Each encoder halves images twice and then applies residual blocks, the last of which are shared
    by both encoders. The generators mirror the encoders and share their first blocks.

    Deviations: instance normalization, as in the authors' code; nearest-neighbor upsampling and a
    convolution, which avoid checkerboard artifacts.

    Args:
        channels: Numbers of channels in the images of X and Y.
        filters: Number of channels in the first layers.
        blocks: Number of residual blocks in each encoder and in each generator.
        shared_blocks: Number of residual blocks shared by both encoders, and by both generators.

    Returns:
        A dict of networks, named like the arguments of `UNIT`: `encoder_x` and `encoder_y` map
        float images in [-1, 1] `[batch, height, width, channels]`, with sides that are multiples of
        4, to maps; `shared_encoder` turns these maps into means of the latents,
        `[batch, height / 4, width / 4, 4 * filters]`; `shared_generator`, followed by `generator_x`
        or `generator_y`, maps latents to images.

    Example:
        >>> networks = unit_networks(filters=16)
    """
    width = 4 * filters
    # The initial weights are from He et al., because without normalization, smaller weights would
    # lose the image.
    he = dict(initializer="he_normal", use_bias=True)
    networks = {}
    for domain, of_images in zip("xy", channels, strict=True):
        images = keras.Input((None, None, of_images))
        x = layers.LeakyReLU(negative_slope=0.01)(
            he_conv(filters, 7, padding="valid")(reflect_pad(images, 3))
        )
        for more in (2, 4):
            x = he_conv(more * filters, 3, strides=2, padding="valid")(reflect_pad(x, 1))
            x = layers.LeakyReLU(negative_slope=0.01)(x)
        for _ in range(blocks):
            x = _residual(x, width)
        networks[f"encoder_{domain}"] = keras.Model(images, float32(x), name=f"encoder_{domain}")

        maps = keras.Input((None, None, width))
        x = maps
        for _ in range(blocks):
            x = _residual(x, width)
        for more in (2, 1):
            x = layers.LeakyReLU(negative_slope=0.01)(doubled(x, more * filters, "resize", **he))
        x = he_conv(of_images, 1, initializer="glorot_uniform")(x)
        x = layers.Activation("tanh", dtype="float32")(x)
        networks[f"generator_{domain}"] = keras.Model(maps, x, name=f"generator_{domain}")
    for name in ("shared_encoder", "shared_generator"):
        maps = keras.Input((None, None, width))
        x = maps
        for _ in range(shared_blocks):
            x = _residual(x, width)
        networks[name] = keras.Model(maps, float32(x), name=name)
    return networks


def _residual(x, width):
    y = layers.ReLU()(InstanceNormalization()(conv(width, 3)(reflect_pad(x, 1))))
    return layers.add([x, InstanceNormalization()(conv(width, 3)(reflect_pad(y, 1)))])
