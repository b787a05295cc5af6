"""The networks of a conditional VAE whose condition is an image (Sohn, Lee, Yan 2015)."""

import math

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments


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
