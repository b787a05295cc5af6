"""Distributions of color images that predict each value from preceding values."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

from keras_gen.arguments import checked_seed
from keras_gen.metrics.metric_arguments import as_images
from keras_gen.workshop.baselines.mixtures import LogisticMixture
from keras_gen.workshop.baselines.pixel_contexts import nearest_before

_LEVELS = 256


class ColorContexts:
    """A distribution of 8-bit images: ridge regression, boosted trees, and logistic mixtures.

    Ridge regression predicts a value from the nearest preceding pixels (in the rows above and to
    the left) and from the previous channels of its own pixel. Boosted trees, which also use the row
    and the column as inputs, predict the regression's error. Other trees predict the logarithm of
    the absolute error that remains. The corrected prediction and the predicted error determine the
    distribution of the value, a `LogisticMixture`. Errors are measured on the last fifth of the
    training images.

    Args:
        images: Training images, uint8 `[n, H, W, C]`, at least 5.
        context: Number of preceding pixels from which a value is predicted.
        values: Number of randomly sampled values to which the trees of each channel are fitted.
        trees: Number of trees for each prediction.
        seed: Seed for the sampled values and the trees.

    Example:
        >>> contexts = ColorContexts(train)
        >>> bits_per_dimension(-contexts.log_prob(test).mean(), test[0].size, "none")
    """

    def __init__(
        self,
        images: np.ndarray,
        context: int = 14,
        values: int = 400_000,
        trees: int = 150,
        seed: int = 0,
    ):
        self.offsets = nearest_before(context)
        rng = np.random.default_rng(checked_seed(seed))
        parts = np.split(as_images(images), [len(images) * 4 // 5])
        self._channels = []
        for channel in range(images.shape[-1]):
            (seen, levels), (other, other_levels) = (
                self._examples(part, channel, rng, values) for part in parts
            )
            ridge = Ridge(1.0).fit(seen, levels)
            residual = _trees(trees, seed).fit(
                _with_prediction(seen, ridge), levels - ridge.predict(seen)
            )
            errors = np.abs(other_levels - _center(other, ridge, residual))
            scale = _trees(trees // 2, seed).fit(
                _with_prediction(other, ridge), np.log(errors + 0.5)
            )
            mixture = LogisticMixture(np.arange(_LEVELS - 1) + 0.5)
            fitted = (ridge, residual, scale)
            mixture.fit(other_levels, *_predicted(other, *fitted))
            self._channels.append((*fitted, mixture))

    def log_prob(self, images: np.ndarray) -> np.ndarray:
        """Returns log P(x) in nats, float64 `[n]`, for uint8 images `[n, H, W, C]`."""
        images = as_images(images, channels=(len(self._channels),))
        found = np.zeros(len(images))
        for channel, (*fitted, mixture) in enumerate(self._channels):
            seen, levels = self._examples(images, channel)
            nats = mixture.log_prob(levels, *_predicted(seen, *fitted))
            found += nats.reshape(len(images), -1).sum(axis=1)
        return found

    def _examples(self, images, channel, rng=None, count=0):
        """Returns all inputs and levels of a channel, or a random selection."""
        places = np.arange(images[..., 0].size)
        if rng is not None:
            places = rng.choice(places, min(count, len(places)), replace=False)
        image, row, column = np.unravel_index(places, images.shape[:3])
        reach = -self.offsets.min()
        margins = ((0, 0), (reach, reach), (reach, reach), (0, 0))
        padded = np.pad(images, margins, constant_values=_LEVELS // 2)
        before = [padded[image, row + reach + d, column + reach + r] for d, r in self.offsets]
        own = images[image, row, column]
        seen = np.concatenate([*before, own[:, :channel], row[:, None], column[:, None]], axis=1)
        return seen.astype(np.float32), own[:, channel].astype(int)


def _trees(count, seed):
    return HistGradientBoostingRegressor(max_iter=count, max_leaf_nodes=31, random_state=seed)


def _with_prediction(seen, ridge):
    return np.column_stack([seen, ridge.predict(seen)])


def _center(seen, ridge, residual):
    return ridge.predict(seen) + residual.predict(_with_prediction(seen, ridge))


def _predicted(seen, ridge, residual, scale):
    """Returns the center and the scale of each value's predicted distribution."""
    return _center(seen, ridge, residual), np.exp(scale.predict(_with_prediction(seen, ridge)))
