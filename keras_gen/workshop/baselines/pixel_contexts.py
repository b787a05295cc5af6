"""Image distributions that predict each pixel from the preceding pixels."""

from __future__ import annotations

import math

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from keras_gen.arguments import checked_integer, checked_seed, is_one_of, shown
from keras_gen.metrics.metric_arguments import as_images

_WEIGHT = 2.0  # weight, in examples, of the distribution given fewer pixels
_PIXELS = 2**22  # number of pixels looked up at once
_BITS = 8
_LEAVES = 63
_DRAWN = 8  # multiple of `examples` to sample, so that enough pixels are not black
_ROWS = 2**18  # number of pixels predicted at once
_CERTAIN = 1e-6  # minimum probability of an answer, so that no log probability is infinite


class ContextTable:
    """A model of binary images that predicts each pixel from the nearest preceding pixels.

    The preceding pixels are the rows above a pixel and the pixels to the left in its own row:
    Langdon, Rissanen: "Compression of Black-White Images with Arithmetic Coding", IEEE Trans.
    Communications 1981. The probability of a pixel is computed from counts of the values that
    followed the same context in training, plus two pseudo-examples. The pseudo-examples are
    distributed as predicted from the context without its farthest pixel (MacKay, Peto: "A
    Hierarchical Dirichlet Language Model", Natural Language Engineering 1995):

        p(x | k pixels) = (c_k(x) + 2 p(x | k - 1 pixels)) / (c_k + 2).

    For k = 0, p(x | k - 1 pixels) is replaced with 1/2. Pixels outside of an image are 0.

    Args:
        context: Number of preceding pixels to use, 0 to 24. The table has 2^context entries.

    Example:
        >>> table = ContextTable(16).fit(binary_digits)
        >>> -table.log_prob(test_digits).mean()  # nats per image
    """

    def __init__(self, context: int = 16):
        self.context = checked_integer("context", context, 0, 24)
        self.offsets = [(int(down), int(right)) for down, right in nearest_before(self.context)]
        self._log_probs: np.ndarray | None = None  # [contexts, 2]

    def fit(self, images: np.ndarray) -> ContextTable:
        """Counts the values that follow each context, and returns `self`.

        Args:
            images: Binary images, uint8 `[n, H, W, 1]` of 0 and 1.
        """
        counts = np.zeros([2**self.context, 2])
        for part in _parts(_gray(images)):
            entries = 2 * self._contexts(part) + part
            counts += np.bincount(entries.ravel(), minlength=counts.size).reshape(-1, 2)
        # The farthest pixel is the last bit of a context, so dropping this bit adds the counts of
        # two adjacent contexts.
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
        """Returns log P(x) in nats, float64 `[n]`, for images in the format of `fit`."""
        if self._log_probs is None:
            raise ValueError("This table is not fitted: call fit first.")
        found = [
            self._log_probs[self._contexts(part), part].sum(axis=(1, 2))
            for part in _parts(_gray(images))
        ]
        return np.concatenate(found)

    def _contexts(self, images):
        """Returns each pixel's preceding pixels as one number; its first bit is the nearest."""
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
    """Returns row and column offsets of the nearest preceding pixels, int64 `[count, 2]`.

    The preceding pixels are the rows above and the pixels to the left. Offsets are sorted by
    distance; if distances are equal, the pixel above comes first.

    Args:
        count: Number of pixels.

    Example:
        >>> nearest_before(3)
        array([[-1,  0],
               [ 0, -1],
               [-1, -1]])
    """
    # A half circle with this radius contains more than `count` pixels.
    reach = 2 + math.isqrt(count)
    offsets = [
        (-row, column)
        for row in range(reach + 1)
        for column in range(-reach, reach + 1)
        if row > 0 or column < 0
    ]
    offsets.sort(key=lambda offset: (offset[0] ** 2 + offset[1] ** 2, offset))
    return np.array(offsets[:count], np.int64).reshape(count, 2)


def nearest_around(count: int) -> np.ndarray:
    """Returns row and column offsets of a pixel and its neighbors, int64 `[count, 2]`.

    Args:
        count: Number of pixels, including the pixel itself.

    Example:
        >>> nearest_around(3)
        array([[ 0,  0],
               [-1,  0],
               [ 0, -1]])
    """
    before = nearest_before(count)
    both = np.concatenate([[[0, 0]], before, -before])
    order = np.argsort((both**2).sum(axis=1), kind="stable")
    return both[order[:count]]


def _parts(images):
    count = max(1, _PIXELS // images[0].size)
    return (images[start : start + count] for start in range(0, len(images), count))


def _gray(images, levels=2):
    flat = as_images(images, channels=(1,))[..., 0]
    if flat.max() >= levels:
        raise ValueError(
            f"Images have values up to {flat.max()}: expected uint8 images with the values 0 and "
            "1. Binarize the images."
        )
    return flat


class BoostedPixels:
    """A distribution of gray images in which boosted trees predict each pixel.

    The preceding pixels are the rows above a pixel and the pixels to the left in its own row. A
    pixel is predicted with a series of yes-or-no questions. The first question is whether the pixel
    is brighter than 0. If so, the next questions are the bits of its level, from the highest to the
    lowest. Each question has its own trees (scikit-learn's `HistGradientBoostingClassifier`, after
    Friedman: "Greedy Function Approximation: A Gradient Boosting Machine", Annals of Statistics
    2001). The inputs of the trees are the nearest preceding pixels, the row, the column, and the
    bits that are already known. The probability of a level is the product of the probabilities of
    the answers that define the level. Binary images require only the first question. Pixels outside
    of an image are 0.

    If part of each image is known, the trees predict only the other pixels. The inputs of the trees
    then include the nearest following pixels; unknown pixels among these are treated as missing
    values.

    Args:
        context: Number of preceding pixels used by the trees, at least 1.
        levels: Number of levels: 2 for binary images, or 256.
        examples: Number of randomly sampled training pixels for each question, at least 10.
            Questions about bits use only pixels above 0.
        trees: Maximum number of trees per question. Fewer trees are used if more trees do not
            improve predictions on a held-out tenth of the sampled pixels.
        learning_rate: Factor applied to a tree's output before the output is added to the previous
            trees' output.
        seed: Seed for the sampled pixels and the trees.
        known: Mask `[H, W]`, True where pixels are known, or None.

    Example:
        >>> images = np.random.default_rng(0).integers(0, 2, (50, 6, 6, 1), "uint8")
        >>> BoostedPixels(4, levels=2, trees=10).fit(images).log_prob(images).shape
        (50,)
    """

    def __init__(
        self,
        context: int = 36,
        levels: int = 256,
        examples: int = 200_000,
        trees: int = 60,
        learning_rate: float = 0.2,
        seed: int = 0,
        known: np.ndarray | None = None,
    ):
        self.context = checked_integer("context", context, minimum=1)
        if not is_one_of(levels, (2, 256)):
            raise ValueError(f"levels is {shown(levels)}: expected 2 or 256.")
        self.levels = levels
        self.examples = checked_integer("examples", examples, minimum=10)
        self.trees = checked_integer("trees", trees, minimum=1)
        self.learning_rate = learning_rate
        self.seed = seed
        self.known = None if known is None else np.asarray(known, bool)
        self.offsets = nearest_before(self.context)
        # For each pixel, the questions are whether it is above 0, and then the value of each bit,
        # highest first.
        self._questions: list[HistGradientBoostingClassifier | float] = []

    def fit(self, images: np.ndarray) -> BoostedPixels:
        """Fits the trees of each question, and returns `self`.

        Args:
            images: Images, uint8 `[n, H, W, 1]`, below `levels`.
        """
        pixels = _gray(images, self.levels)
        rng = np.random.default_rng(checked_seed(self.seed))
        places = self._predicted(pixels)
        drawn = rng.choice(places, min(len(places), _DRAWN * self.examples), replace=False)
        above = pixels.ravel()[drawn] > 0
        chosen = drawn[: self.examples]
        self._questions = [self._grown(self._before(pixels, chosen), above[: self.examples])]
        if self.levels > 2:
            chosen = drawn[above][: self.examples]
            for seen, answer, _ in self._bits(pixels, chosen):
                self._questions.append(self._grown(seen, answer))
        return self

    def log_prob(self, images: np.ndarray) -> np.ndarray:
        """Returns log P(x) in nats, float64 `[n]`, for images in the format of `fit`.

        If some pixels are known, the result is the log probability of the other pixels given the
        known pixels.
        """
        if not self._questions:
            raise ValueError("These trees are not fitted: call fit first.")
        pixels = _gray(images, self.levels)
        first, *others = self._questions
        found = np.zeros(pixels.size)
        predicted = self._predicted(pixels)
        for places in np.array_split(predicted, -(-len(predicted) // _ROWS)):
            above = pixels.ravel()[places] > 0
            found[places] = _log_answers(first, self._before(pixels, places), above)
            places = places[above]
            if others and len(places):
                asked = zip(others, self._bits(pixels, places), strict=True)
                for trees, (seen, answer, certain) in asked:
                    nats = _log_answers(trees, seen, answer)
                    found[places] += np.where(certain, 0.0, nats)
        return found.reshape(len(pixels), -1).sum(axis=1)

    def _predicted(self, pixels):
        """Returns the flat positions of all unknown pixels."""
        if self.known is None:
            return np.arange(pixels.size)
        if self.known.shape != pixels.shape[1:] or self.known.all():
            raise ValueError(
                f"known has shape {list(self.known.shape)} and {self.known.sum()} known pixels: "
                f"expected shape {list(pixels.shape[1:])} and at least one unknown pixel."
            )
        return np.flatnonzero(np.broadcast_to(~self.known, pixels.shape))

    def _before(self, pixels, places):
        """Returns the inputs of the trees at each position: visible pixels, row, and column."""
        reach = -self.offsets.min()
        margins = ((0, 0), (reach, reach), (reach, reach))
        padded = np.pad(pixels, margins)
        image, row, column = np.unravel_index(places, pixels.shape)
        row = row + reach
        column = column + reach
        seen = [padded[image, row + d, column + r] for d, r in self.offsets]
        if self.known is not None:
            shown = np.pad(np.where(self.known, pixels, np.nan), margins)
            seen += [shown[image, row - d, column - r] for d, r in self.offsets]
        return np.stack([*seen, row, column], axis=1)

    def _bits(self, pixels, places):
        """Yields, for each bit, the trees' inputs, the bit, and whether the bit must be 1."""
        level = pixels.ravel()[places]
        before = self._before(pixels, places)
        for bit in reversed(range(_BITS)):
            known = level >> bit >> 1
            seen = np.column_stack([before, known])
            yield seen, level >> bit & 1, (known == 0) & (bit == 0)

    def _grown(self, seen, answer):
        """Returns trees fitted to the answers, or the answer itself if all answers are equal."""
        if len(answer) == 0 or answer.min() == answer.max():
            return float(answer.mean()) if len(answer) else 0.5
        trees = HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_iter=self.trees,
            max_leaf_nodes=_LEAVES,
            early_stopping=min(np.bincount(answer)) > 1,
            random_state=checked_seed(self.seed),
        )
        return trees.fit(seen, answer)


def _log_answers(trees, seen, answer):
    yes = trees if isinstance(trees, float) else trees.predict_proba(seen)[:, 1]
    yes = np.clip(yes, _CERTAIN, 1 - _CERTAIN)
    return np.log(np.where(answer, yes, 1 - yes))
