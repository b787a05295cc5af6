"""A network of dense layers for points of a path, such as points of the plane."""

import math

import keras
from keras import layers, ops

from keras_gen.arguments import checked_size
from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers.time_conditioning import SinusoidalFeatures
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
        shape: Of an example; its values are taken as one vector.
        width: Units of each layer.
        blocks: Number of layers with a residual connection.
        frequencies: Of sines and cosines of each value, from 0.5 to 16 radians by 1, beside the
            values themselves, by which sharp edges are found; 0 for none.
        activation: Of the layers.
        classes: Number of classes, if the network takes labels too; see `time_embedding`.
        name: Name of the model.

    Returns:
        A model from points `[batch, *shape]`, times `[batch]` and, with classes, int32 labels
        `[batch]` to float32 `[batch, *shape]`.

    Example:
        >>> network = time_mlp((2,), width=64)
    """
    if width < 1 or blocks < 1 or frequencies < 0:
        raise ValueError(
            f"width is {width}, blocks {blocks} and frequencies {frequencies}: expected at least "
            "1, 1 and 0."
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
    """Returns inputs for times and labels, and the embedding of both, `[batch, units]`.

    Times `[batch]`, mostly in [0, 1], become sines and cosines and pass a dense layer. With
    classes there are int32 labels `[batch]` of 0 to `classes`, where the last stands for no class;
    their embedding is added.
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
