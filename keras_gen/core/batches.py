"""The parts of a batch: their order, and the names of the edges that prepare these parts."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_gen.core.distribution import replica_count
from keras_gen.tensor_checks import require

TARGET = "target"  # name of the examples to reconstruct, if they differ from x


def in_order(data) -> list:
    """Returns the parts of nested tuples and lists in order, without None.

    A list of texts is a single part.
    """
    if data is None:
        return []
    texts = isinstance(data, list) and bool(data) and isinstance(data[0], str)
    if texts or not isinstance(data, list | tuple):
        return [data]
    return [part for each in data for part in in_order(each)]


def named_parts(model, data) -> dict[str, Any]:
    """Names the parts of a batch, and drops labels that the model does not use.

    Args:
        model: `GenerativeModel` whose `batch` lists the names of the parts in order, starting with
            x. Models also have this function as a method.
        data: Tensors or arrays, either in tuples in the order of `batch`, or in a dict with the
            names in `batch` as keys.

    Returns:
        A dict of the parts, with the names in `batch` as keys; the key of a second set of examples
        is `target`.

    Raises:
        ValueError: If a part is missing or unknown, or if there are too many parts.
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
                f"{name} trains on {expected}, but got the names {', '.join(found)}: pass a "
                "dict with the expected names, or a tuple in the expected order."
            )
        return {part: named[part] for part in batch}
    most = max(2, len(batch))
    # Keras passes sample weights as the last of three parts.
    weights = isinstance(data, tuple) and len(data) > most and data[-1] is not None
    if weights or not len(batch) <= len(parts) <= most:
        raise ValueError(
            f"{name} trains on {expected}, but got {len(parts)} arrays in a batch: expected "
            f"{len(batch)}. Leave out sample weights, and stack a list of examples into one "
            "array."
        )
    named = dict(zip(batch, parts, strict=False))
    for further in parts[len(batch) :]:
        if not _are_labels(further, parts[0]):
            named[TARGET] = further
    return named


def prepare_batch(self, data) -> dict[str, tf.Tensor]:
    """Checks the data given to `fit`, and names its parts after the edges listed in `batch`.

    A model that uses only examples ignores accompanying labels. For a model that
    `reconstructs_pairs`, a second set of examples is the `target`; for other models, the second set
    must equal x.

    Raises:
        ValueError: If a part is missing, unknown, invalid, or empty, or if there are too many
            parts.
    """
    edges = self.edges | self.training_edges
    edges[TARGET] = edges["x"]
    sentence = "A batch has no examples: expected at least one. Leave out empty batches."
    if (replicas := replica_count()) > 1:
        sentence = (
            f"The last batch has fewer examples than there are replicas ({replicas}): drop this "
            "batch, or choose another batch size."
        )
    batch = {}
    for name, part in self.named_parts(data).items():
        values = edges[name].prepare(part)
        # An empty part would make the loss NaN, and cause unrelated errors or a crash in networks.
        with tf.control_dependencies([require(tf.shape(values)[0] > 0, sentence)]):
            batch[name] = tf.identity(values)
    if TARGET in batch and not self.reconstructs_pairs:
        same = tf.reduce_all(tf.equal(batch["x"], batch.pop(TARGET)))
        sentence = (
            f"{type(self).__name__} does not use y, but got a y that differs from x: leave out "
            "y."
        )
        with tf.control_dependencies([require(same, sentence)]):
            batch["x"] = tf.identity(batch["x"])
    return batch


def _are_labels(values, x) -> bool:
    """Returns whether values given with x have fewer axes than x, or form a column of integers."""
    shape = tf.TensorShape(values.shape)
    rank = tf.TensorShape(x.shape).rank
    if shape.rank is None or rank is None:
        return False
    return shape.rank < rank or (shape[1:] == [1] and tf.as_dtype(values.dtype).is_integer)
