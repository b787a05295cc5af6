"""The discriminator of the first GAN (Goodfellow et al. 2014)."""

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

    Goodfellow, Warde-Farley, Mirza, Courville, Bengio: "Maxout Networks", ICML 2013: a unit is the
    maximum of several linear functions of its inputs. The sizes are from the MNIST code of
    Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014.

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
    # Scale pixels to [0, 1], as in the authors' code, so that a dropped pixel is black, not gray.
    x = layers.Flatten()(layers.Rescaling(0.5, offset=0.5)(images))
    x = Dropout(rate=0.4 * dropout)(x)
    for units in hidden:
        linear = layers.Reshape((units, pieces))(layers.Dense(units * pieces)(x))
        x = Dropout(rate=dropout)(ops.max(linear, axis=-1))
    logits = layers.Dense(1, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="discriminator")
