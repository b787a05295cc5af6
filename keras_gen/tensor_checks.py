"""Checks for tensors, in eager mode and in graphs."""

import tensorflow as tf

from keras_gen.messages import BAD_INPUT, END


def require(condition, sentence: str, *values):
    """Raises an error if `condition` is false.

    Args:
        condition: Boolean, or a scalar boolean tensor.
        sentence: Error message, with one `{}` per value.
        *values: Numbers, strings, or scalar tensors to insert into the message.

    Returns:
        An operation that subsequent operations must wait for.

    Raises:
        ValueError: If the condition is false. If the condition is in a graph, `GenerativeModel.fit`
            raises this error.

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
            raise ValueError(sentence.format(*map(_shown, shown)))
        return tf.no_op()
    # The message is passed in pieces, because XLA does not support `tf.strings.format`.
    pieces = f"{BAD_INPUT}{sentence}{END}".split("{}")
    values = tuple(map(_readable, values))
    data = [part for pair in zip(pieces, values, strict=False) for part in pair] + pieces[-1:]
    return tf.debugging.Assert(condition, data)


def _readable(value):
    """Returns a value without bytes that are not UTF-8, because clients decode error messages."""
    value = tf.convert_to_tensor(value)
    if value.dtype != tf.string:
        return value
    return tf.strings.unicode_transcode(value, "UTF-8", "UTF-8")


def _shown(value) -> str:
    # Unprintable characters are escaped in the same way as in TensorFlow's runtime.
    return (
        repr(value.decode(errors="replace"))[1:-1] if isinstance(value, bytes) else f"{value:g}"
    )
