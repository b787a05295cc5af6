"""Time-conditioned networks for diffusion models."""

import functools
import math

import keras
from keras import layers, ops

from keras_gen.arguments import checked_size, checked_sizes, shown
from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers.enlargement import PixelShuffle
from keras_gen.layers.time_conditioning import AdaptiveGroupNormalization, SinusoidalFeatures
from keras_gen.networks.blocks import float32


@checked_arguments(axes=None)
def time_mlp(
    shape: tuple = (2,),
    width: int = 128,
    blocks: CountFrom0 = 4,
    frequencies: CountFrom0 = 6,
    activation: str = "silu",
    classes: int | None = None,
    name: str = "network",
) -> keras.Model:
    """Builds dense layers with residual connections for points x_t and their times.

    Args:
        shape: Shape of an example, which is flattened to a vector.
        width: Number of units in each layer.
        blocks: Number of layers with a residual connection.
        frequencies: Number of frequencies, from 0.5 to 16 radians per unit, at which sines and
            cosines of each value are computed; 0 for none. The sines and cosines are appended to
            the inputs, so that the network can represent sharp edges.
        activation: Activation of the layers.
        classes: Number of classes if the network also accepts labels, or None; see
            `time_embedding`.
        name: Name of the model.

    Returns:
        A model that maps points `[batch, *shape]`, times `[batch]`, and, with classes, int32 labels
        `[batch]` to float32 `[batch, *shape]`.

    Example:
        >>> network = time_mlp((2,), width=64)
    """
    if width < 1 or blocks < 1 or frequencies < 0:
        raise ValueError(
            f"width is {width}, blocks is {blocks}, and frequencies is {frequencies}: expected a "
            "width of at least 1, at least 1 block, and at least 0 frequencies."
        )
    points = keras.Input(shape)
    inputs, time = time_embedding(width, classes, activation)
    values = layers.Flatten()(points)
    x = values
    if frequencies:
        waves = SinusoidalFeatures(frequencies, slowest=0.5, fastest=16.0)(values)
        x = layers.Concatenate()([values, waves])
    x = layers.Dense(width)(x)
    for _ in range(blocks):
        of_time = layers.Dense(width, use_bias=False)(time)
        hidden = layers.Add()([layers.Dense(width)(x), of_time])
        x = layers.Add()([x, layers.Activation(activation)(hidden)])
    x = layers.Dense(math.prod(shape))(x)
    return keras.Model([points, *inputs], float32(layers.Reshape(shape)(x)), name=name)


def time_embedding(units: int, classes: int | None, activation: str) -> tuple:
    """Returns the inputs for times and labels, and their joint embedding, `[batch, units]`.

    Times `[batch]`, mostly in [0, 1], are encoded as sines and cosines, followed by a dense layer.
    With classes, an embedding of int32 labels `[batch]` is added. Labels range from 0 to `classes`;
    label `classes` means no class.
    """
    times = keras.Input(())
    inputs = [times]
    waves = SinusoidalFeatures(32)(ops.expand_dims(times, -1))
    x = layers.Dense(units)(waves)
    if classes is not None:
        classes = checked_size("classes", classes)
        labels = keras.Input((), dtype="int32")
        inputs.append(labels)
        x = layers.Add()([x, layers.Embedding(classes + 1, units)(labels)])
    return inputs, layers.Dense(units, activation)(layers.Activation(activation)(x))


@checked_arguments
def time_unet(
    shape: tuple = (28, 28, 1),
    widths: tuple[int, ...] = (32, 64),
    patch: int = 2,
    groups: int = 8,
    attention: bool | tuple[int, ...] = True,
    classes: int | None = None,
    name: str = "network",
) -> keras.Model:
    """Builds a U-Net for images on a path, conditioned on their times.

    Ho, Jain, Abbeel: "Denoising Diffusion Probabilistic Models", NeurIPS 2020, appendix B, on a
    small scale. Each width has one residual block in the downsampling path and two in the
    upsampling path, which also receive the earlier maps of the same size. At the smallest size,
    there is another block in the middle. At sizes with attention over all positions, the attention
    follows the block of the downsampling path, the block in the middle, and the first block of the
    upsampling path.

    Deviations, so that training takes minutes on a CPU: the first layer treats patches as pixels
    with more channels, and the last layer reverses this operation; a block has a single
    normalization between its two convolutions, and its scale and offset depend on the time; ReLU
    replaces swish. Under a mixed-precision policy, only the convolutions use the lower precision,
    because elementwise operations would be slower on CPUs.

    Args:
        shape: `(height, width, channels)`, with sides that are multiples of patch * 2^(len(widths)
            - 1).
        widths: Numbers of channels, one per map size, starting with the largest maps. Must be
            multiples of `groups`.
        patch: Side length of the patches, at least 1.
        groups: Number of groups in the normalizations.
        attention: Whether to apply attention to the smallest maps, or the heights of the maps to
            which attention is applied, such as `(16,)` in the paper. The cost of attention grows
            with the square of the number of positions, so attention takes most of the time on large
            maps.
        classes: Number of classes if the network also accepts int32 labels, or None. Labels range
            from 0 to `classes`; label `classes` means no class.
        name: Name of the model.

    Returns:
        A model that maps images `[batch, *shape]`, times `[batch]`, and, with classes, labels
        `[batch]` to float32 `[batch, *shape]`, initially 0.

    Example:
        >>> network = time_unet((28, 28, 1), widths=(32, 64))
    """
    height, width, channels = shape
    multiple = patch * 2 ** (len(widths) - 1)
    if not widths or patch < 1 or height % multiple or width % multiple:
        raise ValueError(
            f"The images have {height}x{width} pixels: expected sides that are multiples of "
            f"{multiple}, for patches of {patch} pixels and {len(widths)} widths. Pad or resize "
            "the images (keras_gen.data.pad_to)."
        )
    _require_widths(widths, groups)
    conv = functools.partial(layers.Conv2D, padding="same")
    images = keras.Input(shape)
    inputs, time = time_embedding(2 * widths[-1], classes, "relu")
    x = conv(widths[0], patch + 2, strides=patch)(images)
    x = _unet(x, time, widths, (3, 3), (2, 2), groups, attention)
    x = conv(patch**2 * channels, 3, kernel_initializer="zeros")(x)
    return keras.Model([images, *inputs], float32(PixelShuffle(patch)(x)), name=name)


@checked_arguments(axes="steps, channels")
def series_unet(
    shape: tuple = (32, 2),
    widths: tuple[int, ...] = (32, 64),
    groups: int = 8,
    attention: bool | tuple[int, ...] = True,
    classes: int | None = None,
    name: str = "network",
) -> keras.Model:
    """Builds a one-dimensional U-Net for series on a path, conditioned on their times.

    The architecture is the same as in `time_unet`, with convolutions over the steps of the series.
    Unlike dense layers, convolutions treat all steps in the same way, so neighboring steps of a
    sample are consistent.

    Args:
        shape: `(steps, channels)` of a series, with any number of steps. The network pads the
            series at the end.
        widths: Numbers of channels, one per map length, starting with the longest maps. Must be
            multiples of `groups`.
        groups: Number of groups in the normalizations.
        attention: Whether to apply attention to the shortest maps, or the lengths of the maps to
            which attention is applied; see `time_unet`.
        classes: Number of classes if the network also accepts labels, or None; see `time_unet`.
        name: Name of the model.

    Returns:
        A model that maps series `[batch, steps, channels]`, times `[batch]`, and, with classes,
        labels `[batch]` to float32 `[batch, steps, channels]`, initially 0.

    Example:
        >>> network = series_unet((100, 3), widths=(32, 64))
    """
    steps, channels = shape
    _require_widths(widths, groups)
    added = -steps % 2 ** (len(widths) - 1)
    conv = functools.partial(layers.Conv2D, padding="same", kernel_size=(3, 1))
    series = keras.Input(shape)
    inputs, time = time_embedding(2 * widths[-1], classes, "relu")
    # Series are treated as images with one column, because the layers of `time_unet` require
    # images.
    x = layers.ZeroPadding1D((0, added))(series)
    x = conv(widths[0])(layers.Reshape((steps + added, 1, channels))(x))
    x = _unet(x, time, widths, (3, 1), (2, 1), groups, attention)
    x = conv(channels, kernel_initializer="zeros")(x)
    x = layers.Reshape((steps + added, channels))(x)
    x = layers.Cropping1D((0, added))(x)
    return keras.Model([series, *inputs], float32(x), name=name)


def _require_widths(widths: tuple[int, ...], groups: int) -> None:
    if not widths or any(number < groups or number % groups for number in widths):
        raise ValueError(f"widths is {widths}: expected multiples of groups={groups}.")


def _unet(x, time, widths, kernel, stride, groups, attention):
    """Applies the blocks of a U-Net, and a final ReLU, to the maps of its first layer."""
    conv = functools.partial(layers.Conv2D, kernel_size=kernel, padding="same")
    block = functools.partial(_block, conv=conv, groups=groups)
    attended = _attended(attention, [x.shape[1] // stride[0] ** n for n in range(len(widths))])
    kept = [x]
    for number, filters in enumerate(widths):
        if number:
            x = conv(filters, strides=stride)(x)
            kept.append(x)
        x = attended(block(x, time, filters))
        kept.append(x)

    x = attended(block(x, time, widths[-1]))

    for number, filters in reversed(list(enumerate(widths))):
        for of_size in range(2):
            x = layers.Concatenate(dtype="float32")([x, kept.pop()])
            x = block(x, time, filters)
            if not of_size:
                x = attended(x)
        if number:
            x = conv(widths[number - 1])(layers.UpSampling2D(stride, dtype="float32")(x))
    return layers.ReLU(dtype="float32")(AdaptiveGroupNormalization(groups)([x, time]))


def _block(x, time, filters, conv, groups):
    """Applies a residual block of two convolutions, which is initially the identity."""
    around = x if x.shape[-1] == filters else conv(filters, kernel_size=1)(x)
    x = conv(filters)(x)
    x = layers.ReLU(dtype="float32")(AdaptiveGroupNormalization(groups)([x, time]))
    x = conv(filters, kernel_initializer="zeros")(x)
    return layers.Add(dtype="float32")([around, x])


def _attended(attention, sides):
    """Returns a function that applies attention to maps with given sides, and keeps other maps."""
    if isinstance(attention, bool):
        attention = sides[-1:] if attention else []
    chosen = checked_sizes("attention", attention)
    if unknown := set(chosen) - set(sides):
        raise ValueError(
            f"attention is {shown(attention)}, but no map has the side {min(unknown)}: expected "
            f"one or more of {sides}, or True for the last of these sides."
        )
    return lambda x: _attention(x) if x.shape[1] in chosen else x


def _attention(x):
    """Adds a mean over all positions to each position, weighted by products of queries and keys."""
    _, height, width, channels = x.shape
    dense = functools.partial(layers.Dense, channels, dtype="float32")
    places = layers.Reshape((height * width, channels), dtype="float32")(x)
    normal = layers.LayerNormalization(dtype="float32")(places)
    query, key, value = (dense()(normal) for _ in range(3))
    scores = ops.matmul(query, ops.transpose(key, (0, 2, 1))) * channels**-0.5
    means = ops.matmul(ops.softmax(scores), value)
    added = dense(kernel_initializer="zeros")(means)
    x = layers.Add(dtype="float32")([places, added])
    return layers.Reshape((height, width, channels), dtype="float32")(x)
