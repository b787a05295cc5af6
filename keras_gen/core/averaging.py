"""Evaluation with the exponential moving average of the weights."""

import contextlib
import functools
from typing import Any

import keras

from keras_gen.keras_internals import average_by, averages, averages_alone


@contextlib.contextmanager
def averaged_weights(model: keras.Model):
    """Swaps in the moving averages of the weights, and restores the trained weights on exit.

    A Keras optimizer keeps averages if `use_ema=True`; networks with other optimizers are
    unchanged. Do not train inside the block.

    Args:
        model: Compiled `GenerativeModel`.

    Example:
    ```python
    with averaged_weights(model):
        images = model.sample(16)
    ```
    """
    swaps = _averages(model)
    trained = [keras.ops.convert_to_numpy(weight) for weight, _ in swaps]
    try:
        for weight, average in swaps:
            weight.assign(keras.ops.convert_to_numpy(average))
        yield model
    finally:
        for (weight, _), value in zip(swaps, trained, strict=True):
            weight.assign(value)


def keep_averages(model: keras.Model) -> None:
    """Replaces weights with their moving averages, if there are any."""
    for weight, average in _averages(model):
        weight.assign(keras.ops.convert_to_numpy(average))


def forget_start(optimizer: keras.optimizers.Optimizer) -> None:
    """Makes an optimizer's moving averages forget the initial weights.

    Averages in Keras start from the initial weights. With momentum m, these contribute m^n after n
    steps: 48% at step 725 with m = 0.999. Correcting this bias in the same way as Adam's moments
    (Kingma & Ba 2015, algorithm 1) gives the average of the trained weights alone. Once m^n is
    small, it equals the average in Keras.

    Args:
        optimizer: `keras.optimizers.Optimizer` with `use_ema=True`.

    Example:
    ```python
    optimizer = keras.optimizers.Adam(use_ema=True, ema_momentum=0.999)
    forget_start(optimizer)
    ```
    """
    average_by(optimizer, functools.partial(_average, optimizer))


def _average(optimizer, weights) -> None:
    steps = keras.ops.cast(optimizer.iterations, "float32")
    m = optimizer.ema_momentum
    # The update of A / (1 - m^n), for an average A of n steps, expressed as a momentum.
    momentum = m * (1 - m**steps) / (1 - m ** (steps + 1))
    for weight, average in zip(weights, averages_alone(optimizer), strict=True):
        share = keras.ops.cast(momentum, average.dtype)
        average.assign(share * average + (1 - share) * keras.ops.cast(weight, average.dtype))


def take_weights(model: keras.Model, other: keras.Model) -> None:
    """Copies weights and averages from a model with the same networks into a compiled model."""
    for name, network in model.networks.items():
        network.set_weights(other.networks[name].get_weights())
    for weight, average in _averages(model):
        average.assign(keras.ops.convert_to_numpy(weight))


def _averages(model: Any) -> list:
    """Returns the weights that have moving averages, each with its average."""
    pairs: list = []
    for name in model.players():
        optimizer: Any = getattr(model, name, None)
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        # Before the first update, the averages are zeros.
        if not getattr(optimizer, "use_ema", False) or optimizer.iterations.numpy() == 0:
            continue
        # The optimizer's weights include weights of layers that were frozen later.
        pairs += averages(optimizer)
    return pairs
