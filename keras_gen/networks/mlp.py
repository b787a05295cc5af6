"""Fully connected encoders and decoders for latent-variable models of small images."""

import math
from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.data import Column
from keras_gen.data.transforms.cells import require_cells
from keras_gen.declared import Fraction
from keras_gen.layers import Dropout, RowFeatures
from keras_gen.losses.likelihoods.cells import CellLikelihood

SMALLEST_MEAN = 0.001  # lower limit for mean pixels, so that their logits are finite


@checked_arguments(axes=None)
def mlp_encoder(
    image_shape: tuple = (28, 28, 1),
    latent_dim: int | tuple[int, ...] = 50,
    hidden: tuple[int, ...] = (200, 200),
    activation: str = "tanh",
    heads: tuple[str, ...] = ("codes",),
    output_activation: str | None = None,
    gain: float | None = None,
    output_gain: float = 1.0,
    dropout: Fraction = 0.0,
    name: str = "encoder",
) -> keras.Model:
    """Builds a dense encoder with the layer sizes of Burda et al. (2016).

    Args:
        image_shape: Shape of an example.
        latent_dim: Number of latent dimensions, or their shape, such as `(variables, classes)`.
        hidden: Number of units in each hidden layer.
        activation: Activation of the hidden layers.
        heads: Names of the outputs, which are codes or the parameters of a distribution over the
            latents, such as `("mean", "log_variance")`.
        output_activation: Activation of the heads.
        gain: Factor applied to the hidden layers' initial weights. By default, the factor is 4 for
            "sigmoid", whose slope is a quarter of the slope of tanh, and 1 for other activations.
        output_gain: Factor applied to the heads' initial weights.
        dropout: Fraction of the inputs set to zero in training; the remaining inputs are scaled up.
        name: Name of the model.

    Returns:
        A model that maps `[batch, *image_shape]` to a list of heads, or to a single head if there
        is only one. Each head is float32 `[batch, latent_dim]`, or `[batch, *latent_dim]` if
        `latent_dim` is a shape.

    Example:
        >>> encoder = mlp_encoder((28, 28, 1), latent_dim=20, hidden=(500,))
    """
    inputs = keras.Input(image_shape)
    x = layers.Flatten()(inputs)
    x = _hidden(Dropout(rate=dropout)(x) if dropout else x, hidden, activation, gain)
    shape = latent_dim if isinstance(latent_dim, tuple) else (latent_dim,)
    results = [
        _dense(math.prod(shape), output_activation, output_gain, dtype="float32", name=head)(x)
        for head in heads
    ]
    if len(shape) > 1:
        results = [layers.Reshape(shape, dtype="float32")(head) for head in results]
    return keras.Model(inputs, results, name=name)


@checked_arguments(axes=None)
def mlp_decoder(
    image_shape: tuple = (28, 28, 1),
    latent_dim: int | tuple[int, ...] = 50,
    hidden: tuple[int, ...] = (200, 200),
    activation: str = "tanh",
    gain: float | None = None,
    output_activation: str | None = None,
    name: str = "decoder",
) -> keras.Model:
    """Builds the mirror image of the encoder, which returns the likelihood's parameters.

    Args:
        image_shape: Shape of the output: the shape of an example with `params_per_value` times as
            many channels.
        latent_dim: Number of latent dimensions, or their shape.
        hidden: Number of units in each hidden layer.
        activation: Activation of the hidden layers.
        gain: Factor applied to the hidden layers' initial weights, as in `mlp_encoder`.
        output_activation: Activation of the last layer, such as `"tanh"` for a generator of images
            in [-1, 1].
        name: Name of the model.

    Returns:
        A model that maps latents `[batch, latent_dim]`, or `[batch, *latent_dim]`, to float32
        `[batch, *image_shape]`.

    Example:
        >>> decoder = mlp_decoder((28, 28, 1), latent_dim=20, hidden=(500,))
    """
    inputs = keras.Input(latent_dim if isinstance(latent_dim, tuple) else (latent_dim,))
    x = layers.Flatten()(inputs) if len(inputs.shape) > 2 else inputs
    x = _hidden(x, hidden, activation, gain)
    x = layers.Dense(math.prod(image_shape), output_activation, dtype="float32")(x)
    return keras.Model(inputs, layers.Reshape(image_shape, dtype="float32")(x), name=name)


@checked_arguments
def start_at_mean(decoder: keras.Model, images: np.ndarray) -> None:
    """Sets the last biases of a decoder or generator so that it initially returns the mean image.

    The biases become the logits of the mean, as in the code of Burda et al. (2016). Otherwise, the
    model learns only the mean in the first steps, while the latents collapse to the prior. A
    generator that ends with tanh starts at the mean image scaled to [-1, 1], as in the code of
    Goodfellow et al. (2014).

    Args:
        decoder: Network that ends with a dense layer that has one Bernoulli logit or one tanh per
            pixel.
        images: Training images `[n, height, width, channels]` in [0, 1].

    Example:
        >>> decoder = mlp_decoder((28, 28, 1), latent_dim=20, hidden=(500,))
        >>> start_at_mean(decoder, np.random.default_rng(0).binomial(1, 0.1, (100, 28, 28, 1)))
    """
    mean = np.mean(images, axis=0, dtype="float64")
    bias = decoder.trainable_variables[-1]
    if mean.size != bias.shape[-1]:
        raise ValueError(
            f"images has shape {np.shape(images)}: expected [n, height, width, channels], with "
            f"{bias.shape[-1]} values per image, as returned by the decoder."
        )
    if not (np.min(images) >= 0 and np.max(images) <= 1):
        raise ValueError(
            f"The images range from {np.min(images)} to {np.max(images)}: expected values in [0, "
            "1], as returned by keras_gen.data.binarize, or pixels divided by 255."
        )
    ends = [layer.activation for layer in decoder.layers if isinstance(layer, layers.Dense)][-1]
    scales = {keras.activations.linear: 1.0, keras.activations.tanh: 0.5}
    if ends not in scales:
        raise ValueError(
            f"The decoder ends with {ends.__name__}: expected logits or tanh. Pass None or "
            "'tanh' as output_activation."
        )
    mean = np.clip(mean.ravel(), SMALLEST_MEAN, 1 - SMALLEST_MEAN)
    bias.assign(scales[ends] * np.log(mean / (1 - mean)))  # 2 sigmoid(x) - 1 is tanh(x / 2)


@checked_arguments(axes=None)
def mlp_networks(
    image_shape: tuple = (28, 28, 1),
    latent_dim: int | tuple[int, ...] = 50,
    hidden: tuple[int, ...] = (200, 200),
    activation: str = "tanh",
    *,
    gain: float | None = None,
    **options,
) -> tuple[keras.Model, keras.Model]:
    """Builds an `mlp_encoder`, and the `mlp_decoder` that mirrors its hidden layers.

    For the arguments, see `mlp_encoder`; `options` are additional arguments for `mlp_encoder`.

    Example:
        >>> encoder, decoder = mlp_networks((28, 28, 1), latent_dim=20, hidden=(500, 100))
    """
    encoder = mlp_encoder(image_shape, latent_dim, hidden, activation, gain=gain, **options)
    return encoder, mlp_decoder(image_shape, latent_dim, hidden[::-1], activation, gain)


@checked_arguments
def table_networks(
    columns: Sequence[Column],
    latent_dim: int = 16,
    hidden: tuple[int, ...] = (192, 192),
    activation: str = "silu",
) -> tuple[keras.Model, keras.Model]:
    """Builds the networks of `VAE.for_table`: dense layers on the features of a row's cells.

    The decoder's outputs start at 0, which represents the frequencies in the training rows.

    Args:
        columns: Columns with cells, as returned by `keras_gen.data.table_columns`.
        latent_dim: Number of latent dimensions.
        hidden: Number of units in each hidden layer of the encoder, mirrored by the decoder.
        activation: Activation of the hidden layers.

    Returns:
        An encoder that maps cells, float32 `[batch, columns]` with -1 for missing values, to the
        mean and the log variance of the latents, and a decoder that maps latents to float32
        `[batch, columns * parameters]`, in the order `[column, parameter]`.

    Example:
        >>> from keras_gen.data import table_columns
        >>> encoder, decoder = table_networks(table_columns({"age": [3, 5]}), hidden=(8,))
    """
    columns = require_cells(columns)
    cells = keras.Input((len(columns),))
    x = _hidden(RowFeatures(columns)(cells), hidden, activation, None)
    heads = [
        _dense(latent_dim, None, 1.0, dtype="float32", name=head)(x)
        for head in ("mean", "log_variance")
    ]
    latents = keras.Input((latent_dim,))
    x = _hidden(latents, hidden[::-1], activation, None)
    size = len(columns) * CellLikelihood(columns).params_per_value
    outputs = layers.Dense(size, kernel_initializer="zeros", dtype="float32")(x)
    encoder = keras.Model(cells, heads, name="encoder")
    return encoder, keras.Model(latents, outputs, name="decoder")


@checked_arguments(axes=None)
def one_layer_networks(
    image_shape: tuple = (28, 28, 1), latent_dim: int = 1000, activation: str = "sigmoid"
) -> tuple[keras.Model, keras.Model]:
    """Builds a regularized autoencoder's networks: a single layer "codes" and a linear decoder.

    Args:
        image_shape: Shape of an example.
        latent_dim: Number of latent dimensions.
        activation: Activation of the codes.

    Example:
        >>> encoder, decoder = one_layer_networks((28, 28, 1), latent_dim=200)
    """
    encoder = mlp_encoder(image_shape, latent_dim, hidden=(), output_activation=activation)
    return encoder, mlp_decoder(image_shape, latent_dim, hidden=())


@checked_arguments
def linear_networks(mean: np.ndarray, latent_dim: int = 30) -> tuple[keras.Model, keras.Model]:
    """Builds the networks of a linear autoencoder: one matrix for encoding, and one for decoding.

    Args:
        mean: Mean of the examples, which the encoder subtracts and the decoder adds.
        latent_dim: Number of latent dimensions.

    Example:
        >>> encoder, decoder = linear_networks(np.full((28, 28, 1), -0.7), latent_dim=30)
    """
    mean = np.asarray(mean, "float32")
    # Pixel means are passed as lists, because a network's JSON cannot contain arrays.
    images = keras.Input(mean.shape)
    x = layers.Rescaling(1.0, offset=(-mean).tolist(), dtype="float32")(images)
    x = layers.Flatten()(x)
    x = layers.Dense(latent_dim, use_bias=False, dtype="float32", name="codes")(x)
    encoder = keras.Model(images, x, name="encoder")
    inputs = keras.Input((latent_dim,))
    x = layers.Dense(mean.size, use_bias=False, dtype="float32", name="components")(inputs)
    x = layers.Reshape(mean.shape)(x)
    x = layers.Rescaling(1.0, offset=mean.tolist(), dtype="float32")(x)
    return encoder, keras.Model(inputs, x, name="decoder")


def _hidden(x, sizes, activation, gain):
    if gain is None:
        gain = 4.0 if activation == "sigmoid" else 1.0
    for units in sizes:
        x = _dense(units, activation, gain)(x)
    return x


def _dense(units, activation, gain, **options):
    # The initial weights are `gain` times as large as in Glorot, Bengio (2010).
    initializer = keras.initializers.VarianceScaling(gain**2, "fan_avg", "uniform")
    return layers.Dense(units, activation, kernel_initializer=initializer, **options)
