"""Players (optimizers and the networks that they train) and model compilation."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_flag
from keras_gen.core.checks.before_compile import check_compile
from keras_gen.core.checks.networks import require_built
from keras_gen.core.minimize import trainable_weights
from keras_gen.keras_internals import all_layers


class Player(NamedTuple):
    """The networks that one optimizer trains.

    Attributes:
        networks: Models or layers whose trainable weights the optimizer updates.
        optimizer: Function without arguments that creates the default optimizer.
    """

    networks: list
    optimizer: Callable[[], keras.optimizers.Optimizer] = keras.optimizers.Adam


def built_optimizers(
    players: dict[str, Player], given: dict[str, Any]
) -> dict[str, keras.optimizers.Optimizer]:
    """Returns the optimizers of players by name: the given optimizers, or else the defaults."""
    built = {}
    for name, player in players.items():
        identifier = given.get(name)
        identifier = player.optimizer() if identifier is None else identifier
        built[name] = built_optimizer(name, identifier, player.networks)
    return built


def built_optimizer(name: str, identifier, networks: list) -> keras.optimizers.Optimizer:
    """Returns an optimizer that is built for the weights of its networks.

    Args:
        name: Name of the argument, used in error messages.
        identifier: Optimizer, or its name or configuration.
        networks: Networks that the optimizer trains. For float16 networks, a dynamic loss scale is
            used.

    Raises:
        ValueError: If the optimizer is unknown, if its learning rate is negative, or if a network
            is not built.
    """
    try:
        optimizer = keras.optimizers.get(identifier)
    except ValueError:
        optimizer = None
    if optimizer is None:
        raise ValueError(
            f"{name} is {identifier!r}: expected a keras.optimizers.Optimizer or the name of "
            "one, such as 'adam'."
        )
    require_built(*networks)
    rate = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
    if not rate >= 0:
        raise ValueError(f"{name} has learning rate {rate:g}: expected at least 0.")
    # The layers' policies are checked, because a loaded network does not keep its own policy.
    layers = [layer for network in networks for layer in all_layers(network)]
    scaled = any(layer.compute_dtype == "float16" for layer in layers)
    if scaled and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(trainable_weights(*networks))
    return optimizer


class ReportedMean(keras.metrics.Mean):
    """A running mean that is NaN if there are no values, such as an accuracy without labels."""

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

    Optimizers are built here because a step under a distribution strategy must not create
    variables. For `mixed_float16` networks, a dynamic loss scale is used.

    Args:
        optimizer: Optimizer of a model with a single player.
        run_eagerly: See `keras.Model.compile`.
        jit_compile: Whether XLA compiles the losses and their gradients. Requires a single device.
            From the same seed, XLA generates different noise than TensorFlow's graphs, so the
            weights after a step differ; runs with the same setting agree.
        steps_per_execution: See `keras.Model.compile`. Values above 1 require a single device.
        **optimizers: One optimizer (object, name, or config) for each player in `players()`, passed
            under the player's name, such as `d_optimizer` or `g_optimizer`. `players()` defines the
            defaults: usually the paper's optimizer, otherwise Adam with the Keras defaults.

    Raises:
        ValueError: If an optimizer is unknown or shared, if its learning rate is negative, if a
            network is not built, if two networks share a layer, or if an option does not work on
            several replicas.
    """
    checked_flag("run_eagerly", run_eagerly)
    players = self.players()
    if optimizer is not None:
        optimizers["optimizer"] = optimizer
    check_compile(self, optimizers, jit_compile, steps_per_execution)
    built = built_optimizers(players, optimizers)
    # No check follows this line, so a call that fails keeps the previous compilation.
    keras.Model.compile(
        self,
        optimizer=None,
        run_eagerly=run_eagerly,
        jit_compile=False,
        steps_per_execution=steps_per_execution,
    )
    # If XLA compiled the whole Keras step, it would drop the checks, so `minimize` compiles only
    # the gradients.
    self.__dict__["_xla"] = jit_compile
    for name, each in built.items():
        setattr(self, name, each)
    # The networks are not tracked here, because they are saved as arguments.
    self.__dict__["_networks_of"] = {name: list(p.networks) for name, p in players.items()}
    weights = {name: trainable_weights(*p.networks) for name, p in players.items()}
    self.__dict__["_weights_at_compile"] = weights
    self._means = {name: ReportedMean(name=name) for name in self.loss_names}


def training_variables(self) -> list:
    """Returns all state that the next step uses: weights, counters, pools, and optimizers."""
    optimizers = [getattr(self, name) for name in self.players()] if self.compiled else []
    return [*self.variables, *(v for o in optimizers for v in o.variables)]
