"""Players (optimizers and the networks that they train), and model compilation with its checks."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_flag, checked_integer
from keras_gen.core.kinds_of_data import Images, StandardizedVectors
from keras_gen.core.minimize import trainable_weights
from keras_gen.core.network_checks import require_built
from keras_gen.keras_internals import all_layers, draws, unscaled, updates


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
    """Returns the players' optimizers by name: given optimizers, and defaults for other players."""
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
        networks: Networks that the optimizer trains. If networks compute in float16, the optimizer
            uses a dynamic loss scale.

    Raises:
        ValueError: If the optimizer is unknown, if its learning rate is negative, if an option does
            not work on several replicas, or if a network is not built.
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
    _refuse_on_replicas(name, unscaled(optimizer))
    # The layers' policies are checked, because a loaded network does not keep its own policy.
    layers = [layer for network in networks for layer in all_layers(network)]
    scaled = any(layer.compute_dtype == "float16" for layer in layers)
    if scaled and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    weights = trainable_weights(*networks)
    if not updates(optimizer, weights):
        raise ValueError(
            f"{name} was built for the weights of other networks: expected a new optimizer, or the "
            "name of one, such as 'adam'."
        )
    optimizer.build(weights)
    return optimizer


def _refuse_on_replicas(name: str, optimizer) -> None:
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    for option in ("gradient_accumulation_steps", "ema_overwrite_frequency"):
        value = getattr(optimizer, option)
        if value and replicas > 1:
            raise ValueError(
                f"{name} has {option} {value} with {replicas} replicas: Keras supports this option "
                "only on a single device. Leave it out."
            )


class ReportedMean(keras.metrics.Mean):
    """A running mean that is NaN if there are no values, as for an accuracy without labels."""

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
            With the same seed, XLA generates different noise than TensorFlow's graphs, so the
            weights after a step depend on this setting. Runs with the same setting agree.
        steps_per_execution: Number of steps per TensorFlow call; see `keras.Model.compile`. Values
            above 1 require a single device. With "auto", each call to `fit` uses the largest number
            up to 50 that divides its steps per epoch. It uses 1 where a larger number is
            unsuitable: on several devices, in eager mode, with sampling weights, for an unknown
            number of steps, and with callbacks that are called for each batch. The number does not
            change the weights, but progress is shown, and an interruption takes effect, only after
            each TensorFlow call.
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
        alone = len(players) == 1 and not optimizers
        optimizers[next(iter(players)) if alone else "optimizer"] = optimizer
    automatic = steps_per_execution == "auto"
    check_compile(self, optimizers, jit_compile, 1 if automatic else steps_per_execution)
    built = built_optimizers(players, optimizers)
    # All checks precede this line, so a failed call leaves the previous compilation unchanged.
    keras.Model.compile(
        self,
        optimizer=None,
        run_eagerly=run_eagerly,
        jit_compile=False,
        steps_per_execution=1 if automatic else steps_per_execution,
    )
    self.__dict__["_steps_together"] = 1 if automatic else None
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


# Arguments of `keras.Model.compile` that these models do not accept, with reasons.
_LOSSES = "the model defines its own losses"
_METRICS = (
    "fit and evaluate report the losses, and functions in keras_gen.metrics evaluate results "
    "(keras_gen.core.callbacks.Evaluation calls them during fit)"
)
_ARGUMENTS_OF_KERAS = {
    "loss": _LOSSES,
    "loss_weights": "the weights of the losses are arguments of the class",
    "metrics": _METRICS,
    "weighted_metrics": _METRICS,
}


def check_compile(model, optimizers: dict, jit_compile: bool, steps_per_execution: int) -> None:
    """Raises a ValueError for invalid arguments of `compile`, and for unsuitable layers."""
    checked_flag("jit_compile", jit_compile)
    checked_integer("steps_per_execution", steps_per_execution, minimum=1)
    players = model.players()
    if unknown := sorted(optimizers.keys() - players.keys()):
        reason = _ARGUMENTS_OF_KERAS.get(unknown[0])
        way_out = f". Leave it out, because {reason}" if reason else ""
        raise ValueError(
            f"{type(model).__name__}.compile accepts the optimizers {sorted(players)}, "
            f"but got {unknown[0]!r}{way_out}."
        )
    _refuse_ways_to_run(model, jit_compile, steps_per_execution)
    trained_on = (model.edges | model.training_edges).values()
    if model.standardize and not any(
        isinstance(edge, StandardizedVectors) for edge in trained_on
    ):
        raise ValueError(
            f"standardize is True, but {type(model).__name__} does not standardize its data: "
            "leave out standardize, and pass standardized examples."
        )
    objects = [o for o in optimizers.values() if isinstance(o, keras.optimizers.Optimizer)]
    if len({id(each) for each in objects}) < len(objects):
        raise ValueError(
            "Two networks share one optimizer object: pass a separate optimizer for each "
            "network."
        )
    refuse_replicated_randomness(model)
    refuse_rescaling(model)
    refuse_shared_layers(model)


def _refuse_ways_to_run(model, jit_compile: bool, steps_per_execution: int) -> None:
    if steps_per_execution > 1 and resamples(model):
        raise ValueError(
            f"steps_per_execution is {steps_per_execution}, but the data uses sampling weights: "
            "expected 1, because the next batch could otherwise be sampled before this step has "
            "updated the weights."
        )
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if replicas > 1 and (jit_compile or steps_per_execution > 1):
        raise ValueError(
            f"jit_compile is {jit_compile} and steps_per_execution is {steps_per_execution} "
            f"with {replicas} replicas: Keras supports these arguments only on a single "
            "device. Leave out both."
        )


def resamples(model) -> bool:
    """Returns whether the model's steps update the sampling weights of its data."""
    return any(getattr(layer, "draws_batches", False) for layer in all_layers(model))


def refuse_replicated_randomness(model) -> None:
    """Raises a ValueError for random Keras layers on several replicas, where noise would repeat."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return
    for name, network in model.networks.items():
        for layer in all_layers(network):
            if draws(layer):
                raise ValueError(
                    f"{name} contains the layer '{layer.name}' ({type(layer).__name__}), which "
                    "generates the same random values on every replica: use a layer from "
                    "keras_gen.layers instead."
                )


def refuse_shared_layers(model) -> None:
    """Raises a ValueError if two networks share a layer, because a saved model could not be loaded.

    Keras saves each network separately, but the weights of each layer only once.
    """
    owners: dict = {}
    for name, network in model.networks.items():
        for layer in all_layers(network):
            if not layer.variables:
                continue
            if (owner := owners.setdefault(id(layer), name)) != name:
                raise ValueError(
                    f"The networks {owner} and {name} share the layer '{layer.name}', but a "
                    "file stores its weights only once: give each network its own layer, or "
                    "combine both into one network with several outputs."
                )


def refuse_rescaling(model) -> None:
    """Raises a ValueError if an image network rescales inputs as if they were levels from 0 to 255.

    Users' networks often begin with a rescaling layer. In this library, networks receive images in
    [-1, 1] or [0, 1].
    """
    examples = (model.edges | model.training_edges).get("x")
    if not isinstance(examples, Images):
        return
    for name, network in model.networks.items():
        for layer in all_layers(network):
            if isinstance(layer, keras.layers.Rescaling) and _divides_levels(layer.scale):
                raise ValueError(
                    f"The {name} '{network.name}' contains the layer {layer.name}, which "
                    f"multiplies levels from 0 to 255 by {layer.scale:.2g}: expected a network for "
                    f"images in [{examples.low:g}, {examples.high:g}], because this model scales "
                    "the levels itself. Build the network without this layer, for example with "
                    f"keras.Model(network.get_layer('{layer.name}').output, network.outputs)."
                )


def _divides_levels(scale) -> bool:
    return isinstance(scale, float) and 0 < scale < 1 / 64
