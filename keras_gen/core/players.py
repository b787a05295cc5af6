"""Assignment of networks to optimizers."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras

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
    """Returns the optimizers of players by name: those that are given, else their defaults."""
    built = {}
    for name, player in players.items():
        identifier = given.get(name)
        identifier = player.optimizer() if identifier is None else identifier
        built[name] = built_optimizer(name, identifier, player.networks)
    return built


def built_optimizer(name: str, identifier, networks: list) -> keras.optimizers.Optimizer:
    """Returns an optimizer that is built for the weights of its networks.

    Args:
        name: Name of the argument, used in messages.
        identifier: Optimizer, or its name or configuration.
        networks: Networks that it trains. Networks in float16 get a dynamic loss scale.

    Raises:
        ValueError: If the optimizer is unknown, its learning rate is negative, or a network is not
            built.
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
    # The layers are checked, because a loaded network does not keep its own policy.
    layers = [layer for network in networks for layer in all_layers(network)]
    scaled = any(layer.compute_dtype == "float16" for layer in layers)
    if scaled and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(trainable_weights(*networks))
    return optimizer
