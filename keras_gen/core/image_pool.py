"""A history of generated images that stabilizes the training of a discriminator."""

import math

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_integer, checked_list
from keras_gen.core.distribution import global_batch, replica_part
from keras_gen.tensor_checks import require

MOST_NUMBERS = 2**28  # maximum number of values in a pool, 1 GiB


@keras.saving.register_keras_serializable("keras_gen")
class ImagePool(keras.layers.Layer):
    """A history of generated images (Shrivastava et al. 2017, sec. 2.3; CycleGAN stores 50 images).

    Until the pool is full, each image is stored and also passes through. After that, with
    probability 1/2, an image is exchanged for a stored image; otherwise, it passes through. Under a
    distribution strategy, every replica has the same pool for the global batch, so that N replicas
    are equivalent to one device.

    Deviation: all images in a batch are exchanged at the same time, each with a different slot.

    Args:
        size: Number of images to store. If 0, all images pass through.
        image_shape: `(height, width, channels)` of the images, or the shape of another type of
            example.

    Raises:
        ValueError: If `size` is negative, if a dimension is unknown, if the pool would need more
            than 1 GiB, or if the global batch is larger than the pool.

    Example:
    ```python
    pool = ImagePool(50, (128, 128, 3))
    shown = pool(fakes, seed=stateless_seed(0, step, "pool"))
    ```
    """

    def __init__(self, size: int, image_shape: tuple[int, ...], **kwargs):
        super().__init__(trainable=False, dtype="float32", autocast=False, **kwargs)
        checked_integer("size", size)
        checked_list("image_shape", image_shape)
        if size < 0 or (size and None in tuple(image_shape)):
            raise ValueError(
                f"An image pool has size {size} and images of shape {tuple(image_shape)}: "
                "expected a size of at least 0 and a known shape. Build the discriminator for "
                "the size of the training crops, or use pool_size=0."
            )
        numbers = size * math.prod(image_shape) if size else 0
        if numbers > MOST_NUMBERS:
            raise ValueError(
                f"pool_size is {size}, which requires memory for {numbers} numbers with images "
                f"of shape {tuple(image_shape)}: expected at most {MOST_NUMBERS} numbers. Use "
                "a smaller pool_size."
            )
        self.size = size
        self.image_shape = tuple(image_shape)
        if size:
            state = dict(
                initializer="zeros", trainable=False, aggregation="only_first_replica"
            )  # fmt: skip
            self.images = self.add_weight(name="images", shape=(size, *image_shape), **state)
            # The dtype is int64, because TensorFlow does not keep int32 variables on GPUs.
            self.filled = self.add_weight(name="filled", shape=(), dtype="int64", **state)
        self.built = True

    @override
    def call(self, images, seed, training=True):
        """Stores some images `[batch, *image_shape]`, and returns images for the discriminator."""
        if not self.size or not training:
            return images
        shown, change = self.exchanged(images, seed)
        with tf.control_dependencies([shown]):
            self.keep(change)
        return shown

    def exchanged(self, images, seed) -> tuple[tf.Tensor, tuple]:
        """Returns the output of `call` and the change to pass to `keep` if the step succeeds."""
        local = images
        images = global_batch(tf.cast(images, tf.float32))
        batch = tf.shape(images)[0]
        pool = self.images.value
        filled = tf.cast(self.filled.value, tf.int32)
        sentence = (
            "A global batch of {} images is larger than the image pool of {} images: increase "
            "pool_size."
        )
        enough = require(batch <= self.size, sentence, batch, self.size)
        with tf.control_dependencies([enough]):
            place = filled + tf.range(batch)
        fresh = place < self.size
        # Each additional image gets a different slot among the slots that were filled before this
        # batch.
        order = tf.random.stateless_uniform([self.size], seed)
        order = tf.where(tf.range(self.size) < filled, order, 2.0)
        drawn = tf.gather(tf.argsort(order), tf.maximum(place - self.size, 0))
        slots = tf.where(fresh, place, drawn)
        coin = tf.random.stateless_uniform([batch], seed + tf.constant([1, 0], seed.dtype))
        swap = ~fresh & (coin < 0.5)
        stored = tf.gather(pool, slots)
        each = [-1, *[1] * len(self.image_shape)]
        shown = tf.where(tf.reshape(swap, each), stored, images)
        kept = tf.where(tf.reshape(fresh | swap, each), images, stored)
        change = slots[:, None], kept, tf.minimum(filled + batch, self.size)
        shown = replica_part(shown, keras.ops.shape(local)[0])
        return tf.cast(shown, local.dtype), change

    def keep(self, change: tuple) -> None:
        """Applies the change that `exchanged` returned."""
        slots, kept, filled = change
        self.images.assign(tf.tensor_scatter_nd_update(self.images.value, slots, kept))
        self.filled.assign(tf.cast(filled, tf.int64))

    @override
    def get_config(self) -> dict:
        return {"name": self.name, "size": self.size, "image_shape": self.image_shape}
