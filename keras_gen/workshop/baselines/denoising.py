"""Denoising with boosted trees whose inputs are the surrounding pixels."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

from keras_gen.arguments import checked_seed
from keras_gen.workshop.baselines.pixel_contexts import nearest_around

_SEEN = 57  # number of corrupted pixels around a pixel, including itself
_PREDICTED = 9  # number of values of the ridge prediction around a pixel
_AT_ONCE = 500  # number of images denoised at once


class BoostedDenoiser:
    """Boosted trees that predict each pixel of the clean image from a corrupted image.

    Ridge regression predicts the whole clean image from the whole corrupted image. For each pixel,
    the inputs of the trees are the 57 nearest corrupted pixels, the nine nearest values of the
    ridge prediction, the row, and the column. The trees (scikit-learn's
    `HistGradientBoostingRegressor`) minimize the squared error.

    Args:
        corrupted: Corrupted training images, floats `[n, H, W, 1]`.
        clean: The training images before the corruption, floats `[n, H, W, 1]`.
        pixels: Number of randomly sampled pixels to which the trees are fitted.
        trees: Number of trees.
        seed: Seed for the sampled pixels and the trees.

    Example: `BoostedDenoiser(corrupted, clean)(corrupted_test_images)`.
    """

    def __init__(
        self,
        corrupted: np.ndarray,
        clean: np.ndarray,
        pixels: int = 500_000,
        trees: int = 80,
        seed: int = 0,
    ):
        flat = corrupted.reshape(len(corrupted), -1)
        self.ridge = Ridge().fit(flat, clean.reshape(flat.shape))
        rng = np.random.default_rng(checked_seed(seed))
        chosen = rng.choice(corrupted.size, min(pixels, corrupted.size), replace=False)
        self.trees = HistGradientBoostingRegressor(
            learning_rate=0.2, max_iter=trees, max_leaf_nodes=63, random_state=seed
        )
        self.trees.fit(self._inputs(corrupted, chosen), clean.ravel()[chosen])

    def __call__(self, corrupted: np.ndarray) -> np.ndarray:
        """Returns denoised images, floats `[n, H, W, 1]`."""
        parts = np.array_split(corrupted, -(-len(corrupted) // _AT_ONCE))
        values = [self.trees.predict(self._inputs(part, np.arange(part.size))) for part in parts]
        return np.concatenate(values).reshape(corrupted.shape)

    def _inputs(self, corrupted, places):
        predicted = self.ridge.predict(corrupted.reshape(len(corrupted), -1))
        image, row, column, _ = np.unravel_index(places, corrupted.shape)
        found = [row, column]
        for values, count in ((corrupted, _SEEN), (predicted, _PREDICTED)):
            offsets = nearest_around(count)
            reach = offsets.max()
            margins = ((0, 0), (reach, reach), (reach, reach))
            padded = np.pad(values.reshape(corrupted.shape[:3]), margins)
            found += [padded[image, row + reach + d, column + reach + r] for d, r in offsets]
        return np.stack(found, axis=1, dtype=np.float32, casting="unsafe")
