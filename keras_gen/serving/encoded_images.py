"""Signatures of image files' contents, beside those of arrays: what REST requests can carry."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.core.checks.step_checks import require
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
    example: np.ndarray,
) -> Any:
    """Returns a signature of images as one of their files' contents, PNG, JPEG, GIF or BMP.

    Its input has the name of the images and `_bytes`, and is strings `[batch]`. Outputs that are
    images become PNGs, likewise named. Images are not resized: they have the size that the
    signature takes, and where it takes any, that of the first.

    Args:
        function: The traced signature of images.
        name: The input that is images.
        specs: All of its inputs.
        usual: The values of its other inputs.
        example: One uint8 image that it takes, `[1, height, width, channels]`.
    """
    shape = specs[name].shape[1:]
    (blank,) = encoded(example)

    def decode(contents):
        return tf.io.decode_image(contents, shape[-1], expand_animations=False)

    def signature(contents):
        count = tf.shape(contents)[0]
        # No files are no images, but of a size.
        contents = tf.concat([contents, tf.repeat(blank, tf.cast(count == 0, tf.int32))], axis=0)
        first = tf.unstack(tf.shape(decode(contents[0])), 3)
        height, width, _ = (
            size or of_first for size, of_first in zip(shape, first, strict=True)
        )
        sentence = (
            f"{name}{SUFFIX} holds an image {{}} pixels high and {{}} wide: expected {{}} and {{}}"
            + (", resize it." if shape.is_fully_defined() else " of all in a request.")
        )

        def checked(contents):
            image = decode(contents)
            high, wide, _ = tf.unstack(tf.shape(image), 3)
            fits = tf.equal(high, height) & tf.equal(wide, width)
            with tf.control_dependencies([require(fits, sentence, high, wide, height, width)]):
                return tf.identity(image)

        spec = tf.TensorSpec(shape, tf.uint8)
        images = tf.map_fn(checked, contents, fn_output_signature=spec)[:count]
        given = {name: images} | dict(usual)
        outputs = function(*(tf.cast(given[key], spec.dtype) for key, spec in specs.items()))
        return dict(_encoded_output(key, value) for key, value in outputs.items())

    contents = tf.TensorSpec([None], tf.string, name=name + SUFFIX)
    graph = tf.function(signature, input_signature=[contents], autograph=False)
    return graph.get_concrete_function()


def _are_images(spec: Any) -> bool:
    return spec.dtype == tf.uint8 and spec.shape.rank == 4 and spec.shape[-1] in (1, 3)


def _encoded_output(name: str, value: tf.Tensor) -> tuple[str, tf.Tensor]:
    return (name + SUFFIX, tf.io.encode_png(value)) if _are_images(value) else (name, value)
