"""Networks of VAEs with several layers of latents, one per conditional distribution."""

import itertools
import math

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.networks.blocks import float32

MINIMUM_VARIANCE = 1e-4


@checked_arguments(axes=None)
def ladder_networks(
    image_shape: tuple = (28, 28, 1),
    latent_dims: tuple[int, ...] = (64, 32, 16, 8, 4),
    hidden: tuple[int, ...] = (512, 256, 128, 64, 32),
    params_per_value: int = 1,
) -> dict:
    """Builds the dense networks of a `keras_gen.vae.LadderVAE`, in a dict of its arguments.

    As in Sønderby et al. (2016), sec. 3, each distribution has two layers with leaky ReLU; the
    default sizes are the paper's. Variances are softplus + 1e-4. Deviation: there is no batch
    normalization.

    Args:
        image_shape: Shape of an example.
        latent_dims: Number of dimensions of each layer's latents, starting with layer 1, which is
            next to the data.
        hidden: Number of units in each layer's networks.
        params_per_value: Number of likelihood parameters per value.

    Example:
        >>> networks = ladder_networks((28, 28, 1), latent_dims=(16, 8), hidden=(128, 64))
    """
    bottom_up = []
    shape = tuple(image_shape)
    for number, (dim, units) in enumerate(zip(latent_dims, hidden, strict=True), 1):
        x = keras.Input(shape)
        y = _leaky(layers.Flatten()(x), units)
        features = [] if number == len(latent_dims) else [float32(y)]
        network = keras.Model(x, [*features, *_normal(y, dim)], name=f"bottom_up_{number}")
        bottom_up.append(network)
        shape = (units,)
    top_down = []
    for number, (dim, above) in enumerate(itertools.pairwise(latent_dims), 1):
        z = keras.Input((above,))
        outputs = _normal(_leaky(z, hidden[number]), dim)
        top_down.append(keras.Model(z, outputs, name=f"top_down_{number}"))
    z = keras.Input((latent_dims[0],))
    image = _image(_leaky(z, hidden[0]), image_shape, params_per_value)
    decoder = keras.Model(z, image, name="decoder")
    return dict(bottom_up=bottom_up, top_down=top_down, decoder=decoder)


@checked_arguments(axes=None)
def biva_networks(
    image_shape: tuple = (28, 28, 1),
    latent_dims: tuple[int, ...] = (48, 40, 32, 24, 16, 8),
    units: int = 300,
    params_per_value: int = 1,
) -> dict:
    """Builds the dense residual networks of a `keras_gen.vae.BIVA`, in a dict of its arguments.

    Features with `units` values bypass all layers of latents; each network adds the output of two
    dense layers to these features. The latent dimensions and ELU are from the authors' code for
    MNIST. Variances are softplus + 1e-4. Deviations, which allow training in minutes without a GPU:
    dense layers instead of gated residual convolutions with 64 channels, and neither weight
    normalization nor dropout.

    Args:
        image_shape: Shape of an example.
        latent_dims: Number of dimensions of the variables in each layer, starting with layer 1.
        units: Number of units in all hidden layers.
        params_per_value: Number of likelihood parameters per value.

    Example:
        >>> networks = biva_networks((28, 28, 1), latent_dims=(16, 8, 4), units=200)
    """

    def residual(inputs):
        flat = [layers.Flatten()(x) for x in inputs]
        y = layers.Dense(units)(layers.Dense(units, "elu")(_concatenated(flat)))
        return layers.ELU()(_added(y, flat))

    top = len(latent_dims)
    bottom_up = []
    shapes = [[tuple(image_shape)]]  # for each layer, the shapes of its features and latents
    for number, dim in enumerate(latent_dims, 1):
        inputs = [keras.Input(shape) for shape in shapes[-1]]
        features = residual(inputs)
        q = _normal(features, dim)
        shapes.append([features.shape[1:], q[0].shape[1:]])
        outputs = q if number == top else [float32(features), *q]
        bottom_up.append(keras.Model(inputs, outputs, name=f"bottom_up_{number}"))

    def from_above(layer):
        """Returns inputs for the features, z^BU, and z^TD; for the top layer, only for z_L."""
        features, z = shapes[layer]
        return [keras.Input(shape) for shape in ([z] if layer == top else [features, z, z])]

    lateral = []
    top_down = []
    for number, dim in enumerate(latent_dims[:-1], 1):
        both = [keras.Input(shapes[number][0]) for _ in range(2)]
        lateral.append(keras.Model(both, _normal(residual(both), dim), name=f"lateral_{number}"))
        inputs = from_above(number + 1)
        features = residual(inputs)
        outputs = [float32(features), *_normal(features, dim), *_normal(features, dim)]
        top_down.append(keras.Model(inputs, outputs, name=f"top_down_{number}"))
    inputs = from_above(1)
    image = _image(residual(inputs), image_shape, params_per_value)
    decoder = keras.Model(inputs, image, name="decoder")
    return dict(bottom_up=bottom_up, lateral=lateral, top_down=top_down, decoder=decoder)


def _concatenated(inputs):
    return layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]


def _added(y, inputs):
    """Adds the features, which are the first of several inputs, to `y`."""
    return layers.Add()([inputs[0], y]) if len(inputs) > 1 else y


def _leaky(x, units):
    for _ in range(2):
        x = layers.LeakyReLU(negative_slope=0.1)(layers.Dense(units)(x))
    return x


def _normal(x, dim) -> list:
    """Returns the mean and the log variance; the variance is a softplus, initially about 1."""
    # With an exponential instead of the softplus, samples in upper layers could be so large that
    # lower layers overflow.
    mean = layers.Dense(dim, dtype="float32")(x)
    bias = keras.initializers.Constant(math.log(math.e - 1))
    y = layers.Dense(dim, dtype="float32", bias_initializer=bias)(x)
    return [mean, keras.ops.log(keras.ops.softplus(y) + MINIMUM_VARIANCE)]


def _image(x, image_shape, params_per_value):
    shape = (*image_shape[:-1], image_shape[-1] * params_per_value)
    x = layers.Dense(math.prod(shape), dtype="float32")(x)
    return layers.Reshape(shape, dtype="float32")(x)
