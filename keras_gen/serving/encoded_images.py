"""Signatures that accept image files instead of arrays, for REST requests."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.files.images import luma
from keras_gen.serving import image_headers, request_limits
from keras_gen.serving.exported import SUFFIX
from keras_gen.tensor_checks import require

MOST_BYTES = 2**26
"""Maximum number of bytes in a request's files, which may contain data other than pixels."""
MOST_TEXTS = 8
"""Maximum number of compressed chunks in a PNG file, such as texts; each can unpack to 8 MB."""
MOST_TEXTS_IN_ALL = 256
"""Maximum number of compressed chunks in all files of a request."""
_COMPRESSED = "zTXt|iTXt|iCCP|sPLT"


def image_input(specs: Mapping[str, tf.TensorSpec], usual: Mapping[str, Any]) -> str | None:
    """Returns the input for gray or RGB images, if all other inputs have default values."""
    asked = [(name, spec) for name, spec in specs.items() if name not in usual]
    if len(asked) != 1:
        return None
    ((name, spec),) = asked
    return name if _are_images(spec) else None


def encoded(images: Any) -> np.ndarray:
    """Encodes uint8 images `[batch, height, width, channels]` as PNG, bytes `[batch]`."""
    return tf.io.encode_png(images).numpy()


def of_encoded(
    function: Any,
    name: str,
    specs: Mapping[str, tf.TensorSpec],
    usual: Mapping[str, Any],
    largest: request_limits.LargestRequest,
) -> Any:
    """Returns an image signature that accepts PNG, JPEG, or BMP file contents instead of arrays.

    Its input, strings `[batch]`, has the name of the image input with the suffix `_bytes`.
    Photographs are rotated according to their EXIF orientation, and transparent images are blended
    with white, as in `keras_gen.files.images.read_image`. Image outputs become PNG files, and the
    names of these outputs get the same suffix. Images are not resized. They must have the size that
    the signature accepts; if the signature accepts any size, all images must have the size of the
    first image. Files are not decoded if their headers show another size or more elements than a
    request may contain.

    Args:
        function: Traced image signature.
        name: Name of the image input.
        specs: Specifications of all inputs of the signature.
        usual: Default values of all inputs except the images.
        largest: Limits on a request.
    """
    shape = tuple(specs[name].shape[1:])
    texts = name + SUFFIX

    def signature(contents):
        given = {name: _decoded(contents, texts, shape, largest)} | dict(usual)
        outputs = function(*(tf.cast(given[key], spec.dtype) for key, spec in specs.items()))
        return dict(_encoded_output(key, value) for key, value in outputs.items())

    contents = tf.TensorSpec([None], tf.string, name=texts)
    graph = tf.function(signature, input_signature=[contents], autograph=False)
    return graph.get_concrete_function()


@functools.partial(
    tf.function, autograph=False
)  # traced once for all signatures with such images
def _decoded(
    contents: tf.Tensor, name: str, shape: tuple, largest: request_limits.LargestRequest
) -> tf.Tensor:
    """Decodes image files to uint8 `[batch, *shape]`."""

    def decode(given: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        content, turn = given
        image = _upright(_rgb(name, content), turn)
        return image if shape[-1] == 3 else _rounded(luma(tf.cast(image, tf.float32)))

    contents = request_limits.examples_checked(name, contents, largest)
    checks = [_require_bytes(name, contents), _require_few_texts(name, contents)]
    with tf.control_dependencies(checks):
        contents = tf.identity(contents)
    turns = image_headers.orientations(contents)
    with tf.control_dependencies(_size_checks(name, contents, turns, shape, largest)):
        contents = tf.identity(contents)
    spec = tf.TensorSpec(shape, tf.uint8)
    return tf.map_fn(decode, (contents, turns), fn_output_signature=spec)


def _require_few_texts(name: str, contents: tf.Tensor) -> tf.Operation:
    """Checks the number of compressed non-pixel chunks, each of which can unpack to 8 MB."""
    removed = tf.strings.regex_replace(contents, _COMPRESSED, "")
    counts = (tf.strings.length(contents) - tf.strings.length(removed)) // 4
    most, total = tf.reduce_max(counts), tf.reduce_sum(counts)
    sentence = (
        f"{name} has {{}} compressed texts and color profiles in one file and {{}} in total: "
        f"expected at most {MOST_TEXTS} and {MOST_TEXTS_IN_ALL}, respectively. Save the images "
        "without metadata."
    )
    few = (most <= MOST_TEXTS) & (total <= MOST_TEXTS_IN_ALL)
    return require(few, sentence, most, total)


def _require_bytes(name: str, contents: tf.Tensor) -> tf.Operation:
    """Checks that files, including data other than pixels, are not too long."""
    count = tf.reduce_sum(tf.cast(tf.strings.length(contents), tf.int64))
    sentence = (
        f"{name} has {{}} bytes in total: expected at most {MOST_BYTES}. Send fewer or smaller "
        "files."
    )
    return require(count <= MOST_BYTES, sentence, count)


def _rgb(name: str, content: tf.Tensor) -> tf.Tensor:
    """Returns the stored pixels of a file, blended with white, uint8 `[height, width, 3]`."""
    head = image_headers.head_of(content)

    def of_jpeg() -> tf.Tensor:
        return tf.io.decode_jpeg(content, 3, dct_method="INTEGER_ACCURATE")

    kinds = {
        image_headers.PNG: lambda: _of_png(name, content, *tf.unstack(head[24:26])),
        image_headers.JPEG: of_jpeg,
    }
    return tf.case(
        [(image_headers.begins(head, kind), decoded) for kind, decoded in kinds.items()],
        lambda: _of_bmp(content, head),
    )


def _of_png(name: str, content: tf.Tensor, bits: tf.Tensor, color: tf.Tensor) -> tf.Tensor:
    def largest_of_16_bits() -> tf.Tensor:
        return tf.cast(tf.reduce_max(tf.io.decode_png(content, 3, tf.uint16)), tf.int32)

    largest = tf.cond(bits == 16, largest_of_16_bits, lambda: 0)
    sentence = (
        f"{name} contains a 16-bit image whose maximum value is {{}} instead of 65535, as if it "
        "had fewer bits: expected the full 16-bit range. Multiply the values, or store 8 bits."
    )
    checks = [
        require(
            ~((bits == 16) & (color == 2) & image_headers.has_transparent_color(content)),
            f"{name} contains a 16-bit image with a transparent color: store it with 8 bits.",
        ),
        require((largest == 0) | (largest >= 2**14), sentence, largest),
    ]
    with tf.control_dependencies(checks):
        content = tf.identity(content)
    # When asked for four channels, the decoder returns a wrong opacity for opaque palette images,
    # and for gray images with fewer than 8 bits.
    is_gray, is_palette = color == 0, color == 3
    image = tf.cond(
        is_palette, lambda: tf.io.decode_png(content), lambda: tf.io.decode_png(content, 4)
    )
    is_opaque = [[0, 0], [0, 0], [0, 4 - tf.shape(image)[-1]]]
    image = tf.cast(tf.pad(image, is_opaque, constant_values=255), tf.float32)
    opacity = tf.where(is_gray & (image[..., 3:] > 0), 1.0, image[..., 3:] / 255)
    return _rounded(255 - opacity * (255 - image[..., :3]))


def _of_bmp(content: tf.Tensor, head: tf.Tensor) -> tf.Tensor:
    image = tf.io.decode_bmp(content)

    def of_palette() -> tf.Tensor:
        return tf.gather(
            image_headers.bmp_palette(content, head), tf.cast(image[..., 0], tf.int32)
        )

    return tf.cond(tf.shape(image)[-1] == 1, of_palette, lambda: image[..., :3])


def _upright(image: tf.Tensor, turn: tf.Tensor) -> tf.Tensor:
    """Rotates an image `[height, width, channels]` according to its EXIF orientation, 1 to 8."""
    image = tf.cond(
        image_headers.is_transposed(turn), lambda: tf.transpose(image, [1, 0, 2]), lambda: image
    )
    # Orientations with -1 in their position are mirrored along an axis.
    rows = tf.gather([1, 1, 1, -1, -1, 1, 1, -1, -1], turn)
    columns = tf.gather([1, 1, -1, -1, 1, 1, -1, -1, 1], turn)
    return image[::rows, ::columns]


def _rounded(image: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.round(image), tf.uint8)


def _size_checks(
    name: str,
    contents: tf.Tensor,
    turns: tf.Tensor,
    shape: tuple,
    largest: request_limits.LargestRequest,
) -> list[tf.Operation]:
    """Checks in the headers that all images have the same size and few enough elements."""
    sizes = image_headers.sizes(name, contents, turns)
    first = tf.unstack(sizes[0])
    expected = [size or of_first for size, of_first in zip(shape[:2], first, strict=True)]
    others = tf.reduce_any(sizes != tf.cast(expected, tf.int64), axis=1)
    odd = sizes[tf.argmax(others)]
    sentence = (
        f"{name} contains an image of height {{}} and width {{}}: expected {{}} and {{}}"
        + (" for all images in a request." if None in shape else ". Resize it.")
    )
    fits = require(~tf.reduce_any(others), sentence, *tf.unstack(odd), *expected)
    # Sides are clipped to a length that by itself exceeds the limit.
    pixels = tf.reduce_sum(tf.reduce_prod(tf.minimum(sizes, largest.elements + 1), axis=1))
    return [fits, request_limits.require_elements(name, pixels * shape[-1], largest)]


def _are_images(spec: Any) -> bool:
    return spec.dtype == tf.uint8 and spec.shape.rank == 4 and spec.shape[-1] in (1, 3)


def _encoded_output(name: str, value: tf.Tensor) -> tuple[str, tf.Tensor]:
    return (name + SUFFIX, tf.io.encode_png(value)) if _are_images(value) else (name, value)
