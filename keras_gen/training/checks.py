"""Checks of tensors inside a step, whose errors `fit` turns into one sentence."""

import tensorflow as tf

from keras_gen.sentences import BAD_INPUT, END


def require_inputs(count: int, owner: type, *networks) -> None:
    """Raises a ValueError if a functional model takes another number of inputs than `count`."""
    for network in networks:
        if len(network.inputs) != count:
            raise ValueError(
                f"The network '{network.name}' has {len(network.inputs)} inputs: "
                f"{owner.__name__} gives it {count}."
            )


def require(condition, sentence: str, *values):
    """Refuses to go on where `condition` is false.

    Args:
        condition: Boolean, or a scalar tensor of it.
        sentence: The error message, with `{}` for each of the values.
        *values: Numbers or scalar tensors, shown in the sentence.

    Returns:
        The operation that following ones must wait for.

    Raises:
        ValueError: If the condition is false; from a graph, by way of `GenerativeModel.fit`.

    Example:
    ```python
    with tf.control_dependencies([require(tf.size(x) > 0, "x is empty.")]):
        x = tf.identity(x)
    ```
    """
    known = tf.get_static_value(tf.convert_to_tensor(condition))
    if known is not None:
        if not known:
            shown = (tf.get_static_value(tf.convert_to_tensor(value)) for value in values)
            raise ValueError(sentence.format(*(f"{value:g}" for value in shown)))
        return tf.no_op()
    # The pieces of the sentence and not `tf.strings.format`, which XLA does not know.
    pieces = f"{BAD_INPUT}{sentence}{END}".split("{}")
    data = [part for pair in zip(pieces, values, strict=False) for part in pair] + pieces[-1:]
    return tf.debugging.Assert(condition, data)
