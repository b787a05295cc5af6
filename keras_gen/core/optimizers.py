"""Temporary changes to Keras optimizers, which last for a block of code."""

import contextlib
import functools
import threading
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core.distribution import global_sum, replica_count
from keras_gen.keras_internals import (
    applied,
    average_by,
    averages,
    averages_alone,
    averaging,
    clip,
    clipping,
    index_of,
    moments,
    unscaled,
)

_FORGETS = "keras_gen_forgets_start"


@contextlib.contextmanager
def replaced(optimizer, **methods: Callable):
    """Opens a block in which methods of an optimizer are replaced, and restores them on exit.

    Args:
        optimizer: `keras.optimizers.Optimizer`, whose methods are restored.
        **methods: Replacement functions, as keyword arguments with the names of the methods.
    """
    own = vars(optimizer)
    new = {name: method for name, method in methods.items() if name not in own}
    own.update(new)
    try:
        yield
    finally:
        # Replicas are threads, and the first replica to leave the block restores the methods for
        # all.
        for name in new:
            own.pop(name, None)


def fused(optimizer) -> contextlib.AbstractContextManager:
    """Opens a block in which Adam or AdamW updates each weight with one TensorFlow operation.

    The block is meant for one call to `apply`, in which all weights share the powers of the betas.

    Keras uses about ten operations for the same formula. In small networks, these operations take
    as long as the forward pass. Optimizers other than Adam and AdamW are unchanged.

    Args:
        optimizer: `keras.optimizers.Optimizer`, or a `LossScaleOptimizer` that wraps one.
    """
    optimizer = unscaled(optimizer)
    # Subclasses are excluded, because they may use another formula.
    if type(optimizer) not in (keras.optimizers.Adam, keras.optimizers.AdamW):
        return contextlib.nullcontext()
    if optimizer.amsgrad:
        return contextlib.nullcontext()
    return replaced(optimizer, update_step=functools.partial(_adam_step, optimizer, {}))


def corrected(optimizer) -> contextlib.AbstractContextManager:
    """Opens a block in which options do not depend on accumulation or the number of replicas.

    Keras clips each replica's part of the gradient instead of the global gradient. While gradients
    accumulate, it adds unchanged weights to the moving averages.

    Args:
        optimizer: `keras.optimizers.Optimizer`, or a `LossScaleOptimizer` that wraps one.
    """
    optimizer = unscaled(optimizer)
    methods: dict[str, Callable] = {}
    clips = optimizer.clipnorm or optimizer.global_clipnorm or optimizer.clipvalue
    if clips and replica_count() > 1:
        methods |= clipping(functools.partial(_clipped_sum, optimizer))
    if optimizer.use_ema and optimizer.gradient_accumulation_steps:
        methods |= averaging(optimizer, functools.partial(_at_updates, optimizer))
    return replaced(optimizer, **methods)


def _clipped_sum(optimizer, gradients) -> list:
    """Returns equal parts, one per replica, of the clipped global gradient."""
    clipped = clip(optimizer, global_sum(list(gradients)))
    return [gradient / replica_count() for gradient in clipped]


def _at_updates(optimizer, method: Callable) -> Callable:
    """Returns a function that calls a method only when the optimizer updates the weights."""

    def call(weights):
        steps = optimizer.gradient_accumulation_steps or 1
        is_update = (applied(optimizer) + 1) % steps == 0
        keras.ops.cond(is_update, lambda: method(weights), lambda: None)

    return call


def unaveraged(optimizer) -> contextlib.AbstractContextManager:
    """Returns a context manager that keeps `fit` from replacing the weights with their averages.

    At the end of training, Keras would overwrite the weights, but only for the optimizer named
    `optimizer`. In this library, averages are used through `averaged_weights`.
    """
    optimizer = unscaled(optimizer)
    if not getattr(optimizer, "use_ema", False):
        return contextlib.nullcontext()
    return replaced(optimizer, finalize_variable_values=lambda variables: None)


class LearningRates(keras.callbacks.Callback):
    """Adds each optimizer's learning rate to the logs of an epoch, under the optimizer's name.

    Loggers read `model.optimizer`, which is None if there are several players. For such models,
    `fit` adds this callback before all other callbacks, which then find `d_learning_rate`, for
    example, in the logs.
    """

    @override
    def on_epoch_end(self, epoch, logs=None):
        for name in self.model.players():
            rate = getattr(self.model, name).learning_rate
            value = float(keras.ops.convert_to_numpy(rate))
            logs[name.replace("optimizer", "learning_rate")] = value


def _adam_step(optimizer, shared, gradient, variable, learning_rate):
    """Runs algorithm 1 of Kingma & Ba (2015) in the efficient order of section 2, as in Keras."""
    if isinstance(gradient, tf.IndexedSlices):  # the sparse gradient of an embedding
        return type(optimizer).update_step(optimizer, gradient, variable, learning_rate)
    m, v = moments(optimizer, index_of(optimizer, variable))
    # Scalars are shared by all weights of a replica, which saves tracing time.
    key = tf.compat.v1.get_default_graph(), variable.dtype
    if key not in shared or replica_count() > 1:
        # With `gradient_accumulation_steps`, the number of iterations is a tensor.
        t = tf.cast(tf.convert_to_tensor(optimizer.iterations) + 1, variable.dtype)
        beta1, beta2, epsilon, rate = (
            tf.cast(value, variable.dtype)
            for value in (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon, learning_rate)
        )
        shared[key] = dict(
            lr=rate, beta1=beta1, beta2=beta2, beta1_power=beta1**t, beta2_power=beta2**t,
            epsilon=epsilon,
        )  # fmt: skip
    return tf.raw_ops.ResourceApplyAdam(
        var=variable.handle, m=m.value.handle, v=v.value.handle,
        grad=tf.cast(gradient, variable.dtype), **shared[key],
    )  # fmt: skip


@contextlib.contextmanager
def averaged_weights(model: keras.Model):
    """Swaps in the moving averages of the weights, and restores the trained weights on exit.

    A Keras optimizer keeps averages if `use_ema=True`; weights with other optimizers are unchanged.
    Do not train inside the block. If blocks of several threads overlap, the trained weights return
    when the last block ends.

    Args:
        model: Compiled `GenerativeModel`.

    Example:
    ```python
    with averaged_weights(model):
        images = model.sample(16)
    ```
    """
    with _BLOCKS_GUARD:
        block = _BLOCKS.setdefault(id(model), _Block())
        block.users += 1
        try:
            if block.users == 1:
                block.swap_in(_averages(model))
        except BaseException:
            _leave(model, block)
            raise
    try:
        yield model
    finally:
        with _BLOCKS_GUARD:
            _leave(model, block)


class _Block:
    """The trained weights of a model while its averages are in use."""

    def __init__(self):
        self.users = 0
        self.trained: list = []

    def swap_in(self, swaps: list) -> None:
        """Replaces weights with their averages."""
        self.trained = [(weight, keras.ops.convert_to_numpy(weight)) for weight, _ in swaps]
        for weight, average in swaps:
            weight.assign(keras.ops.convert_to_numpy(average))


_BLOCKS: dict[int, _Block] = {}
_BLOCKS_GUARD = threading.Lock()


def _leave(model: keras.Model, block: _Block) -> None:
    block.users -= 1
    if not block.users:
        for weight, value in block.trained:
            weight.assign(value)
        del _BLOCKS[id(model)]


def keep_averages(model: keras.Model) -> None:
    """Replaces weights with their moving averages, if there are any."""
    for weight, average in _averages(model):
        weight.assign(keras.ops.convert_to_numpy(average))


def forget_start(optimizer: keras.optimizers.Optimizer) -> None:
    """Makes an optimizer's moving averages forget the initial weights.

    Averages in Keras start from the initial weights. With momentum m, the initial weights
    contribute m^n after n steps: 48% at step 725 with m = 0.999. Here, this bias is corrected in
    the same way as the bias of Adam's moments (Kingma & Ba 2015, algorithm 1), which gives the
    average of the trained weights alone. Once m^n is small, this average equals the average in
    Keras.

    A saved model keeps this setting.

    Args:
        optimizer: `keras.optimizers.Optimizer` with `use_ema=True`, or a `LossScaleOptimizer` that
            wraps one.

    Raises:
        ValueError: If the optimizer keeps no averages.

    Example:
    ```python
    optimizer = keras.optimizers.Adam(use_ema=True, ema_momentum=0.999)
    forget_start(optimizer)
    ```
    """
    optimizer = unscaled(optimizer)
    if not optimizer.use_ema:
        raise ValueError("The optimizer keeps no averages: expected use_ema=True.")
    vars(optimizer)[_FORGETS] = True
    average: Callable = functools.partial(_average, optimizer)
    if optimizer.gradient_accumulation_steps:
        average = _at_updates(optimizer, average)
    average_by(optimizer, average)


def forgets_start(optimizer: keras.optimizers.Optimizer) -> bool:
    """Returns whether `forget_start` was called for an optimizer."""
    return _FORGETS in vars(unscaled(optimizer))


def _average(optimizer, weights) -> None:
    steps = keras.ops.cast(optimizer.iterations, "float32")
    m = optimizer.ema_momentum
    # The weighted average A of n steps, divided by 1 - m^n, is updated with this momentum.
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
        optimizer = unscaled(optimizer)
        # Before the first update, the averages are zeros, and are not used.
        if not getattr(optimizer, "use_ema", False) or optimizer.iterations.numpy() == 0:
            continue
        # The optimizer's weights include weights of layers that were frozen later.
        pairs += averages(optimizer)
    return pairs
