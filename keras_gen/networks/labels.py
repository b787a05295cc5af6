"""Networks that are told a class beside what they take."""

import keras
from keras import ops


def with_labels(network: keras.Model, classes: int, name: str | None = None) -> keras.Model:
    """Makes a network of one input take labels too, as further channels of that input.

    Mirza, Osindero: "Conditional Generative Adversarial Nets", 2014, sec. 3.2 and 4.1: the label
    as a one-hot vector beside the latents, or the same at every pixel beside an image.

    Args:
        network: From `[batch, ..., channels + classes]`, so built for `classes` more channels than
            what it will take.
        classes: Number of classes.
        name: Name of the model; by default the network's.

    Returns:
        A model from `[batch, ..., channels]` and int32 labels `[batch]` to what the network
        returns.

    Raises:
        ValueError: If the network has not more channels than there are classes.

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
    inputs = keras.Input((*places, channels - classes))
    labels = keras.Input((), dtype="int32")
    one_hot = ops.one_hot(labels, classes, dtype=inputs.dtype)
    one_hot = ops.reshape(one_hot, (-1, *[1] * len(places), classes))
    everywhere = ops.ones_like(inputs[..., :1]) * one_hot
    outputs = network(ops.concatenate([inputs, everywhere], axis=-1))
    return keras.Model([inputs, labels], outputs, name=name or network.name)
