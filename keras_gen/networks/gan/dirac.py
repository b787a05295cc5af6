"""The networks of the Dirac-GAN, a game small enough to be solved by hand."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments


@checked_arguments
def dirac_networks(theta: float = 1.0, psi: float = 1.0) -> tuple[keras.Model, keras.Model]:
    """Builds the players of the Dirac-GAN, which have one parameter each.

    Mescheder, Geiger, Nowozin: "Which Training Methods for GANs do actually Converge?", ICML 2018,
    definition 2.1: the generator returns theta for all latents, the discriminator's logit for x is
    psi x, and all real examples are 0. The only equilibrium is theta = psi = 0. The arguments are
    the parameters' initial values. Both networks map `[batch, 1]` to float32 `[batch, 1]`.

    Example:
        >>> from keras_gen.gan import GAN
        >>> model = GAN(*dirac_networks(), objective="minimax", data="vectors")
    """
    ones = layers.Rescaling(0.0, offset=1.0)
    generator = [keras.Input((1,)), ones, _slope(theta, "theta")]
    discriminator = [keras.Input((1,)), _slope(psi, "psi")]
    return (
        keras.Sequential(generator, name="generator"),
        keras.Sequential(discriminator, name="discriminator"),
    )


def _slope(value, name):
    initializer = keras.initializers.Constant(value)
    return layers.Dense(1, use_bias=False, kernel_initializer=initializer, name=name)
