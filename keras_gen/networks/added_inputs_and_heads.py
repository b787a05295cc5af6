"""Functions that add inputs, outputs, or layers to a built network, or that remove latents.

Except for `copied`, each function returns a new model that shares the layers of the given network.
Use the new model instead of the given network.
"""

from collections.abc import Sequence

import keras
from keras import layers, ops

from keras_gen.arguments import checked_integer, checked_list, shown
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core.network_checks import require_logits
from keras_gen.keras_internals import origin
from keras_gen.layers import ColumnScales
from keras_gen.networks.blocks import batch_norm


@checked_arguments
def copied(network: keras.Model, name: str | None = None) -> keras.Model:
    """Returns a copy of a network that has the same weights but its own layers.

    Args:
        network: Built functional model.
        name: Name of the copy. If None, the network's name is used.

    Example:
        >>> target_encoder = copied(source_encoder, "target_encoder")
    """
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    copy.name = name or network.name
    return copy


@checked_arguments(axes=None)
def with_labels(
    network: keras.Model, classes: int, name: str | None = None, shape: tuple | None = None
) -> keras.Model:
    """Adds labels to the input of a network as additional channels.

    Mirza, Osindero: "Conditional Generative Adversarial Nets", 2014, sec. 3.2 and 4.1. The label is
    a one-hot vector that is appended to latents or repeated at every pixel of an image.

    Args:
        network: Network that accepts `[batch, ..., channels + classes]`. Its input has `classes`
            more channels than the input of the new model.
        classes: Number of classes.
        name: Name of the model. If None, the network's name is used.
        shape: Shape of the new model's input, if the network accepts flattened input.

    Returns:
        A model that maps `[batch, ..., channels]`, or `[batch, *shape]`, and int32 labels `[batch]`
        to the network's outputs.

    Example:
        >>> generator = with_labels(dcgan_generator((32, 32, 1), latent_dim=64 + 10, filters=8), 10)
    """
    *places, channels = network.input_shape[1:]
    if channels <= classes:
        raise ValueError(
            f"The network '{network.name}' accepts {channels} channels, but the labels alone "
            f"need {classes}: build the network with {classes} channels for the labels in "
            "addition to the channels of its input."
        )
    inputs = keras.Input(shape or (*places, channels - classes))
    labels = keras.Input((), dtype="int32")
    one_hot = ops.one_hot(labels, classes, dtype=inputs.dtype)
    one_hot = ops.reshape(one_hot, (-1, *[1] * len(places), classes))
    values = layers.Flatten()(inputs) if shape else inputs
    everywhere = ops.ones_like(values[..., :1]) * one_hot
    outputs = network(ops.concatenate([values, everywhere], axis=-1))
    return keras.Model([inputs, labels], outputs, name=name or network.name)


@checked_arguments
def with_codes(network: keras.Model, codes: int) -> keras.Model:
    """Splits the input vector of a network into inputs `[batch, latents]` and `[batch, codes]`.

    Args:
        network: Network that accepts `[batch, latents + codes]`, with at least one latent.
        codes: Number of codes, which are the last values of the vector.

    Example:
        >>> generator = with_codes(info_gan_generator((28, 28, 1), 62 + 12, filters=16), 12)
    """
    taken = network.input_shape[1:]
    if len(taken) != 1 or not 0 < codes < taken[0]:
        raise ValueError(
            f"The network '{network.name}' accepts inputs of shape {taken}, but there are {codes} "
            "codes: "
            "expected a vector of at least one latent and at least one code."
        )
    inputs = [keras.Input((taken[0] - codes,)), keras.Input((codes,))]
    return keras.Model(inputs, network(layers.Concatenate()(inputs)), name=network.name)


@checked_arguments
def with_head(
    network: keras.Model, units: int, name: str = "logits", hidden: int | None = None
) -> keras.Model:
    """Adds an output to a network: a linear layer on the features that precede its first output.

    Args:
        network: Functional model whose first output is computed by a layer with a single input.
            This input is the features.
        units: Number of units in the new output.
        name: Name of the new layer.
        hidden: Number of units of a dense layer before the new layer, with batch normalization and
            leaky ReLU with slope 0.1. If None, there is no such layer.

    Returns:
        A model with the same inputs, whose last output is the new output, float32 `[batch, units]`.

    Example:
        >>> encoder = with_head(mlp_encoder(latent_dim=8, heads=("mean", "log_variance")), 2)
    """
    x = _features(network)
    if hidden:
        x = layers.LeakyReLU(negative_slope=0.1)(batch_norm()(layers.Dense(hidden)(x)))
    head = layers.Dense(units, dtype="float32", name=name)(x)
    return keras.Model(network.input, [*network.outputs, head], name=network.name)


@checked_arguments
def with_projection(network: keras.Model, classes: int) -> keras.Model:
    """Adds labels to a discriminator as a projection.

    Miyato, Koyama: "cGANs with Projection Discriminator", ICLR 2018, eq. (3) and fig. 1d. The inner
    product of the features phi(x) and an embedding of the class y is added to the logit.

    Args:
        network: Functional model whose output comes from a dense layer with one unit, applied to
            features `[batch, features]`.
        classes: Number of classes.

    Returns:
        A model that maps the network's input and int32 labels `[batch]` to float32 logits `[batch,
        1]`.

    Example:
        >>> discriminator = with_projection(info_gan_discriminator((28, 28, 1), filters=16), 10)
    """
    features = _features(network)
    shapes = [tuple(output.shape) for output in network.outputs]
    if shapes != [(None, 1)] or len(features.shape) != 2:
        raise ValueError(
            f"The network '{network.name}' maps features of shape {features.shape} to {shapes}: "
            "expected one logit, computed by a dense layer from features [batch, number]."
        )
    labels = keras.Input((), dtype="int32", name="labels")
    embedded = layers.Embedding(classes, features.shape[1], name="projection")(labels)
    product = layers.Dot(axes=1, dtype="float32")([features, embedded])
    logits = layers.Add(dtype="float32")([network.outputs[0], product])
    return keras.Model([network.input, labels], logits, name=network.name)


@checked_arguments
def with_column_scales(decoder: keras.Model, minimum_scale: float = 0.03) -> keras.Model:
    """Adds one learned scale per column to a decoder that returns means; see `ColumnScales`.

    Args:
        decoder: Model with one output, the means `[batch, ..., columns]`.
        minimum_scale: Minimum scale of the likelihood.

    Returns:
        A model that maps the same inputs to `[batch, ..., 2 * columns]`, the parameters of the
        likelihood `ColumnNormal`.

    Example:
        >>> decoder = with_column_scales(mlp_decoder((8,), latent_dim=2, hidden=(64,)))
    """
    scales = ColumnScales(minimum_scale, dtype="float32", name="scales")
    return keras.Model(decoder.input, scales(decoder.output), name=decoder.name)


@checked_arguments
def with_layer(network: keras.Model, layer: keras.layers.Layer) -> keras.Model:
    """Inserts a layer before a network's last layer, and reinitializes the last layer's weights.

    Args:
        network: Functional model whose output comes from a dense layer.
        layer: Layer to apply to the features, such as `MinibatchDiscrimination(features=16)`.

    Example:
        >>> network = mlp_encoder((2,), 1, hidden=(32,))
        >>> discriminator = with_layer(network, MinibatchDiscrimination(features=8))
    """
    last = network.get_layer(network.output_names[0])
    outputs = type(last).from_config(last.get_config())(layer(last.input))
    return keras.Model(network.input, outputs, name=network.name)


@checked_arguments
def keep_latents(
    encoder: keras.Model, decoder: keras.Model, kept: Sequence
) -> tuple[keras.Model, keras.Model]:
    """Drops latents from an encoder and its decoder, such as latents that a VAE does not use.

    Before training M2, Kingma et al. (2014) drop the latents of M1 whose posterior means have a
    standard deviation of at most 0.1 (authors' code).

    Args:
        encoder: Network that maps examples to heads, each `[batch, latents]`.
        decoder: Network that accepts latents `[batch, latents]`.
        kept: Distinct indices of the latents to keep, at least one, in their new order.

    Returns:
        An encoder that returns only the kept latents, and a decoder that accepts them and sets the
        dropped latents to zero, which is the prior's mean.

    Example:
        >>> from keras_gen.vae import VAE
        >>> networks = mlp_networks(latent_dim=5, hidden=(8,), heads=("mean", "log_variance"))
        >>> model = VAE(*keep_latents(*networks, kept=[0, 3]))
    """
    count = encoder.outputs[0].shape[-1]
    kept = [checked_integer("kept", number) for number in checked_list("kept", kept)]
    if not kept or len(set(kept)) < len(kept) or min(kept) < 0 or max(kept) >= count:
        raise ValueError(
            f"kept is {kept}: expected one or more distinct numbers from 0 to "
            f"{count - 1}, the indices of the latents to keep."
        )
    heads = [ops.take(head, kept, axis=-1) for head in encoder.outputs]
    latents = keras.Input((len(kept),))
    # All dropped latents are replaced by the zero that is appended to the kept latents.
    padded = ops.pad(latents, [[0, 0], [0, 1]])
    places = [kept.index(n) if n in kept else len(kept) for n in range(count)]
    images = decoder(ops.take(padded, places, axis=-1))
    smaller = keras.Model(encoder.input, heads, name=encoder.name)
    return smaller, keras.Model(latents, images, name=decoder.name)


@checked_arguments
def split_head(network: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Splits a classifier before its last dense layer, into a feature encoder and a head.

    The encoder and the head share the layers of the network.

    Args:
        network: Built functional or sequential model that ends in a dense layer, `[batch,
            classes]`.

    Returns:
        A model that maps the network's inputs to features `[batch, features]`, and a model that
        maps these features to the network's outputs.

    Raises:
        ValueError: If the network ends in another type of layer or in a softmax.

    Example:
        >>> encoder, head = split_head(mlp_encoder((28, 28, 1), latent_dim=10, hidden=(50,)))
    """
    if not getattr(network, "outputs", None):
        raise ValueError(
            f"{shown(network)} is not a functional or sequential model, so its last layer is "
            "not known: pass encoder and classifier separately."
        )
    require_logits(network)
    dense, inputs, _ = origin(network.outputs[0])
    if not isinstance(dense, layers.Dense) or len(inputs[0].shape) != 2:
        raise ValueError(
            f"The network '{network.name}' ends in {type(dense).__name__}: expected a dense "
            "layer whose inputs have shape [batch, features]. For other networks, pass encoder "
            "and classifier separately."
        )
    encoder = keras.Model(network.inputs, inputs[0], name=f"{network.name}_encoder")
    features = keras.Input(inputs[0].shape[1:])
    return encoder, keras.Model(features, dense(features), name=f"{network.name}_head")


def _features(network):
    """Returns the input of the layer that computes a network's first output."""
    return network.get_layer(network.output_names[0]).input
