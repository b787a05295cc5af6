"""The sizes of image files by their headers, in a graph: nothing is decoded."""

import tensorflow as tf

from keras_gen.core.checks.step_checks import require

_PNG, _JPEG, _BMP = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM"
_HEAD = 26  # bytes
_BASE = (1, 2**8, 2**16, 2**24)


def sizes(name: str, contents: tf.Tensor) -> tf.Tensor:
    """Heights and widths, int64 `[batch, 2]`, of PNG, JPEG and BMP files, bytes `[batch]`.

    Others are refused: of a GIF's images only decoding says how large they are. The sentence names
    the input.
    """
    spec = tf.TensorSpec([2], tf.int64)
    return tf.map_fn(lambda content: _size(name, content), contents, fn_output_signature=spec)


def _size(name: str, content: tf.Tensor) -> tf.Tensor:
    head = tf.strings.join([tf.strings.substr(content, 0, _HEAD), b"\0" * _HEAD])
    head = tf.io.decode_raw(tf.strings.substr(head, 0, _HEAD), tf.uint8)
    head = tf.cast(tf.ensure_shape(head, [_HEAD]), tf.int64)

    def begins(kind: bytes) -> tf.Tensor:
        return tf.reduce_all(head[: len(kind)] == list(kind))

    def of_png() -> tf.Tensor:
        width, height = _number(head[16:20][::-1]), _number(head[20:24][::-1])
        return tf.stack([height, width])

    def of_jpeg() -> tf.Tensor:
        return tf.io.extract_jpeg_shape(content, tf.int64)[:2]

    def of_bmp() -> tf.Tensor:
        width, height = _number(head[18:22]), _number(head[22:26])
        # One whose first row is the upper one has a negative height.
        return tf.stack([tf.minimum(height, 2**32 - height), width])

    kinds = {_PNG: of_png, _JPEG: of_jpeg}
    sentence = f"{name} holds a file that is no PNG, JPEG or BMP: expected one of these."
    known = tf.reduce_any([begins(kind) for kind in (_PNG, _JPEG, _BMP)])
    with tf.control_dependencies([require(known, sentence)]):
        head = tf.identity(head)
        return tf.case([(begins(kind), size) for kind, size in kinds.items()], of_bmp)


def _number(little_endian: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(little_endian * tf.constant(_BASE, tf.int64))
