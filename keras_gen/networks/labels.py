"""Networks that are told a class beside what they take."""

import math

import keras
from keras import layers, ops

from keras_gen.networks.mlp import draw_kernels, mlp_decoder, mlp_encoder


def with_labels(
    network: keras.Model, classes: int, name: str | None = None, shape: tuple | None = None
) -> keras.Model:
    """Makes a network of one input take labels too, as further channels of that input.

    Mirza, Osindero: "Conditional Generative Adversarial Nets", 2014, sec. 3.2 and 4.1: the label
    as a one-hot vector beside the latents, or the same at every pixel beside an image.

    Args:
        network: From `[batch, ..., channels + classes]`, so built for `classes` more channels than
            what it will take.
        classes: Number of classes.
        name: Name of the model; by default the network's.
        shape: Of what the model takes, if that is to be flattened for a network of vectors.

    Returns:
        A model from `[batch, ..., channels]`, or `[batch, *shape]`, and int32 labels `[batch]` to
        what the network returns.

    Raises:
        ValueError: If the network has not more channels than there are classes, or `shape` has
            another size.

    Example:
    ```python
    from keras_gen.networks import dcgan_discriminator, dcgan_generator

    generator = with_labels(dcgan_generator((32, 32, 1), latent_dim=64 + 10, filters=8), 10)
    discriminator = with_labels(dcgan_discriminator((32, 32, 1 + 10), filters=8), 10)
    ```
    """
    *places, channels = network.input_shape[1:]
    if channels <= classes:
        raise ValueError(
            f"The network '{network.name}' takes {channels} channels: build it for {classes} more "
            "than what it is given beside the labels."
        )
    if shape and network.input_shape[1:] != (math.prod(shape) + classes,):
        raise ValueError(
            f"The network '{network.name}' takes {network.input_shape[1:]}: build it for the "
            f"{math.prod(shape)} values of {shape} and {classes} classes."
        )
    inputs = keras.Input(shape or (*places, channels - classes))
    labels = keras.Input((), dtype="int32")
    one_hot = ops.one_hot(labels, classes, dtype=inputs.dtype)
    one_hot = ops.reshape(one_hot, (-1, *[1] * len(places), classes))
    values = layers.Flatten()(inputs) if shape else inputs
    everywhere = ops.ones_like(values[..., :1]) * one_hot
    outputs = network(ops.concatenate([values, everywhere], axis=-1))
    return keras.Model([inputs, labels], outputs, name=name or network.name)


def with_codes(network: keras.Model, codes: int) -> keras.Model:
    """Makes a network of vectors take them in two parts: latents, and codes of another meaning.

    Args:
        network: From `[batch, latents + codes]`.
        codes: How many of its inputs are codes, the last ones.

    Returns:
        A model of the same name from `[batch, latents]` and `[batch, codes]` to what the network
        returns.

    Raises:
        ValueError: If the network takes something else, or no more than the codes.

    Example:
    ```python
    from keras_gen.networks import info_gan_generator

    generator = with_codes(info_gan_generator((28, 28, 1), 62 + 12, filters=16), 12)
    ```
    """
    taken = network.input_shape[1:]
    if len(taken) != 1 or not 0 < codes < taken[0]:
        raise ValueError(
            f"The network '{network.name}' takes {taken} and there are {codes} codes: build it for "
            "a vector of the latents, at least one, and the codes, at least one."
        )
    inputs = [keras.Input((taken[0] - codes,)), keras.Input((codes,))]
    return keras.Model(inputs, network(layers.Concatenate()(inputs)), name=network.name)


def m2_networks(
    shape: tuple,
    classes: int = 10,
    latent_dim: int = 50,
    hidden: tuple[int, ...] = (500,),
    activation: str = "softplus",
    params_per_value: int = 1,
    deviation: float | None = 0.001,
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Builds the dense networks of M2, of the sizes of Kingma et al. (2014) by default.

    As in the authors' code all weights start near zero, so that no class is preferred before the
    labels and the decoder say so.

    Args:
        shape: Of an example, such as `(28, 28, 1)`, or `(50,)` of latents of another model.
        classes: Number of classes.
        latent_dim: Dimensions of the latents.
        hidden: Units of the hidden layers of each network.
        activation: Of the hidden layers.
        params_per_value: As of the likelihood: outputs of the decoder for each value.
        deviation: Of the Normal distribution that the initial weights are drawn from; None for
            those of Glorot, as `mlp_encoder` has them.

    Returns:
        The encoder, from examples and int32 labels to mean and log variance; the decoder, from
        latents and labels to `[batch, *shape]`, with more channels for several parameters; and the
        classifier, from examples to logits.

    Example:
    ```python
    encoder, decoder, classifier = m2_networks((28, 28, 1), classes=10)
    ```
    """
    values, parameters = math.prod(shape) + classes, (*shape[:-1], shape[-1] * params_per_value)
    normal, logits = ("mean", "log_variance"), ("logits",)
    encoder = mlp_encoder((values,), latent_dim, hidden, activation, heads=normal)
    decoder = mlp_decoder(parameters, latent_dim + classes, hidden, activation)
    classifier = mlp_encoder(shape, classes, hidden, activation, heads=logits, name="classifier")
    if deviation is not None:
        for network in (encoder, decoder, classifier):
            draw_kernels(network, deviation)
    return with_labels(encoder, classes, shape=shape), with_labels(decoder, classes), classifier
