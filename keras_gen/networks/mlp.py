"""Fully connected encoder and decoder for latent-variable models of small images."""

import math

import keras
from keras import layers


def mlp_encoder(
    image_shape: tuple = (28, 28, 1),
    latents: int = 50,
    hidden: tuple[int, ...] = (200, 200),
    activation: str = "tanh",
    outputs: tuple[str, ...] = ("mean", "log_variance"),
    output_activation: str | None = None,
    name: str = "encoder",
) -> keras.Model:
    """Builds the encoder of Burda et al. (2016): two tanh layers, a Normal's mean and log variance.

    With `outputs=("codes",)` it is a deterministic autoencoder's.

    Args:
        image_shape: Shape of an example.
        latents: Number of latents.
        hidden: Units of the hidden layers.
        activation: Of the hidden layers.
        outputs: What is computed of the last hidden layer, by name.
        output_activation: Of the outputs.
        name: Name of the model.

    Returns:
        A model from `[batch, *image_shape]` to the list of outputs, or to the only one, float32
        `[batch, latents]` each.

    Example:
    ```python
    encoder = mlp_encoder((28, 28, 1), latents=20, hidden=(500,))
    ```
    """
    inputs = keras.Input(image_shape)
    x = _hidden(layers.Flatten()(inputs), hidden, activation)
    results = [
        layers.Dense(latents, output_activation, dtype="float32", name=output)(x)
        for output in outputs
    ]
    return keras.Model(inputs, results, name=name)


def mlp_decoder(
    image_shape: tuple = (28, 28, 1),
    latents: int = 50,
    hidden: tuple[int, ...] = (200, 200),
    activation: str = "tanh",
    name: str = "decoder",
) -> keras.Model:
    """Builds the mirror image of the encoder, to the parameters of the likelihood.

    Args:
        image_shape: Shape of the parameters: that of an example, with more channels if the
            likelihood has several parameters a value.
        latents: Number of latents.
        hidden: Units of the hidden layers.
        activation: Of the hidden layers.
        name: Name of the model.

    Returns:
        A model from latents `[batch, latents]` to float32 `[batch, *image_shape]`.

    Example:
    ```python
    decoder = mlp_decoder((28, 28, 1), latents=20, hidden=(500,))
    ```
    """
    inputs = keras.Input((latents,))
    x = _hidden(inputs, hidden, activation)
    x = layers.Dense(math.prod(image_shape), dtype="float32")(x)
    return keras.Model(inputs, layers.Reshape(image_shape, dtype="float32")(x), name=name)


def one_layer_networks(
    image_shape: tuple = (28, 28, 1), codes: int = 1000, activation: str = "sigmoid"
) -> tuple[keras.Model, keras.Model]:
    """Builds the networks of regularised autoencoders: one layer of codes, and one back.

    Args:
        image_shape: Shape of an example.
        codes: Number of codes.
        activation: Of the codes.

    Returns:
        An encoder from `[batch, *image_shape]` to `[batch, codes]` and a linear decoder back, both
        float32. The encoder's layer with the weights is called "codes".

    Example:
    ```python
    encoder, decoder = one_layer_networks((28, 28, 1), codes=200)
    ```
    """
    outputs = dict(outputs=("codes",), output_activation=activation)
    encoder = mlp_encoder(image_shape, codes, hidden=(), **outputs)
    return encoder, mlp_decoder(image_shape, codes, hidden=())


def _hidden(x, sizes, activation):
    for units in sizes:
        x = layers.Dense(units, activation=activation)(x)
    return x
