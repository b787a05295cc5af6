"""A distribution of binary images by counts of pixels around a pixel."""

from __future__ import annotations

import math

import numpy as np

from keras_gen.arguments import checked_integer
from keras_gen.metrics.metric_arguments import as_images

_WEIGHT = 2.0  # of the distribution by fewer pixels, in examples
_PIXELS = 2**22  # that are looked up at once


class ContextTable:
    """A distribution of binary images: each pixel given the nearest of the pixels before it.

    Before a pixel are the rows above and what is left of it in its own row: Langdon, Rissanen:
    "Compression of Black-White Images with Arithmetic Coding", IEEE Trans. Communications 1981. The
    probability is by counts of what followed the same pixels in training, to which two examples are
    added that follow the distribution by one pixel less, the farthest of them: MacKay, Peto: "A
    Hierarchical Dirichlet Language Model", Natural Language Engineering 1995:

        p(x | k pixels) = (c_k(x) + 2 p(x | k - 1 pixels)) / (c_k + 2).

    Without any pixel, 1/2 takes the place of p(x | k - 1 pixels). Pixels outside of an image are 0.

    Args:
        context: Number of pixels, 0 to 24: the table has 2^context entries.

    Example:
        >>> table = ContextTable(16).fit(binary_digits)
        >>> -table.log_prob(test_digits).mean()  # nats per image
    """

    def __init__(self, context: int = 16):
        self.context = checked_integer("context", context, 0, 24)
        self.offsets = [(int(down), int(right)) for down, right in nearest_before(self.context)]
        self._log_probs: np.ndarray | None = None  # [contexts, 2]

    def fit(self, images: np.ndarray) -> ContextTable:
        """Counts what follows the pixels before, and returns itself.

        Args:
            images: uint8 0 or 1, `[n, H, W, 1]`.
        """
        counts = np.zeros([2**self.context, 2])
        for part in _parts(_binary(images)):
            entries = 2 * self._contexts(part) + part
            counts += np.bincount(entries.ravel(), minlength=counts.size).reshape(-1, 2)
        # The farthest pixel is the last bit of a context: leaving it out adds up neighbors.
        by_length = [counts]
        for _ in range(self.context):
            by_length.append(by_length[-1].reshape(-1, 2, 2).sum(axis=1))
        probabilities = np.full([1, 2], 0.5)
        for number, known in enumerate(reversed(by_length)):
            shorter = np.repeat(probabilities, 2 if number else 1, axis=0)
            total = known.sum(axis=1, keepdims=True)
            probabilities = (known + _WEIGHT * shorter) / (total + _WEIGHT)
        self._log_probs = np.log(probabilities)
        return self

    def log_prob(self, images: np.ndarray) -> np.ndarray:
        """Returns log P(x), float64 `[n]`, in nats, of images as in `fit`."""
        if self._log_probs is None:
            raise ValueError("This table is not fitted: call fit first.")
        found = [
            self._log_probs[self._contexts(part), part].sum(axis=(1, 2))
            for part in _parts(_binary(images))
        ]
        return np.concatenate(found)

    def _contexts(self, images):
        """The pixels before each pixel as one number, the nearest in the first bit."""
        reach = 2 + math.isqrt(self.context)
        padded = np.pad(images, ((0, 0), (reach, 0), (reach, reach)))
        height, width = images.shape[1:]
        found = np.zeros(images.shape, np.int32)
        for down, right in self.offsets:
            top = reach + down
            left = reach + right
            found = 2 * found + padded[:, top : top + height, left : left + width]
        return found


def nearest_before(count: int) -> np.ndarray:
    """Rows and columns from a pixel to the nearest ones before it, int64 `[count, 2]`.

    Before it are the rows above and what is left of it. The nearest comes first; of those that are
    as near, the one above.

    Args:
        count: How many.

    Example:
        >>> nearest_before(3)
        array([[-1,  0],
               [ 0, -1],
               [-1, -1]])
    """
    # As far as that there are more pixels than these within a half circle.
    reach = 2 + math.isqrt(count)
    offsets = [
        (-row, column)
        for row in range(reach + 1)
        for column in range(-reach, reach + 1)
        if row > 0 or column < 0
    ]
    offsets.sort(key=lambda offset: (offset[0] ** 2 + offset[1] ** 2, offset))
    return np.array(offsets[:count], np.int64).reshape(count, 2)


def _parts(images):
    count = max(1, _PIXELS // images[0].size)
    return (images[start : start + count] for start in range(0, len(images), count))


def _binary(images):
    flat = as_images(images, channels=(1,))[..., 0]
    if flat.max() > 1:
        raise ValueError(
            f"Images have values up to {flat.max()}: expected uint8 0 and 1; binarize them."
        )
    return flat
