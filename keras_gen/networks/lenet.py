"""LeNet (LeCun et al. 1998), in the form that papers on domain adaptation use."""

import keras
from keras import layers

from keras_gen.networks.blocks import float32


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
    encoder = keras.Model(images, float32(x), name="encoder")
    features = keras.Input((hidden,))
    logits = float32(layers.Dense(classes)(features))
    return encoder, keras.Model(features, logits, name="classifier")
