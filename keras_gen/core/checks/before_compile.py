"""What `compile` refuses: layers that replicas, files, or images of a model cannot have."""

import keras
import tensorflow as tf

from keras_gen.core.kinds_of_data import Images
from keras_gen.keras_internals import all_layers, draws


def refuse_replicated_randomness(model) -> None:
    """Raises a ValueError for Keras' random layers on several replicas, where all draw the same."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return
    for name, network in model.networks.items():
        for layer in all_layers(network):
            if draws(layer):
                raise ValueError(
                    f"{name} holds the layer '{layer.name}' ({type(layer).__name__}), which "
                    "draws the same values on every replica: use keras_gen.layers instead."
                )


def refuse_shared_layers(model) -> None:
    """Raises a ValueError if two networks share a layer: a file could not be loaded again.

    Keras saves each network by itself, and the weights of a layer once.
    """
    owners: dict = {}
    for name, network in model.networks.items():
        for layer in all_layers(network):
            if not layer.variables:
                continue
            if (owner := owners.setdefault(id(layer), name)) != name:
                raise ValueError(
                    f"The networks {owner} and {name} share the layer '{layer.name}', whose "
                    "weights a file holds once: give each its own, or make one network of both "
                    "with several outputs."
                )


def refuse_rescaling(model) -> None:
    """Raises a ValueError if a network of images divides levels of 0 to 255, which it never sees.

    Networks of users often do so in their first layer. Here they get images in [-1, 1] or [0, 1].
    """
    examples = (model.edges | model.training_edges).get("x")
    if not isinstance(examples, Images):
        return
    for name, network in model.networks.items():
        for layer in all_layers(network):
            if isinstance(layer, keras.layers.Rescaling) and _divides_levels(layer.scale):
                raise ValueError(
                    f"The {name} '{network.name}' has {layer.name}, which multiplies by "
                    f"{layer.scale:.2g}, as of levels from 0 to 255: here networks get images in "
                    f"[{examples.low:g}, {examples.high:g}]. Build it without, such as "
                    f"keras.Model(network.get_layer('{layer.name}').output, network.outputs)."
                )


def _divides_levels(scale) -> bool:
    return isinstance(scale, float) and 0 < scale < 1 / 64
