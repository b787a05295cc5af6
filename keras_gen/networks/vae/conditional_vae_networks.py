"""Networks of conditional VAEs: on images (Sohn, Lee, Yan 2015), and M2 (Kingma et al. 2014)."""

import math

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import Positive
from keras_gen.networks.added_inputs_and_heads import with_labels
from keras_gen.networks.mlp import mlp_decoder, mlp_encoder


@checked_arguments(axes=None)
def conditional_vae_networks(
    shape: tuple,
    conditions: tuple,
    latent_dim: int = 50,
    hidden: tuple[int, ...] = (500, 500),
    activation: str = "relu",
    params_per_value: int = 1,
) -> dict[str, keras.Model]:
    """Builds dense networks for examples and conditions of any shape.

    Sohn, Lee, Yan: "Learning Structured Output Representation using Deep Conditional Generative
    Models", NeurIPS 2015, sec. 4. There is a recognition network q(z|x,c), a generation network
    p(x|z,c), and a prior network p(z|c).

    Args:
        shape: Shape of an example, such as `(14, 14, 3)`.
        conditions: Shape of an example's condition, such as `(14, 14, 1)`.
        latent_dim: Number of latent dimensions.
        hidden: Number of units in each hidden layer of each network.
        activation: Activation of the hidden layers.
        params_per_value: Number of likelihood parameters per value.

    Returns:
        A dict of three networks: "encoder", which maps examples and conditions to the mean and the
        log variance, each float32 `[batch, latent_dim]`; "decoder", which maps latents and
        conditions to float32 `[batch, *shape]` with `params_per_value` times as many channels; and
        "prior", which maps conditions to the mean and the log variance.

    Example:
        >>> networks = conditional_vae_networks((14, 14, 3), (14, 14, 1), latent_dim=20)
    """
    examples = keras.Input(shape, name="examples")
    condition = keras.Input(conditions, name="conditions")
    latents = keras.Input([latent_dim], name="latents")
    flat = layers.Flatten()(condition)

    both = layers.Concatenate()([layers.Flatten()(examples), flat])
    posterior = _distribution(_hidden(both, hidden, activation), latent_dim)
    encoder = keras.Model([examples, condition], posterior, name="encoder")

    prior = _distribution(_hidden(flat, hidden, activation), latent_dim)
    prior = keras.Model(condition, prior, name="prior")

    parameters = (*shape[:-1], shape[-1] * params_per_value)
    x = _hidden(layers.Concatenate()([latents, flat]), hidden, activation)
    x = layers.Dense(math.prod(parameters), dtype="float32")(x)
    x = layers.Reshape(parameters, dtype="float32")(x)
    decoder = keras.Model([latents, condition], x, name="decoder")
    return {"encoder": encoder, "decoder": decoder, "prior": prior}


def _hidden(x, hidden, activation):
    for units in hidden:
        x = layers.Dense(units, activation)(x)
    return x


def _distribution(x, latent_dim):
    """Returns the mean and log variance of latents."""
    return [
        layers.Dense(latent_dim, dtype="float32", name=name)(x)
        for name in ("mean", "log_variance")
    ]


@checked_arguments(axes=None)
def m2_networks(
    shape: tuple,
    classes: int = 10,
    latent_dim: int = 50,
    hidden: tuple[int, ...] = (500,),
    activation: str = "softplus",
    params_per_value: int = 1,
    deviation: Positive | None = 0.001,
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Builds the dense networks of M2, by default with the paper's sizes.

    As in the authors' code, all weights start near zero, so that no class is preferred at first.

    Args:
        shape: Shape of an example, such as `(28, 28, 1)`, or `(50,)` for the latents of another
            model.
        classes: Number of classes.
        latent_dim: Number of latent dimensions.
        hidden: Number of units in each hidden layer of each network.
        activation: Activation of the hidden layers.
        params_per_value: Number of likelihood parameters per value.
        deviation: Standard deviation of the normal initial weights. If None, Glorot's
            initialization is used.

    Returns:
        The encoder, which maps examples and int32 labels to the mean and the log variance; the
        decoder, which maps latents and labels to `[batch, *shape]` with `params_per_value` times as
        many channels; and the classifier, which maps examples to logits.

    Example:
        >>> encoder, decoder, classifier = m2_networks((28, 28, 1), classes=10)
    """
    values = math.prod(shape) + classes
    parameters = (*shape[:-1], shape[-1] * params_per_value)
    heads = ("mean", "log_variance")
    encoder = mlp_encoder((values,), latent_dim, hidden, activation, heads=heads)
    decoder = mlp_decoder(parameters, latent_dim + classes, hidden, activation)
    classifier = mlp_encoder(
        shape, classes, hidden, activation, heads=("logits",), name="classifier"
    )
    if deviation is not None:
        for network in (encoder, decoder, classifier):
            for layer in network.layers:
                if isinstance(layer, keras.layers.Dense):
                    draw = keras.initializers.RandomNormal(stddev=deviation)
                    layer.kernel.assign(draw(layer.kernel.shape))
    return with_labels(encoder, classes, shape=shape), with_labels(decoder, classes), classifier
