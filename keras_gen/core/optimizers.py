"""Temporary changes to Keras optimizers, which last for a block of code."""

import contextlib
import functools
from collections.abc import Callable

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core.distribution.replicas import replica_count
from keras_gen.keras_internals import index_of, moments


@contextlib.contextmanager
def replaced(optimizer, **methods: Callable):
    """Opens a block in which methods of an optimizer are replaced; restores them on exit.

    Args:
        optimizer: `keras.optimizers.Optimizer`, whose methods are restored.
        **methods: Replacement functions, by the names of the methods.
    """
    own = vars(optimizer)
    new = {name: method for name, method in methods.items() if name not in own}
    own.update(new)
    try:
        yield
    finally:
        # Replicas are threads, and the first one to leave restores the methods for all.
        for name in new:
            own.pop(name, None)


def fused(optimizer) -> contextlib.AbstractContextManager:
    """Opens a block in which Adam or AdamW updates each weight with one TensorFlow operation.

    The block covers one call to `apply`, in which all weights share the powers of the betas.

    Keras uses about ten operations for the same formula. In small networks, they take as long as
    the forward pass. Other optimizers are unchanged.

    Args:
        optimizer: `keras.optimizers.Optimizer`, or a `LossScaleOptimizer` that wraps one.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    # Subclasses are excluded, because they may use another formula.
    if type(optimizer) not in (keras.optimizers.Adam, keras.optimizers.AdamW):
        return contextlib.nullcontext()
    if optimizer.amsgrad:
        return contextlib.nullcontext()
    return replaced(optimizer, update_step=functools.partial(_adam_step, optimizer, {}))


def unaveraged(optimizer) -> contextlib.AbstractContextManager:
    """Opens a block in which `fit` does not replace the trained weights when it ends.

    Keras would overwrite them with their averages, but only for the optimizer named `optimizer`.
    In this library, averages are used through `averaged_weights`.
    """
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
    if isinstance(gradient, tf.IndexedSlices):  # the gradient of an embedding
        return type(optimizer).update_step(optimizer, gradient, variable, learning_rate)
    m, v = moments(optimizer, index_of(optimizer, variable))
    # Scalars are the same for all weights, which saves tracing time. Replicas do not share tensors.
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
