"""SquareAttack: an attack with random squares instead of gradients (Andriushchenko et al. 2020)."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_number, checked_positive
from keras_gen.core import noise, stateless
from keras_gen.core.distribution import replica_slice
from keras_gen.declared import Count
from keras_gen.losses.per_example import serializable
from keras_gen.robustness.attacks import Attack, logits_of, margin

# After these fractions of the queries, the squares have half as many pixels.
HALVED_AFTER = (0.001, 0.005, 0.02, 0.1, 0.2, 0.4, 0.6, 0.8)


@serializable
class SquareAttack(Attack):
    """Moves random squares of an image to the boundary of the ball, and keeps helpful changes.

    Andriushchenko, Croce, Flammarion, Hein: "Square Attack: a Query-Efficient Black-Box Adversarial
    Attack via Random Search", ECCV 2020, algorithms 1 and 2, for the norm `"inf"`. The attack uses
    only logits, so networks that withstand PGD because of misleading gradients do not withstand
    this attack.

    Args:
        epsilon, targeted: See `Attack`.
        norm: Norm of the change; must be `"inf"`.
        queries: Number of changes to try for each example, from 1 to 2**20.
        fraction: Fraction of an image's pixels covered by the first squares, above 0 and at most 1.
            Later squares are smaller.

    Raises:
        ValueError: If an argument is out of range. When the attack is called, if examples are not
            images `[n, height, width, channels]`.

    Example: `SquareAttack(epsilon=0.3, queries=500)(model, digits, labels, seed=1)`.
    """

    norm: Literal["inf"] = "inf"
    queries: Count = 1000
    fraction: Annotated[float, partial(checked_number, maximum=1), checked_positive] = 0.8

    random_start = True

    @override
    def on(self, network: Callable, bounds: tuple, x, labels, seed) -> tf.Tensor:
        def loss_fn(x):
            return margin(logits_of(network, x), labels)

        return self.changed(loss_fn, x, seed, *bounds)

    @override
    def changed(
        self, loss_fn: Callable, x, seed, low: float = 0.0, high: float = 1.0, epsilon=None
    ) -> tf.Tensor:
        if x.shape.rank != 4:
            raise ValueError(
                f"The examples have shape {x.shape}: expected images [n, height, width, channels], "
                "because the attack perturbs square regions."
            )
        radius = self.radius(x, epsilon)
        _, height, width, channels = x.shape
        batch = tf.shape(x)[0]
        # The replica's slice is computed outside the loop, because replicas cannot exchange their
        # batch sizes inside the loop.
        first, total = replica_slice(batch)
        sides = tf.constant([self._side(query, height, width) for query in range(self.queries)])

        def moved(directions):
            return tf.clip_by_value(x + radius * directions, low, high)

        def score(examples):
            with stateless():
                return self.sign * loss_fn(examples)

        def uniform(shape, seed):
            drawn = tf.random.stateless_uniform([total, *shape], seed)
            return drawn[first : first + batch]

        def signs(shape, seed):
            return tf.where(uniform(shape, seed) < 0.5, -1.0, 1.0)

        def step(query, directions, best):
            key = noise.folded(seed, query)
            side = sides[query]
            corner = uniform([2], key)
            top = _inside(corner[:, 0], side, height)
            left = _inside(corner[:, 1], side, width)
            square = _square(top, left, side, height, width)
            color = signs([1, 1, channels], tf.reverse(key, [0]))
            tried = tf.where(square, color, directions)
            loss = score(moved(tried))
            better = loss > best
            directions = tf.where(better[:, None, None, None], tried, directions)
            return query + 1, directions, tf.maximum(loss, best)

        # The search starts with vertical stripes, each of which has one sign.
        stripes = signs([1, width, channels], noise.folded(seed, self.queries))
        stripes = tf.broadcast_to(stripes, tf.shape(x))
        best = score(moved(stripes))
        _, directions, _ = tf.while_loop(
            lambda query, *_: query < self.queries,
            step,
            (tf.constant(0), stripes, best),
            maximum_iterations=self.queries,
        )
        return tf.stop_gradient(moved(directions))

    def _side(self, query: int, height: int, width: int) -> int:
        """Returns the side, in pixels, of the square of a query."""
        halvings = sum(query > after * self.queries for after in HALVED_AFTER)
        pixels = self.fraction * 0.5**halvings * height * width
        return int(np.clip(round(np.sqrt(pixels)), 1, min(height, width)))


def _inside(uniform, side, length: int):
    """Returns the first rows or columns of random squares inside the image."""
    places = tf.cast(length - side + 1, tf.float32)
    return tf.cast(tf.floor(uniform * places), tf.int32)


def _square(top, left, side, height: int, width: int):
    """Returns a mask of the pixels in the squares, bool `[batch, height, width, 1]`."""
    rows = tf.range(height)[None]
    columns = tf.range(width)[None]
    in_rows = (rows >= top[:, None]) & (rows < top[:, None] + side)
    in_columns = (columns >= left[:, None]) & (columns < left[:, None] + side)
    return (in_rows[:, :, None] & in_columns[:, None, :])[..., None]
