"""The latents of given images, by gradient descent."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_integer
from keras_gen.gan.gan import GAN


def nearest_latents(
    model: GAN,
    images,
    tries: int = 4,
    steps: int = 200,
    rate: float = 0.1,
    seed: int = 0,
    batch_size: int = 256,
) -> np.ndarray:
    """Finds latents whose images are near given ones, float32 `[n, latents]`.

    Creswell, Bharath: "Inverting the Generator of a Generative Adversarial Network", 2016: a GAN
    has no encoder, so that latents are moved by gradients of the squared distance between what they
    generate and the image. The way ends in one of many hollows; the best of several draws is kept.

    Deviation: Adam with a rate that falls to zero along a cosine, in place of their optimizer.

    Args:
        model: A GAN whose images depend on latents alone.
        images: Images as the model takes them, `[n, height, width, channels]`.
        tries: Draws of latents from which an image's search begins.
        steps: Updates of each.
        rate: Adam's first rate.
        seed: Seed of the draws.
        batch_size: Images whose latents are moved at once, each in all its tries.

    Raises:
        ValueError: If images have another shape, `tries`, `steps` or `batch_size` is below 1, or
            `rate` is not positive.
        TypeError: If what the model generates depends on more than latents, such as on labels.

    Example:
    ```python
    model = GAN.for_images((28, 28, 1), latent_dim=8, filters=4)
    images = model.sample(2, seed=1)
    latents = nearest_latents(model, images, steps=10)
    again = model.generate(latents)
    ```
    """
    tries = checked_integer("tries", tries, minimum=1)
    steps = checked_integer("steps", steps, minimum=1)
    batch_size = checked_integer("batch_size", batch_size, minimum=1)
    if not rate > 0:
        raise ValueError(f"rate is {rate}: expected a positive number, such as 0.1.")
    generate: Any = model.generate
    if more := set(generate.takes(model)) - {"latents"}:
        raise TypeError(
            f"what a {type(model).__name__} generates depends on {', '.join(sorted(more))} too: "
            "only latents are searched for."
        )
    wanted = model.edges["x"].prepare(images)
    count = len(wanted)
    starts = model.draw_latents(tries * count, seed)
    starts = tf.reshape(starts, [tries, count, -1])
    found = []
    for begin in range(0, count, batch_size):
        part = slice(begin, begin + batch_size)
        found.append(_nearest(model, wanted[part], starts[:, part], steps, rate))
    return np.concatenate(found)


def _nearest(model, wanted, starts, steps, rate):
    """Latents `[n, latents]` near images, the best of those from starts `[tries, n, latents]`."""
    tries, count, _ = starts.shape
    wanted = tf.tile(wanted, [tries, *[1] * (wanted.shape.rank - 1)])
    latents = tf.Variable(tf.reshape(starts, [tries * count, -1]))
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps))
    optimizer.build([latents])

    def distances():
        apart = tf.square(model.call(latents) - wanted)
        return tf.reduce_sum(apart, axis=list(range(1, apart.shape.rank)))

    @tf.function(autograph=False)
    def update():
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(latents)
            # Of the sum: each try has a gradient of its own.
            total = tf.reduce_sum(distances())
        optimizer.apply([tape.gradient(total, latents)], [latents])

    for _ in range(steps):
        update()
    best = distances().numpy().reshape(tries, count).argmin(axis=0)
    return latents.numpy().reshape(tries, count, -1)[best, np.arange(count)]
