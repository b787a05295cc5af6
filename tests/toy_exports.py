"""Models without networks, to be exported and run by the command."""

from types import MappingProxyType

import numpy as np
import tensorflow as tf

IMAGES = tf.TensorSpec([None, None, None, 3], tf.uint8, "images")
PHOTO = np.random.default_rng(0).integers(0, 256, [6, 9, 3], np.uint8)


class Inverter:
    """Negatives and halves of images; noise as samples."""

    networks = MappingProxyType({})

    def signatures(self):
        def sample(seed, n):
            return {
                "images": tf.cast(
                    tf.random.stateless_uniform(
                        [n, 4, 4, 1], tf.stack([seed, 0]), 0, 256, tf.int32
                    ),
                    tf.uint8,
                )
            }

        return {
            "invert": (lambda images: {"images": 255 - images}, [IMAGES]),
            "halve": (lambda images: {"images": images // 2}, [IMAGES]),
            "encode": (lambda images: tf.cast(images, tf.float32), [IMAGES]),
            "sample": (sample, [tf.TensorSpec([], tf.int32, name) for name in ("seed", "n")]),
        }


class Fixed(Inverter):
    """Two signatures that take one size only, and none of them the default."""

    def signatures(self):
        images = tf.TensorSpec([None, 6, 9, 3], tf.uint8, "images")
        return {
            "encode": (lambda images: tf.cast(images, tf.float32), [images]),
            "a": (lambda images: images, [images]),
            "b": (lambda images: images, [images]),
        }


class Single(Fixed):
    def signatures(self):
        return {name: signature for name, signature in super().signatures().items() if name != "b"}


class Normalizer:
    """Instance normalization, which looks at the whole image."""

    networks = MappingProxyType({})

    def signatures(self):
        def normalize(images):
            values = tf.cast(images, tf.float32)
            mean, variance = tf.nn.moments(values, [1, 2], keepdims=True)
            return tf.cast(
                tf.clip_by_value(128 + 40 * (values - mean) * tf.math.rsqrt(variance + 1), 0, 255),
                tf.uint8,
            )

        return {"normalize": (lambda images: {"images": normalize(images)}, [IMAGES])}
