"""Compiling a model, which creates all state of its training: methods of `GenerativeModel`."""

import math

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core.checks.before_compile import check_compile
from keras_gen.core.minimize import trainable_weights
from keras_gen.core.players import built_optimizers


class ReportedMean(keras.metrics.Mean):
    """A running mean that is NaN without values, such as an accuracy without labels."""

    @override
    def result(self):
        return tf.where(self.count.value > 0, super().result(), math.nan)


def compile_model(  # noqa: D417
    self,
    optimizer=None,
    *,
    run_eagerly=False,
    jit_compile=False,
    steps_per_execution=1,
    **optimizers,
):
    """Builds every optimizer for its networks and creates all state that training needs.

    Optimizers are built here, because a step under a distribution strategy must not create
    variables. `mixed_float16` networks get a dynamic loss scale.

    Args:
        optimizer: Optimizer of a model with a single player.
        run_eagerly: As in Keras.
        jit_compile: Whether XLA compiles the losses and their gradients, for one device. From
            the same seed, XLA generates different noise from TensorFlow's graphs, so that the
            weights after a step differ; runs with the same setting agree.
        steps_per_execution: As in Keras, for one device.
        **optimizers: An optimizer (object, name, or config) per player in `players()`, by name,
            such as `d_optimizer` and `g_optimizer`. Defaults are given by `players()`: usually
            the paper's optimizer, otherwise Adam with the defaults of Keras.

    Raises:
        ValueError: If an optimizer is unknown, shared, or has a learning rate below 0, a
            network is not built, two share a layer, or an option does not work on several
            replicas.
    """
    players = self.players()
    if optimizer is not None:
        optimizers["optimizer"] = optimizer
    check_compile(self, optimizers, jit_compile, steps_per_execution)
    built = built_optimizers(players, optimizers)
    # Nothing is refused from here on, so a refused call keeps the previous compilation.
    keras.Model.compile(
        self,
        optimizer=None,
        run_eagerly=run_eagerly,
        jit_compile=False,
        steps_per_execution=steps_per_execution,
    )
    # For the whole Keras step, XLA would drop the checks, so `minimize` compiles only
    # gradients.
    self.__dict__["_xla"] = jit_compile
    for name, each in built.items():
        setattr(self, name, each)
    # Not tracked: networks are saved as arguments.
    self.__dict__["_networks_of"] = {name: list(p.networks) for name, p in players.items()}
    weights = {name: trainable_weights(*p.networks) for name, p in players.items()}
    self.__dict__["_weights_at_compile"] = weights
    self._means = {name: ReportedMean(name=name) for name in self.loss_names}


def training_variables(self) -> list:
    """Returns all state of the next step: weights, counters, pools, and optimizers."""
    optimizers = [getattr(self, name) for name in self.players()] if self.compiled else []
    return [*self.variables, *(v for o in optimizers for v in o.variables)]
