"""Networks of two small GANs: one with maxout units (Goodfellow et al. 2014), and the Dirac-GAN."""

import keras
from keras import layers, ops

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import Fraction
from keras_gen.layers import Dropout


@checked_arguments(axes=None)
def maxout_discriminator(
    image_shape: tuple = (28, 28, 1),
    hidden: tuple[int, ...] = (240, 240),
    pieces: int = 5,
    dropout: Fraction = 0.5,
) -> keras.Model:
    """Builds dense layers of maxout units with dropout, and one logit.

    Goodfellow, Warde-Farley, Mirza, Courville, Bengio: "Maxout Networks", ICML 2013. A unit is the
    maximum of several linear functions of its inputs. The default layer sizes are from the MNIST
    code of Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014.

    Args:
        image_shape: Shape of an image.
        hidden: Number of units in each hidden layer.
        pieces: Number of linear functions per unit.
        dropout: Fraction of the hidden units set to zero in training. In addition, 0.4 times this
            fraction of the pixels is set to black.

    Returns:
        A model that maps images in [-1, 1] to float32 logits `[batch, 1]`.

    Example:
        >>> discriminator = maxout_discriminator((28, 28, 1), hidden=(32,), pieces=2)
    """
    images = keras.Input(image_shape)
    # Pixels are scaled to [0, 1], as in the authors' code, so that a dropped pixel is black, not
    # gray.
    x = layers.Flatten()(layers.Rescaling(0.5, offset=0.5)(images))
    x = Dropout(rate=0.4 * dropout)(x)
    for units in hidden:
        linear = layers.Reshape((units, pieces))(layers.Dense(units * pieces)(x))
        x = Dropout(rate=dropout)(ops.max(linear, axis=-1))
    logits = layers.Dense(1, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="discriminator")


@checked_arguments
def dirac_networks(theta: float = 1.0, psi: float = 1.0) -> tuple[keras.Model, keras.Model]:
    """Builds the two networks of the Dirac-GAN, which have one parameter each.

    Mescheder, Geiger, Nowozin: "Which Training Methods for GANs do actually Converge?", ICML 2018,
    definition 2.1. The generator returns theta for all latents, the discriminator's logit for x is
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
