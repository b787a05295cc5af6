"""Networks of VAEs with layers of latents: one for each conditional distribution."""

import itertools
import math

import keras
from keras import layers

from keras_gen.networks.blocks import conv
from keras_gen.networks.mlp import mlp_decoder, mlp_encoder

MINIMUM_VARIANCE = 1e-4


def ladder_networks(
    image_shape: tuple = (28, 28, 1),
    latent_dims: tuple[int, ...] = (64, 32, 16, 8, 4),
    hidden: tuple[int, ...] = (512, 256, 128, 64, 32),
    parameters_per_value: int = 1,
) -> dict:
    """Builds the dense networks of a ladder VAE, two layers of leaky ReLU for each distribution.

    Sønderby et al. (2016), section 3, whose sizes are the defaults. Variances are softplus + 1e-4.

    Deviations: no batch normalization.

    Args:
        image_shape: Shape of an example.
        latent_dims: Dimensions of each layer's latents, of layer 1 (next to the data) first.
        hidden: Units of each layer's networks.
        parameters_per_value: Of the likelihood, `params_per_value`.

    Returns:
        `bottom_up`, `top_down` and `decoder`, as `keras_gen.vae.LadderVAE` takes them.

    Raises:
        ValueError: If there are not as many sizes of one kind as of the other, or none.

    Example:
    ```python
    networks = ladder_networks((28, 28, 1), latent_dims=(16, 8), hidden=(128, 64))
    ```
    """
    _check_sizes(latent_dims, hidden)
    bottom_up, shape = [], tuple(image_shape)
    for number, (dim, units) in enumerate(zip(latent_dims, hidden, strict=True), 1):
        x = keras.Input(shape)
        y = _leaky(layers.Flatten()(x), units)
        features = [] if number == len(latent_dims) else [_float32(y)]
        network = keras.Model(x, [*features, *_normal(y, dim)], name=f"bottom_up_{number}")
        bottom_up.append(network)
        shape = (units,)
    top_down = []
    for number, (dim, above) in enumerate(itertools.pairwise(latent_dims), 1):
        z = keras.Input((above,))
        outputs = _normal(_leaky(z, hidden[number]), dim)
        top_down.append(keras.Model(z, outputs, name=f"top_down_{number}"))
    z = keras.Input((latent_dims[0],))
    output = (*image_shape[:-1], image_shape[-1] * parameters_per_value)
    decoder = keras.Model(z, _image(_leaky(z, hidden[0]), output), name="decoder")
    return dict(bottom_up=bottom_up, top_down=top_down, decoder=decoder)


def iwae_networks(
    image_shape: tuple = (28, 28, 1),
    latent_dims: tuple[int, ...] = (100, 50),
    hidden: tuple[int, ...] = (200, 100),
    parameters_per_value: int = 1,
) -> dict:
    """Builds the networks of an importance-weighted autoencoder of several layers.

    Burda et al. (2016), section 5, whose sizes of two layers are the defaults: two dense layers of
    tanh for each distribution.

    Args:
        image_shape: Shape of an example.
        latent_dims: Dimensions of each layer's latents, of layer 1 (next to the data) first.
        hidden: Units of each layer's networks.
        parameters_per_value: Of the likelihood, `params_per_value`.

    Returns:
        `bottom_up`, `top_down` and `decoder`, as `keras_gen.vae.HierarchicalIWAE` takes them.

    Raises:
        ValueError: If there are not as many sizes of one kind as of the other, or none.

    Example:
    ```python
    networks = iwae_networks((28, 28, 1), latent_dims=(16, 8), hidden=(128, 64))
    ```
    """
    _check_sizes(latent_dims, hidden)
    below = [tuple(image_shape), *((dim,) for dim in latent_dims)]
    heads = ("mean", "log_variance")
    sizes = list(enumerate(zip(latent_dims, hidden, strict=True)))
    bottom_up = [
        mlp_encoder(below[i], dim, (units, units), heads=heads, name=f"bottom_up_{i + 1}")
        for i, (dim, units) in sizes
    ]
    top_down = [
        mlp_encoder((dim,), latent_dims[i - 1], (units, units), heads=heads, name=f"top_down_{i}")
        for i, (dim, units) in sizes[1:]
    ]
    output = (*image_shape[:-1], image_shape[-1] * parameters_per_value)
    decoder = mlp_decoder(output, latent_dims[0], (hidden[0], hidden[0]))
    return dict(bottom_up=bottom_up, top_down=top_down, decoder=decoder)


def biva_networks(
    image_shape: tuple = (28, 28, 1),
    latent_dims: tuple[int, ...] = (48, 40, 32, 24, 16, 8),
    units: int = 300,
    parameters_per_value: int = 1,
) -> dict:
    """Builds dense residual networks of a BIVA, in which features skip all layers of latents.

    Features are `units` numbers, to which each network adds two dense layers. The latents'
    dimensions are those of the authors' code for MNIST, and so is ELU. Variances are softplus +
    1e-4.

    Deviations: dense in place of gated residual convolutions of 64 channels, and neither weight
    normalization nor dropout: sizes that train in minutes without a GPU.

    Args:
        image_shape: Shape of an example.
        latent_dims: Dimensions of each variable of each layer, of layer 1 (next to the data) first.
        units: Of all hidden layers.
        parameters_per_value: Of the likelihood, `params_per_value`.

    Returns:
        `bottom_up`, `lateral`, `top_down` and `decoder`, as `keras_gen.vae.BIVA` takes them.

    Raises:
        ValueError: If there is no layer.

    Example:
    ```python
    networks = biva_networks((28, 28, 1), latent_dims=(16, 8, 4), units=200)
    ```
    """

    def residual(inputs):
        flat = [layers.Flatten()(x) for x in inputs]
        y = layers.Dense(units)(layers.Dense(units, "elu")(_joined(flat)))
        return layers.ELU()(_added(y, flat))

    output = (*image_shape[:-1], image_shape[-1] * parameters_per_value)
    heads = dict(normal=_normal, image=lambda y: _image(y, output))
    return _biva(image_shape, latent_dims, down=residual, level=residual, up=residual, **heads)


def conv_biva_networks(
    image_shape: tuple = (32, 32, 3),
    latent_dims: tuple[int, ...] = (8, 6, 4),
    filters: int = 64,
    parameters_per_value: int = 1,
) -> dict:
    """Builds convolutional residual networks of a BIVA, whose latents are maps.

    Each layer halves the sides of the maps; its latents are `latent_dims` channels of them. Each
    network adds two 3x3 convolutions to its features, halved or doubled in size.

    Deviations: as `biva_networks`; the convolutions have no gates, each layer halves, and none of
    the latents is dense.

    Args:
        image_shape: `(height, width, channels)`, both sides multiples of 2^(number of layers).
        latent_dims: Channels of each variable of each layer, of layer 1 (next to the data) first.
        filters: Channels of all hidden layers.
        parameters_per_value: Of the likelihood, `params_per_value`.

    Returns:
        As `biva_networks`.

    Raises:
        ValueError: If there is no layer, or the sides cannot be halved as often.

    Example:
    ```python
    networks = conv_biva_networks((32, 32, 1), latent_dims=(8, 4), filters=32)
    ```
    """
    factor = 2 ** len(latent_dims)
    if image_shape[0] % factor or image_shape[1] % factor:
        raise ValueError(
            f"{len(latent_dims)} layers that halve cannot take {image_shape[0]}x{image_shape[1]} "
            f"pixels: expected multiples of {factor}; take fewer latent_dims, or pad the images "
            "(keras_gen.data.pad_to)."
        )
    options = dict(use_bias=True, initializer="he_normal", padding="same")

    def residual(inputs, stride=1):
        y = conv(filters, 3, strides=stride, **options)(_joined(inputs))
        y = conv(filters, 3, **options)(layers.ELU()(y))
        if stride == 2:
            inputs = [layers.AveragePooling2D(2)(x) for x in inputs]
        return layers.ELU()(_added(y, inputs))

    def up(inputs):
        return residual([layers.UpSampling2D()(x) for x in inputs])

    def normal(y, dim):
        return _normal(y, dim, layers.Conv2D, kernel_size=1)

    channels = image_shape[-1] * parameters_per_value
    return _biva(
        image_shape, latent_dims, down=lambda inputs: residual(inputs, stride=2), level=residual,
        up=up, normal=normal, image=lambda y: conv(channels, 3, dtype="float32", **options)(y),
    )  # fmt: skip


def _biva(image_shape, latent_dims, down, level, up, normal, image) -> dict:
    """The networks, of functions of a list of features and latents."""
    if not latent_dims:
        raise ValueError("latent_dims is empty: expected one number for each layer of latents.")
    bottom_up, lateral, top_down, shapes = [], [], [], [[tuple(image_shape)]]
    for number, dim in enumerate(latent_dims, 1):
        inputs = [keras.Input(shape) for shape in shapes[-1]]
        features = down(inputs)
        q = normal(features, dim)
        shapes.append([features.shape[1:], q[0].shape[1:]])
        outputs = q if number == len(latent_dims) else [_float32(features), *q]
        bottom_up.append(keras.Model(inputs, outputs, name=f"bottom_up_{number}"))

    def from_above(layer):
        """Inputs of features, z^BU and z^TD; of the top layer of z_L alone."""
        features, z = shapes[layer]
        return [keras.Input(s) for s in ([z] if layer == len(latent_dims) else [features, z, z])]

    for number, dim in enumerate(latent_dims[:-1], 1):
        both = [keras.Input(shapes[number][0]) for _ in range(2)]
        lateral.append(keras.Model(both, normal(level(both), dim), name=f"lateral_{number}"))
        inputs = from_above(number + 1)
        features = up(inputs)
        outputs = [_float32(features), *normal(features, dim), *normal(features, dim)]
        top_down.append(keras.Model(inputs, outputs, name=f"top_down_{number}"))
    inputs = from_above(1)
    decoder = keras.Model(inputs, image(up(inputs)), name="decoder")
    return dict(bottom_up=bottom_up, lateral=lateral, top_down=top_down, decoder=decoder)


def _check_sizes(latent_dims, hidden):
    if not latent_dims or len(latent_dims) != len(hidden):
        raise ValueError(
            f"latent_dims is {tuple(latent_dims)} and hidden {tuple(hidden)}: expected one size of "
            "each kind for every layer of latents."
        )


def _joined(inputs):
    return layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]


def _added(y, inputs):
    """The sum with the first of several inputs, which are features."""
    return layers.Add()([inputs[0], y]) if len(inputs) > 1 else y


def _leaky(x, units):
    for _ in range(2):
        x = layers.LeakyReLU(negative_slope=0.1)(layers.Dense(units)(x))
    return x


def _float32(x):
    return layers.Activation("linear", dtype="float32")(x)


def _normal(x, dim, layer=layers.Dense, **options) -> list:
    """Mean and log variance, of a variance through softplus that is about 1 at the start.

    Without a bound of its growth a draw of an upper layer may overflow in the lower ones.
    """
    mean = layer(dim, dtype="float32", **options)(x)
    bias = keras.initializers.Constant(math.log(math.e - 1))
    y = layer(dim, dtype="float32", bias_initializer=bias, **options)(x)
    return [mean, keras.ops.log(keras.ops.softplus(y) + MINIMUM_VARIANCE)]


def _image(x, shape):
    x = layers.Dense(math.prod(shape), dtype="float32")(x)
    return layers.Reshape(shape, dtype="float32")(x)
