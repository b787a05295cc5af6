"""Image classifiers."""

from typing import Literal

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import Fraction
from keras_gen.networks.added_inputs_and_heads import copied
from keras_gen.networks.blocks import batch_norm, float32, halved_sides


@checked_arguments
def conv_classifier(
    channels: int = 3,
    outputs: int = 10,
    widths: tuple = (32, 64, 128),
    first_kernel: int = 3,
    pooling: Literal["max", "average"] | None = None,
    dropout: Fraction = 0.0,
    seed: int = 0,
) -> keras.Model:
    """Builds convolutions with batch normalization and ReLU, followed by linear logits.

    Metrics use this classifier, so it is float32 regardless of the global dtype policy, and its
    initial weights depend only on the seed.

    Args:
        channels: Number of channels of the images.
        outputs: Number of logits per image.
        widths: Number of channels in each convolution; each convolution halves height and width.
        first_kernel: Side length of the first convolution's kernel; all other kernels are 3x3.
        pooling: If None, convolutions have stride 2. With "max" or "average", they have stride 1
            and are followed by the maximum or the mean over 2x2 positions. Pooling takes longer
            than strides, but the features change less when an image is shifted by a pixel.
        dropout: Fraction of the features to drop before the linear layer.
        seed: Seed for the weights and the dropout.

    Returns:
        A model that maps images `[batch, height, width, channels]` of any size, uint8 or floats in
        [0, 255], to a dict of float32 tensors: "features" `[batch, widths[-1]]` and "logits"
        `[batch, outputs]`.

    Example:
        >>> logits = conv_classifier(channels=1)(np.zeros((2, 28, 28, 1), "uint8"))["logits"]
    """
    dtype = "float32"
    # Images are not cast to uint8, because a cast to integers has no gradient.
    images = keras.Input((None, None, channels), dtype="float32")
    x = layers.Rescaling(1 / 127.5, offset=-1, dtype=dtype)(images)
    for depth, width in enumerate(widths):
        x = layers.Conv2D(
            width,
            kernel_size=3 if depth else first_kernel,
            strides=1 if pooling else 2,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.HeNormal(seed=seed + depth),
            dtype=dtype,
        )(x)
        # With the default momentum of 0.99, the moving statistics lag behind in short runs.
        x = layers.BatchNormalization(momentum=0.9, dtype=dtype)(x)
        x = layers.ReLU(dtype=dtype)(x)
        if pooling == "max":
            x = layers.MaxPooling2D(2, dtype=dtype)(x)
        elif pooling == "average":
            x = layers.AveragePooling2D(2, dtype=dtype)(x)
    features = layers.GlobalAveragePooling2D(dtype=dtype)(x)
    x = layers.Dropout(dropout, seed=seed, dtype=dtype)(features) if dropout else features
    initializer = keras.initializers.GlorotUniform(seed=seed)
    logits = layers.Dense(outputs, kernel_initializer=initializer, dtype=dtype)(x)
    return keras.Model(images, {"features": features, "logits": logits}, name="classifier")


@checked_arguments
def activation_maps(classifier: keras.Model) -> keras.Model:
    """Returns a network that maps images to a classifier's activations, for feature losses.

    Args:
        classifier: Result of `conv_classifier`, alone or inside another model. The new network
            shares the classifier's layers.

    Returns:
        A model that maps float images `[batch, height, width, channels]` in [-1, 1] to a list of
        float32 maps, one per ReLU.

    Raises:
        ValueError: If the classifier has no layer that scales images, or no ReLU.

    Example:
        >>> maps = activation_maps(conv_classifier())(np.zeros((2, 32, 32, 3), "float32"))
    """
    inner = [layer for layer in classifier.layers if isinstance(layer, keras.Model)]
    found = (inner or [classifier])[0].layers
    scaled = [layer.output for layer in found if isinstance(layer, layers.Rescaling)]
    maps = [layer.output for layer in found if isinstance(layer, layers.ReLU)]
    if not (scaled and maps):
        raise ValueError(
            f"The network '{classifier.name}' has {len(scaled)} layers that scale images and "
            f"{len(maps)} ReLUs: expected the layers that conv_classifier builds."
        )
    return keras.Model(scaled[0], maps, name="features")


@checked_arguments
def classifier_on(
    encoder: keras.Model, classes: int = 10, data_range: tuple[float, float] = (0.0, 1.0)
) -> keras.Model:
    """Builds a classifier on top of a trained encoder, for fine-tuning and linear probes.

    Args:
        encoder: Network that maps floats in `data_range` to codes, which must be the network's
            first output. The classifier contains a copy with the same weights, so the original
            encoder does not change.
        classes: Number of logits per image.
        data_range: Encoder inputs that represent the levels 0 and 255.

    Returns:
        A model that maps images `[batch, height, width, channels]`, uint8 or floats in [0, 255], to
        float32 logits `[batch, classes]`. Its layer "encoder" can be frozen before `compile`.

    Example:
        >>> network = classifier_on(conv_encoder((32, 32, 3), latent_dim=64))
    """
    copy = copied(encoder, "encoder")
    low, high = data_range
    images = keras.Input(encoder.input_shape[1:], dtype="float32")
    codes = copy(layers.Rescaling((high - low) / 255, offset=low)(images))
    codes = layers.Flatten()(codes[0] if isinstance(codes, list | tuple) else codes)
    return keras.Model(images, layers.Dense(classes, dtype="float32")(codes), name="classifier")


@checked_arguments
def lenet(
    image_shape: tuple = (28, 28, 1), classes: int = 10, filters: int = 20, hidden: int = 500
) -> tuple[keras.Model, keras.Model]:
    """Builds an encoder of two convolutions and a dense layer, and a linear classifier.

    LeCun, Bottou, Bengio, Haffner: "Gradient-Based Learning Applied to Document Recognition",
    Proceedings of the IEEE 1998, with max pooling instead of average pooling and with a single
    ReLU, as in Caffe.

    Args:
        image_shape: `(height, width, channels)` of the images, with sides of at least 16 pixels.
        classes: Number of classes.
        filters: Number of channels in the first convolution; the second convolution has 2.5 times
            as many.
        hidden: Number of features, which are the outputs of the dense layer.

    Returns:
        The encoder, which maps images in [0, 1] to nonnegative float32 features `[batch, hidden]`,
        and the classifier, which maps features to float32 logits `[batch, classes]`.

    Raises:
        ValueError: If a side is too short.

    Example:
        >>> encoder, classifier = lenet((28, 28, 1), filters=4, hidden=16)
    """
    if min(image_shape[:2]) < 16:
        raise ValueError(
            f"image_shape is {image_shape}: expected sides of at least 16 pixels for LeNet."
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
    """Builds `lenet` with strides instead of max pooling, and with batch normalization.

    Max pooling would reduce robustness, because a few pixels would determine its result.

    Args:
        image_shape: `(height, width, channels)` of the images, with sides of at least 4 pixels.
        classes: Number of classes.
        filters: Number of channels in the first 4x4 convolution; the second convolution has twice
            as many.
        hidden: Number of features, which are the outputs of the dense layer.

    Returns:
        See `lenet`.

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
    """Returns the linear classifier of features."""
    features = keras.Input((hidden,))
    logits = float32(layers.Dense(classes)(features))
    return keras.Model(features, logits, name="classifier")
