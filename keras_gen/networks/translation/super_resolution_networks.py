"""Networks of SRGAN (Ledig et al. 2017): the generator, the discriminator, and VGG features."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers import BicubicEnlargement, Conv2D, PixelShuffle
from keras_gen.networks.blocks import batch_norm, float32, he_conv

CAFFE_MEANS = (103.939, 116.779, 123.68)  # mean levels of blue, green, and red in ImageNet


@checked_arguments
def sr_resnet(
    channels: int = 3,
    filters: int = 64,
    blocks: CountFrom0 = 16,
    factor: int = 4,
    normalization: bool = True,
    from_bicubic: bool = False,
    edge_kernel: int = 9,
    name: str = "generator",
) -> keras.Model:
    """Builds SRResNet (Ledig et al. 2017, fig. 4), which enlarges images of any size.

    The network begins with a convolution and residual blocks of two convolutions each. The output
    of the blocks is added to the output of the first convolution. For each factor of 2 (or once for
    a factor of 3), a convolution with four (or nine) times as many channels and a pixel shuffle
    follow. The last layer is a convolution.

    Args:
        channels: Number of channels in the images.
        filters: Number of channels in all layers.
        blocks: Number of residual blocks.
        factor: Factor by which the sides are enlarged: 2, 3, 4, or 8.
        normalization: Whether to use batch normalization, as in the paper. Networks without batch
            normalization perform better and cost less (Lim, Son, Kim, Nah, Lee: "Enhanced Deep
            Residual Networks for Single Image Super-Resolution", CVPR Workshops 2017, sec. 3.1).
        from_bicubic: Whether to add the network's output to a bicubic enlargement of the input. The
            initial result is then the bicubic enlargement.
        edge_kernel: Side length of the first and last kernels.
        name: Name of the model.

    Returns:
        A model that maps float images `[batch, height, width, channels]` in [-1, 1] to float32
        images in the same range; values may slightly exceed this range.

    Raises:
        ValueError: If the factor is not 2, 3, 4, or 8.

    Example:
        >>> generator = sr_resnet(filters=32, blocks=4)
    """
    steps = {2: [2], 3: [3], 4: [2, 2], 8: [2, 2, 2]}.get(factor)
    if steps is None:
        raise ValueError(f"factor is {factor}: expected 2, 3, 4, or 8.")

    def prelu(x):
        return layers.PReLU(shared_axes=[1, 2])(x)

    def normalized(x):
        return batch_norm()(x) if normalization else x

    bias = dict(use_bias=not normalization)
    images = keras.Input((None, None, channels))
    first = prelu(he_conv(filters, edge_kernel)(images))
    x = first
    for _ in range(blocks):
        y = prelu(normalized(he_conv(filters, 3, **bias)(x)))
        y = normalized(he_conv(filters, 3, **bias)(y))
        x = layers.add([x, y])
    x = layers.add([first, normalized(he_conv(filters, 3, **bias)(x))])
    for step in steps:
        x = prelu(PixelShuffle(step)(he_conv(filters * step**2, 3)(x)))
    # The initial weights are small, so that the initial output is gray or the bicubic
    # enlargement.
    small = keras.initializers.RandomNormal(stddev=1e-3)
    x = float32(he_conv(channels, edge_kernel, layer=Conv2D, initializer=small)(x))
    if from_bicubic:
        x = layers.Add(dtype="float32")([BicubicEnlargement(factor, dtype="float32")(images), x])
    return keras.Model(images, x, name=name)


@checked_arguments
def sr_discriminator(
    image_shape: tuple = (96, 96, 3),
    filters: int = 64,
    units: int = 1024,
    name: str = "discriminator",
) -> keras.Model:
    """Builds the discriminator of SRGAN (Ledig et al. 2017, fig. 4).

    It has eight 3x3 convolutions with leaky ReLU (slope 0.2) and, except in the first layer, batch
    normalization. Every second convolution has stride 2, and the number of channels doubles three
    times. A dense layer and one logit follow.

    Args:
        image_shape: `(height, width, channels)`, without None.
        filters: Number of channels in the first layer.
        units: Number of units in the dense layer.
        name: Name of the model.

    Returns:
        A model that maps float images in [-1, 1] to float32 logits `[batch, 1]`.

    Example:
        >>> discriminator = sr_discriminator((64, 64, 3), filters=16, units=64)
    """
    images = keras.Input(image_shape)
    x = images
    for layer in range(8):
        width = filters * 2 ** (layer // 2)
        strides = 1 + layer % 2
        x = he_conv(width, 3, strides=strides, use_bias=layer == 0)(x)
        x = x if layer == 0 else batch_norm()(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(units)(layers.Flatten()(x)))
    return keras.Model(images, layers.Dense(1, dtype="float32")(x), name=name)


@checked_arguments
def vgg_features(
    layer: str = "block5_conv4", weights: str | None = "imagenet", name: str = "vgg_features"
) -> keras.Model:
    """Returns VGG19 up to one of its layers (Simonyan & Zisserman 2015).

    In Ledig et al. (2017), sec. 2.2.1, `"block5_conv4"` is phi_{5,4}, and `"block2_conv2"` is
    phi_{2,2}.

    Args:
        layer: Name of the layer in `keras.applications.VGG19`.
        weights: `"imagenet"`, which Keras downloads, or None for initial weights.
        name: Name of the model.

    Returns:
        A model that maps float images `[batch, height, width, 3]` in [-1, 1], with sides of at
        least 32 pixels, to a feature map.

    Raises:
        OSError: If the weights cannot be downloaded. In this case, use `activation_maps` of a
            classifier trained on your own images.

    Example: `features = vgg_features("block2_conv2")`.
    """
    try:
        vgg = keras.applications.VGG19(include_top=False, weights=weights)
    except Exception as error:  # the type of error depends on the connection
        raise OSError(
            f"The weights of VGG19 cannot be loaded ({error}): connect to the internet, or use "
            "another network for features."
        ) from error
    images = keras.Input((None, None, 3))
    levels = layers.Rescaling(127.5, offset=127.5)(images)[..., ::-1]
    centered = layers.Normalization(mean=CAFFE_MEANS, variance=(1.0, 1.0, 1.0))(levels)
    network = keras.Model(vgg.input, vgg.get_layer(layer).output)
    return keras.Model(images, network(centered), name=name)
