"""Signatures of image files' contents, beside those of arrays: what REST requests can carry."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.core.checks.step_checks import require
from keras_gen.serving import image_headers, request_limits
from keras_gen.serving.exported import SUFFIX


def image_input(specs: Mapping[str, tf.TensorSpec], usual: Mapping[str, Any]) -> str | None:
    """The input that is images in gray or RGB, if all others have usual values."""
    asked = [(name, spec) for name, spec in specs.items() if name not in usual]
    if len(asked) != 1:
        return None
    ((name, spec),) = asked
    return name if _are_images(spec) else None


def encoded(images: Any) -> np.ndarray:
    """PNGs, bytes `[batch]`, of uint8 images `[batch, height, width, channels]`."""
    return tf.io.encode_png(images).numpy()


def of_encoded(
    function: Any,
    name: str,
    specs: Mapping[str, tf.TensorSpec],
    usual: Mapping[str, Any],
    largest: request_limits.LargestRequest,
) -> Any:
    """Returns a signature of images as one of their files' contents, PNG, JPEG or BMP.

    Its input has the name of the images and `_bytes`, and is strings `[batch]`. Outputs that are
    images become PNGs, likewise named. Images are not resized: they have the size that the
    signature takes, and where it takes any, that of the first. Files whose headers say otherwise,
    or more elements than a request may have, are not decoded.

    Args:
        function: The traced signature of images.
        name: The input that is images.
        specs: All of its inputs.
        usual: The values of its other inputs.
        largest: The limits of a request.
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


@functools.partial(tf.function, autograph=False)  # traced once for all signatures of such images
def _decoded(
    contents: tf.Tensor, name: str, shape: tuple, largest: request_limits.LargestRequest
) -> tf.Tensor:
    """The images of files, uint8 `[batch, *shape]`."""

    def decode(content):
        return tf.io.decode_image(content, shape[-1], expand_animations=False)

    contents = request_limits.examples_checked(name, contents, largest)
    with tf.control_dependencies(_size_checks(name, contents, shape, largest)):
        contents = tf.identity(contents)
    return tf.map_fn(decode, contents, fn_output_signature=tf.TensorSpec(shape, tf.uint8))


def _size_checks(
    name: str, contents: tf.Tensor, shape: tuple, largest: request_limits.LargestRequest
) -> list[tf.Operation]:
    """Checks, by headers, that images have one size, and not too many elements in all."""
    sizes = image_headers.sizes(name, contents)
    first = tf.unstack(sizes[0])
    expected = [size or of_first for size, of_first in zip(shape[:2], first, strict=True)]
    others = tf.reduce_any(sizes != tf.cast(expected, tf.int64), axis=1)
    odd = sizes[tf.argmax(others)]
    sentence = (
        f"{name} holds an image {{}} pixels high and {{}} wide: expected {{}} and {{}}"
        + (" of all in a request." if None in shape else ", resize it.")
    )
    fits = require(~tf.reduce_any(others), sentence, *tf.unstack(odd), *expected)
    # A side that alone has too many pixels stands for any larger one.
    pixels = tf.reduce_sum(tf.reduce_prod(tf.minimum(sizes, largest.elements + 1), axis=1))
    return [fits, request_limits.require_elements(name, pixels * shape[-1], largest)]


def _are_images(spec: Any) -> bool:
    return spec.dtype == tf.uint8 and spec.shape.rank == 4 and spec.shape[-1] in (1, 3)


def _encoded_output(name: str, value: tf.Tensor) -> tuple[str, tf.Tensor]:
    return (name + SUFFIX, tf.io.encode_png(value)) if _are_images(value) else (name, value)
