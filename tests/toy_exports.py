"""Small models to be exported."""

from types import MappingProxyType

import keras
import numpy as np
import tensorflow as tf

from shared import dropping_network

IMAGES = tf.TensorSpec([None, None, None, 3], tf.uint8, "images")
OF_ONE_SIZE = tf.TensorSpec([None, 6, 9, 3], tf.uint8, "images")
SCALARS = [tf.TensorSpec([], tf.int32, name) for name in ("seed", "n")]
PHOTO = np.random.default_rng(0).integers(0, 256, [6, 9, 3], np.uint8)


class Toy:
    """A model that has some signatures, and no network."""

    networks = MappingProxyType({})

    def __init__(self, **signatures):
        self.signatures = lambda: signatures


def encode(images):
    return tf.cast(images, tf.float32)


def inverter() -> Toy:
    """Negatives and halves of images; noise as samples."""

    def sample(seed, n):
        noise = tf.random.stateless_uniform([n, 4, 4, 1], [seed, 0], 0, 256, tf.int32)
        return {"images": tf.cast(noise, tf.uint8)}

    return Toy(
        invert=(lambda images: {"images": 255 - images}, [IMAGES]),
        halve=(lambda images: {"images": images // 2}, [IMAGES]),
        encode=(encode, [IMAGES]),
        sample=(sample, SCALARS),
    )


def of_one_size(*names) -> Toy:
    """Signatures that return images of one size as they are, none of them the default."""
    same = (lambda images: images, [OF_ONE_SIZE])
    return Toy(encode=(encode, [OF_ONE_SIZE]), **dict.fromkeys(names, same))


def listener() -> Toy:
    """Names the brighter half of an image, draws what is missing, and hums."""
    image, mask = (tf.TensorSpec([None, 4, 4, 1], tf.uint8, name) for name in ("images", "masks"))
    seeds = tf.TensorSpec([None], tf.int32, "seeds")

    def classify(images):
        means = tf.reduce_mean(tf.cast(images, tf.float32), [2, 3])
        return {"logits": tf.stack([means[:, 0], means[:, -1]], 1)}

    def fill(images, masks, seeds):
        drawn = tf.cast(seeds, tf.uint8)[:, None, None, None]
        return {"output_images": tf.where(masks > 0, drawn, images)}

    def sample(seed, n):
        return {"waveforms": tf.fill([n, 5, 1], tf.cast(seed, tf.float32) / 4)}

    return Toy(
        classify=(classify, [image]), fill=(fill, [image, mask, seeds]), sample=(sample, SCALARS)
    )


def normalizer() -> Toy:
    """Instance normalization, which depends on the whole image."""

    def normalize(images):
        values = tf.cast(images, tf.float32)
        mean, variance = tf.nn.moments(values, [1, 2], keepdims=True)
        scaled = 128 + 40 * (values - mean) * tf.math.rsqrt(variance + 1)
        return {"images": tf.cast(tf.clip_by_value(scaled, 0, 255), tf.uint8)}

    return Toy(normalize=(normalize, [IMAGES]))


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
