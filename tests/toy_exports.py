"""Small models to be exported."""

from types import MappingProxyType

import keras
import numpy as np
import tensorflow as tf

from shared import dropping_network

IMAGES = tf.TensorSpec([None, None, None, 3], tf.uint8, "images")
SCALARS = [tf.TensorSpec([], tf.int32, name) for name in ("seed", "n")]
PHOTO = np.random.default_rng(0).integers(0, 256, [6, 9, 3], np.uint8)


class Inverter:
    """Negatives and halves of images; noise as samples."""

    networks = MappingProxyType({})

    def signatures(self):
        def sample(seed, n):
            noise = tf.random.stateless_uniform([n, 4, 4, 1], [seed, 0], 0, 256, tf.int32)
            return {"images": tf.cast(noise, tf.uint8)}

        return {
            "invert": (lambda images: {"images": 255 - images}, [IMAGES]),
            "halve": (lambda images: {"images": images // 2}, [IMAGES]),
            "encode": (lambda images: tf.cast(images, tf.float32), [IMAGES]),
            "sample": (sample, SCALARS),
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


class Listener:
    """Names the brighter half of an image, draws what is missing, and hums."""

    networks = MappingProxyType({})

    def signatures(self):
        image = tf.TensorSpec([None, 4, 4, 1], tf.uint8, "images")
        mask = tf.TensorSpec([None, 4, 4, 1], tf.uint8, "masks")
        seeds = tf.TensorSpec([None], tf.int32, "seeds")

        def classify(images):
            means = tf.reduce_mean(tf.cast(images, tf.float32), [2, 3])
            return {"logits": tf.stack([means[:, 0], means[:, -1]], 1)}

        def fill(images, masks, seeds):
            drawn = tf.cast(seeds, tf.uint8)[:, None, None, None]
            return {"output_images": tf.where(masks > 0, drawn, images)}

        def sample(seed, n):
            return {"waveforms": tf.fill([n, 5, 1], tf.cast(seed, tf.float32) / 4)}

        return {
            "classify": (classify, [image]),
            "fill": (fill, [image, mask, seeds]),
            "sample": (sample, SCALARS),
        }


class Normalizer:
    """Instance normalization, which depends on the whole image."""

    networks = MappingProxyType({})

    def signatures(self):
        def normalize(images):
            values = tf.cast(images, tf.float32)
            mean, variance = tf.nn.moments(values, [1, 2], keepdims=True)
            scaled = 128 + 40 * (values - mean) * tf.math.rsqrt(variance + 1)
            return {"images": tf.cast(tf.clip_by_value(scaled, 0, 255), tf.uint8)}

        return {"normalize": (normalize, [IMAGES])}


class Translator:
    """A stand-in with layers that behave differently in training, and outputs of all dtypes."""

    inference_policy = MappingProxyType({"dropout": "off", "normalization": "mean"})

    def __init__(self):
        self.network = dropping_network()
        critic = keras.Sequential([keras.Input([3]), keras.layers.Dense(50)])
        self.networks = {"translator": self.network, "critic": critic}
        self.traces = 0

    def translate(self, images):
        self.traces += 1
        raw = self.network(tf.cast(images, tf.float32) / 127.5 - 1, training=False)
        raw = tf.cast(raw, tf.float32)
        return {"images": tf.cast(tf.round((raw + 1) * 127.5), tf.uint8), "raw": raw}

    def sample(self, seed, n):
        noise = tf.random.stateless_normal([n, 8, 8, 3], tf.stack([seed, 0]))
        return self.network(noise, training=False)

    def count(self, images):
        return {
            "sizes": tf.shape(images, tf.int64),
            "half": tf.cast(tf.size(images), tf.float16),
            "any": tf.reduce_any(images > 0),
        }

    def signatures(self):
        return {
            "translate": (self.translate, [IMAGES]),
            "sample": (self.sample, SCALARS),
            "count": (self.count, [IMAGES]),
        }
