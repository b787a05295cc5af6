"""Synthetic white shapes on black, with known factors of variation."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import numpy as np

from keras_gen.arguments import checked_number, checked_positive, checked_size
from keras_gen.checked_arguments import checked_types
from keras_gen.data.sets.factors import Factors
from keras_gen.data.source import Source
from keras_gen.declared import Declared

# Side of the largest square as a fraction of the image size; all shapes have its area.
_SIDE = 0.3
_REACH = 0.8  # maximum extent of a shape from its center, as a multiple of the square's side


Values = Annotated[int, partial(checked_size, minimum=2)]


class Shapes(Declared):
    """Images of squares, ellipses, and hearts at every scale, orientation, and position.

    The factors and their default sizes are the same as in dSprites (Matthey et al. 2017). The
    images differ, so scores are not comparable. Edges are anti-aliased, all shapes have the same
    area at a given scale, and the last orientation does not repeat the first. The heart, the sizes,
    and the margins are also different.

    During a full turn, a square looks the same four times and an ellipse looks the same twice, so
    the orientations of these shapes cannot be encoded. With `turn=0.25`, all images differ.

    Args:
        size: Side length of the images in pixels, at least 16.
        scales: Number of scales, which are evenly spaced from half to full width.
        orientations: Number of orientations. The angles are clockwise, from 0 to below `turn`.
        positions: Number of positions along x (rightward) and y (downward). Every shape is entirely
            within the image.
        turn: Range of the orientations in full turns, above 0 and at most 1.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> shapes = Shapes(positions=8)
        >>> train = shapes.source(5000)
        >>> images = shapes.render(shapes.factors.values([0, 1, 2]))  # uint8 [3, 64, 64, 1]
    """

    size: Annotated[int, partial(checked_size, minimum=16)] = 64
    scales: Values = 6
    orientations: Values = 40
    positions: Values = 32
    turn: Annotated[float, checked_positive, partial(checked_number, maximum=1)] = 1.0

    @property
    def factors(self) -> Factors:
        """The grid of "shape" (square, ellipse, heart), "scale", "orientation", "x", and "y"."""
        sizes = {
            "shape": len(_DISTANCES),
            "scale": self.scales,
            "orientation": self.orientations,
            "x": self.positions,
            "y": self.positions,
        }
        return Factors(sizes)

    @checked_types
    def render(self, values: np.ndarray) -> np.ndarray:
        """Draws images, uint8 `[n, size, size, 1]`, with background 0 and shape 255.

        Args:
            values: Values of the factors, integers `[n, 5]` on the grid of `factors`. Other values
                raise a ValueError.
        """
        values = self.factors.check(values)
        images = np.empty([len(values), self.size, self.size, 1], np.uint8)
        for image, row in zip(images, values, strict=True):
            image[..., 0] = self._draw(*row)
        return images

    @checked_types
    def source(self, n: int | None = None, seed: int = 0, labels: bool = False) -> Source:
        """Creates a source of distinct images, each uint8 `[size, size, 1]`, in memory.

        Args:
            n: Number of images, which show random combinations of factor values. If None, the
                source contains all combinations in grid order.
            seed: Seed for the random combinations.
            labels: Whether an example is `(image, values)`, with int64 values `[5]`, instead of an
                image alone.
        """
        total = len(self.factors)
        index = np.arange(total)
        if n is not None:
            if not 1 <= n <= total:
                raise ValueError(
                    f"n is {n}: expected at least 1 and at most {total}, the number of "
                    "combinations."
                )
            index = np.random.default_rng(seed).choice(total, n, replace=False)
        values = self.factors.values(index)
        images = self.render(values)
        origin = f"shapes drawn at run time: {len(index)} of {total} combinations"
        return Source((images, values) if labels else images, origin=origin)

    def _draw(self, shape: int, scale: int, orientation: int, x: int, y: int) -> np.ndarray:
        width = _SIDE * self.size * (0.5 + 0.5 * scale / (self.scales - 1))
        angle = 2 * np.pi * self.turn * orientation / self.orientations
        margin = _REACH * _SIDE * self.size + 0.5  # 0.5 for the anti-aliased edge
        step = (self.size - 2 * margin) / (self.positions - 1)
        pixels = np.arange(self.size) + 0.5 - margin
        right = (pixels - x * step)[None, :]
        down = (pixels - y * step)[:, None]
        u = (np.cos(angle) * right + np.sin(angle) * down) / width
        v = (np.cos(angle) * down - np.sin(angle) * right) / width
        # A straight edge at signed distance t from a pixel's center covers about 1/2 - t of the
        # pixel.
        coverage = np.clip(0.5 - width * _DISTANCES[shape](u, v), 0, 1)
        return np.rint(255 * coverage).astype(np.uint8)


# Signed distances (negative inside) to shapes of area 1 centered at the origin; v points downward.


def _square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(u), np.abs(v)) - 0.5


def _ellipse(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    b = 1 / np.sqrt(2 * np.pi)
    a = 2 * b
    # The distance is approximated to first order by (level - 1) / |gradient of the level|; limits
    # avoid 0 / 0 at the center.
    level = np.maximum(np.hypot(u / a, v / b), 1e-6)
    return (level - 1) * level / np.maximum(np.hypot(u / a**2, v / b**2), 1e-6)


def _heart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Returns signed distances to a square on its corner with a half disc on each upper side."""
    r = 0.5 / np.sqrt(1 + np.pi / 4)
    p = (u - v) / np.sqrt(2)  # coordinates along the sides, toward the upper corner
    q = (-u - v) / np.sqrt(2)
    square = np.maximum(np.abs(p), np.abs(q)) - r
    return np.minimum(square, np.minimum(np.hypot(p - r, q), np.hypot(p, q - r)) - r)


_DISTANCES = (_square, _ellipse, _heart)
