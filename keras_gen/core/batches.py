"""The parts of a batch: in order, and by the names of the edges that prepare them."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_gen.core.distribution.replicas import replica_count
from keras_gen.tensor_checks import require

TARGET = "target"  # name of the examples that are reconstructed, if they are not x


def in_order(data) -> list:
    """Returns the parts of nested tuples and lists in order, without those that are None.

    A list of texts is one part.
    """
    if data is None:
        return []
    texts = isinstance(data, list) and bool(data) and isinstance(data[0], str)
    if texts or not isinstance(data, list | tuple):
        return [data]
    return [part for each in data for part in in_order(each)]


def named_parts(model, data) -> dict[str, Any]:
    """Names the parts of a batch; labels of a model that takes none are left out.

    Args:
        model: A `GenerativeModel`; its `batch` names the parts in order, the first is x. It has
            this as its method.
        data: Tensors or arrays, in tuples in this order, or in a dict by these names.

    Returns:
        The parts by the names of `batch`; further examples besides x have the name `target`.

    Raises:
        ValueError: If a part is missing or unknown, or there are too many.
    """
    name = type(model).__name__
    batch = model.batch
    edges = model.edges | model.training_edges
    expected = ", ".join(f"{part} ({edges[part].name})" for part in batch)
    parts = in_order(data)
    if any(isinstance(part, Mapping) for part in parts):
        found = sorted(key for part in parts if isinstance(part, Mapping) for key in part)
        aliases = {edges[part].name: part for part in batch} | {part: part for part in batch}
        named = {aliases.get(key, key): value for key, value in parts[0].items()}
        if len(parts) > 1 or named.keys() != set(batch):
            raise ValueError(
                f"{name} trains on {expected}, but got the names {', '.join(found)}: give one "
                "dict of these names, or a tuple in this order."
            )
        return {part: named[part] for part in batch}
    most = max(2, len(batch))
    # Keras passes weights of examples as the third of three.
    weights = isinstance(data, tuple) and len(data) > most and data[-1] is not None
    if weights or not len(batch) <= len(parts) <= most:
        raise ValueError(
            f"{name} trains on {expected}, but got {len(parts)} arrays in a batch: give fit "
            f"{len(batch)}, without sample weights, and stack examples into one array."
        )
    named = dict(zip(batch, parts, strict=False))
    for further in parts[len(batch) :]:
        if not _are_labels(further, parts[0]):
            named[TARGET] = further
    return named


def with_examples(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns a batch of one of several replicas, which has an example in it at least.

    Networks end in errors of other kinds, or the process, where they get none.
    """
    sentence = (
        f"The last batch has fewer examples than there are replicas, {replica_count()}: drop it, "
        "or choose another batch size."
    )
    found = {}
    for name, values in batch.items():
        enough = require(tf.shape(values)[0] > 0, sentence)
        with tf.control_dependencies([enough]):
            found[name] = tf.identity(values)
    return found


def _are_labels(values, x) -> bool:
    """Whether what comes with x has fewer axes, or is a column of integers."""
    shape = tf.TensorShape(values.shape)
    rank = tf.TensorShape(x.shape).rank
    if shape.rank is None or rank is None:
        return False
    return shape.rank < rank or (shape[1:] == [1] and tf.as_dtype(values.dtype).is_integer)
