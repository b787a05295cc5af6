"""Further outputs of a network, and another way to its output."""

import keras
from keras import layers

from keras_gen.networks.blocks import batch_norm


def with_head(
    network: keras.Model, units: int, name: str = "logits", hidden: int | None = None
) -> keras.Model:
    """Adds an output to a network: a linear layer beside that of its first output.

    A variational encoder that also classifies, as that of a debiasing VAE does, is
    `with_head(mlp_encoder(heads=("mean", "log_variance")), classes)`.

    Args:
        network: A functional model whose first output comes from a layer of one input, which the
            new layer takes too. Its layers are shared, so use the result in its place.
        units: Of the new output.
        name: Of the new layer.
        hidden: Units of a dense layer before it, with batch normalization and leaky ReLU of slope
            0.1; None for no such layer.

    Returns:
        A model of the same name and inputs, whose outputs are those of the network and, last, the
        new one, float32 `[batch, units]`.

    Raises:
        ValueError: If a layer has that name already.

    Example:
    ```python
    from keras_gen.networks import mlp_encoder

    encoder = with_head(mlp_encoder(latent_dim=8, heads=("mean", "log_variance")), 2)
    ```
    """
    if name in (layer.name for layer in network.layers):
        raise ValueError(f"The network '{network.name}' has a layer '{name}': choose another name.")
    x = last_features(network)
    if hidden:
        x = layers.LeakyReLU(negative_slope=0.1)(batch_norm()(layers.Dense(hidden)(x)))
    head = layers.Dense(units, dtype="float32", name=name)(x)
    return keras.Model(network.input, [*network.outputs, head], name=network.name)


def with_projection(network: keras.Model, classes: int) -> keras.Model:
    """Makes a discriminator ask whether an image is real *and* of its class, by a projection.

    Miyato, Koyama: "cGANs with Projection Discriminator", ICLR 2018, fig. 1d: to the logit psi of
    the features phi(x) the inner product of phi(x) and an embedding of the class y is added. It is
    the form that the optimal discriminator has if the log-likelihood of classes is linear in phi.

    Args:
        network: A functional model whose output comes from a dense layer of one unit on features
            `[batch, features]`. Its layers are shared, so use the result in its place.
        classes: Number of classes.

    Returns:
        A model of the same name from what the network takes and int32 labels `[batch]` to float32
        logits `[batch, 1]`.

    Raises:
        ValueError: If the network ends otherwise.

    Example:
    ```python
    from keras_gen.networks import info_gan_discriminator

    discriminator = with_projection(info_gan_discriminator((28, 28, 1), filters=16), 10)
    ```
    """
    features = last_features(network)
    shapes = [tuple(output.shape) for output in network.outputs]
    if shapes != [(None, 1)] or len(features.shape) != 2:
        raise ValueError(
            f"The network '{network.name}' makes {shapes} of {features.shape}: expected one logit "
            "of features [batch, number] by a dense layer."
        )
    labels = keras.Input((), dtype="int32", name="labels")
    embedded = layers.Embedding(classes, features.shape[1], name="projection")(labels)
    product = layers.Dot(axes=1, dtype="float32")([features, embedded])
    logits = layers.Add(dtype="float32")([network.outputs[0], product])
    return keras.Model([network.input, labels], logits, name=network.name)


def with_layer(network: keras.Model, layer: keras.layers.Layer) -> keras.Model:
    """Puts a layer before the last one of a network, which starts afresh with it.

    Args:
        network: A functional model whose output comes from a dense layer. Its other layers are
            shared, so use the result in its place.
        layer: Of what the last layer took, such as `MinibatchDiscrimination(features=16)`.

    Returns:
        A model of the same name, inputs and shape of output.

    Example:
    ```python
    from keras_gen.layers import MinibatchDiscrimination
    from keras_gen.networks import mlp_encoder

    network = mlp_encoder((2,), 1, hidden=(32,))
    discriminator = with_layer(network, MinibatchDiscrimination(features=8))
    ```
    """
    last = network.get_layer(network.output_names[0])
    outputs = type(last).from_config(last.get_config())(layer(last.input))
    return keras.Model(network.input, outputs, name=network.name)


def last_features(network: keras.Model) -> keras.KerasTensor:
    """Returns what the layer of a network's first output takes."""
    return network.get_layer(network.output_names[0]).input
