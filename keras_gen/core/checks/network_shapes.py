"""Checks the shapes of declared networks, which must agree wherever a name is repeated."""

import keras
import tensorflow as tf

from keras_gen.arguments import shown
from keras_gen.core.checks.networks import require_logits
from keras_gen.declared import fields_of

LOGITS = "logits"
ANY = "..."  # further inputs or outputs of any number and shape


def require_shapes(model: keras.Model) -> None:
    """Raises a ValueError unless the networks' inputs and outputs match their declarations."""
    known: dict[str, tuple] = {}  # name of a part -> its shape and its network
    for name, field in fields_of(type(model)).items():
        network = getattr(model, name)
        shapes = field.metadata.get("shapes")
        if not shapes or network is None:
            continue
        if not hasattr(network, "inputs"):
            raise TypeError(
                f"{name} is {shown(network)}: expected a functional keras.Model, which has "
                "known shapes. Build it with a keras.Input."
            )
        takes, _, returns = (names.split() for names in shapes.partition("->"))
        _require_count(name, network, "inputs", takes, shapes)
        _require_count(name, network, "outputs", returns, shapes)
        tensors = [*network.inputs, *network.outputs]
        verbs = ["takes"] * len(takes) + ["returns"] * len(returns)
        for part, tensor, verb in zip(takes + returns, tensors, verbs, strict=True):
            shape = tuple(tensor.shape[1:])
            if part == ANY:
                continue
            if part == LOGITS:
                require_logits(keras.Model(network.inputs, tensor, name=network.name))
                continue
            before, owner = known.setdefault(part, (shape, f"{name} {verb}"))
            if not tf.TensorShape(shape).is_compatible_with(before):
                raise ValueError(
                    f"{name} {verb} {part} of shape {shape}: expected shape {before}, which "
                    f"{owner}. Build both networks for the same {part}."
                )


def _require_count(name: str, network, kind: str, parts: list[str], shapes: str) -> None:
    count = len(getattr(network, kind))
    if parts and parts[-1] == ANY:
        parts.extend([ANY] * (count - len(parts)))
    expected = len(parts)
    if count == expected:
        return
    way_out = f"Build '{network.name}' with {expected}."
    if kind == "outputs" and count > expected:
        way_out = f"Pass keras.Model({name}.inputs, {name}.outputs[:{expected}])."
    elif kind == "outputs":
        way_out = "Add an output with keras_gen.networks.with_head."
    raise ValueError(
        f"{name} '{network.name}' has {count} {kind}: expected {expected}, {shapes}. {way_out}"
    )
