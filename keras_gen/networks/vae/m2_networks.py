"""The networks of M2 (Kingma, Mohamed, Rezende, Welling 2014)."""

import math

import keras

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import Positive
from keras_gen.networks.added_inputs_and_heads import with_labels
from keras_gen.networks.mlp import mlp_decoder, mlp_encoder


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
