"""What a request to an export may ask for at most, checked before anything is computed."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_gen.core.capabilities import MOST_SAMPLES
from keras_gen.core.checks.step_checks import require

MOST_EXAMPLES = MOST_SAMPLES
"""Examples of a request, as many as it may draw."""
MOST_ELEMENTS = 2**22
"""Numbers of an input, or bytes of its texts: an RGB image of 1,182 x 1,182 pixels."""


def most_elements(model: Any) -> int:
    """How many a model takes: its own `most_elements`, if each of its elements needs much memory.

    Example:
        >>> most_elements(model) == MOST_ELEMENTS    # doctest: +SKIP
        True
    """
    return getattr(model, "most_elements", MOST_ELEMENTS)


def described(model: Any) -> dict[str, int]:
    """The limits of a model's requests, for the metadata."""
    return {"examples": MOST_EXAMPLES, "elements": most_elements(model)}


def checked(inputs: Mapping[str, tf.Tensor], most: int) -> tuple[tf.Tensor, ...]:
    """Inputs by name, refused if there are no examples or too many, or too many elements."""
    return tuple(_checked(name, tensor, most) for name, tensor in inputs.items())


def _checked(name: str, tensor: tf.Tensor, most: int) -> tf.Tensor:
    if not tensor.shape.rank:
        return tensor
    tensor = examples_checked(name, tensor)
    with tf.control_dependencies([require_elements(name, _size(tensor), most)]):
        return tf.identity(tensor)


def examples_checked(name: str, tensor: tf.Tensor) -> tf.Tensor:
    """An input `[examples, ...]`, refused if there are none or too many of them."""
    count = tf.shape(tensor)[0]
    sentence = f"{name} holds {{}} examples: expected 1 to {MOST_EXAMPLES}; send more in parts."
    fits = (count > 0) & (count <= MOST_EXAMPLES)
    with tf.control_dependencies([require(fits, sentence, count)]):
        return tf.identity(tensor)


def require_elements(name: str, count: tf.Tensor, most: int) -> tf.Operation:
    """The check that an input has at most so many elements."""
    sentence = (
        f"{name} has {{}} elements in all: expected at most {most}; send fewer or smaller."
    )
    return require(count <= most, sentence, count)


def _size(tensor: tf.Tensor) -> tf.Tensor:
    """The numbers of a tensor, or the bytes of its texts, int64."""
    if tensor.dtype == tf.string:
        return tf.reduce_sum(tf.cast(tf.strings.length(tensor), tf.int64))
    return tf.size(tensor, tf.int64)
