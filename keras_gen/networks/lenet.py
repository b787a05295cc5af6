"""LeNet (LeCun et al. 1998), in the form that papers on domain adaptation use."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.networks.blocks import batch_norm, float32, halved_sides


@checked_arguments
def lenet(
    image_shape: tuple = (28, 28, 1), classes: int = 10, filters: int = 20, hidden: int = 500
) -> tuple[keras.Model, keras.Model]:
    """Builds two convolutions and a dense layer, and a linear classifier of their features.

    LeCun, Bottou, Bengio, Haffner: "Gradient-Based Learning Applied to Document Recognition",
    Proceedings of the IEEE 1998, with maxima in place of averages, and one ReLU, as Caffe ships it.

    Args:
        image_shape: `(height, width, channels)` of the images, both sides of at least 16 pixels.
        classes: Number of classes.
        filters: Channels of the first convolution; the second one has 2.5 times as many.
        hidden: Features.

    Returns:
        The encoder, from images in [0, 1] to float32 features `[batch, hidden]`, which are not
        negative; and the classifier, from features to float32 logits `[batch, classes]`.

    Raises:
        ValueError: If a side is too short.

    Example:
        >>> encoder, classifier = lenet((28, 28, 1), filters=4, hidden=16)
    """
    if min(image_shape[:2]) < 16:
        raise ValueError(
            f"image_shape is {image_shape}: LeNet needs sides of at least 16 pixels."
        )
    images = keras.Input(image_shape)
    x = images
    for width in (filters, 5 * filters // 2):
        x = layers.MaxPooling2D(2)(layers.Conv2D(width, 5)(x))
    x = layers.Dense(hidden, activation="relu")(layers.Flatten()(x))
    return keras.Model(images, float32(x), name="encoder"), _linear(hidden, classes)


@checked_arguments
def normalized_lenet(
    image_shape: tuple = (28, 28, 1), classes: int = 10, filters: int = 32, hidden: int = 128
) -> tuple[keras.Model, keras.Model]:
    """Builds `lenet` with strides in place of maxima, and with batch normalization.

    Where neighbors of a digit must be named like it, maxima are in the way: they let a few pixels
    decide.

    Args:
        image_shape: `(height, width, channels)` of the images, both sides of at least 4 pixels.
        classes: Number of classes.
        filters: Channels of the first 4x4 convolution; the second one has twice as many.
        hidden: Features.

    Returns:
        As `lenet`.

    Example:
        >>> encoder, classifier = normalized_lenet((28, 28, 1), filters=4, hidden=16)
    """
    halved_sides(image_shape, 2, "image_shape")
    images = keras.Input(image_shape)
    x = images
    for width in (filters, 2 * filters):
        x = layers.Conv2D(width, 4, strides=2, padding="same", use_bias=False)(x)
        x = layers.ReLU()(batch_norm()(x))
    x = layers.Dense(hidden, use_bias=False)(layers.Flatten()(x))
    x = layers.ReLU()(batch_norm()(x))
    return keras.Model(images, float32(x), name="encoder"), _linear(hidden, classes)


def _linear(hidden, classes):
    """The classifier of features."""
    features = keras.Input((hidden,))
    logits = float32(layers.Dense(classes)(features))
    return keras.Model(features, logits, name="classifier")
