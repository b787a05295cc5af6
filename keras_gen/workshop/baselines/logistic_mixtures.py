"""Mixtures of logistic distributions around the predictions of discrete values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_MULTIPLES = tuple(1.7**power for power in range(-5, 4))
_STEPS = 50  # number of EM steps
_UNIFORM = (
    1e-4  # weight of a uniform distribution over all levels, so that no level is impossible
)


class LogisticMixture:
    """Probabilities of levels under a mixture of logistic distributions with the same center.

    Each value comes with a scale, such as the mean of the latest errors. The scales of the
    distributions are fixed multiples of the value's scale. Values are grouped by their scales, and
    each group has its own mixture weights, fitted by expectation maximization. Each level gets the
    probability of its interval.

    Args:
        borders: Borders between consecutive levels, ascending floats `[levels - 1]`.
        multiples: Multiples of the given scale, one per distribution.
        groups: Number of groups, which contain equal numbers of values.

    Example:
        >>> mixture = LogisticMixture(np.arange(255) + 0.5).fit(levels, predictions, errors)
        >>> -mixture.log_prob(test_levels, test_predictions, test_errors).mean()  # nats per value
    """

    def __init__(
        self,
        borders: np.ndarray,
        multiples: Sequence[float] = _MULTIPLES,
        groups: int = 8,
    ):
        self.borders = np.concatenate([[-np.inf], borders, [np.inf]])
        self.multiples = np.array(multiples)
        self.groups = groups

    def fit(
        self, levels: np.ndarray, centers: np.ndarray, scales: np.ndarray
    ) -> LogisticMixture:
        """Fits the mixture weights of each group, and returns `self`.

        Args:
            levels: Levels, integers `[n]`.
            centers: Predicted values, in the unit of the borders, `[n]`.
            scales: Scales of the values, above 0, `[n]`.
        """
        self._cuts = np.quantile(scales, np.arange(1, self.groups) / self.groups)
        group = np.searchsorted(self._cuts, scales)
        masses = self._masses(levels, centers, scales)
        members = np.eye(self.groups)[group]
        self._weights = np.full([self.groups, len(self.multiples)], 1 / len(self.multiples))
        for _ in range(_STEPS):
            joint = self._weights[group] * masses + 1e-12
            responsibilities = joint / joint.sum(axis=1, keepdims=True)
            self._weights = members.T @ responsibilities
            self._weights /= np.maximum(self._weights.sum(axis=1, keepdims=True), 1e-12)
        return self

    def log_prob(
        self, levels: np.ndarray, centers: np.ndarray, scales: np.ndarray
    ) -> np.ndarray:
        """Returns log P(level) in nats, float64 `[n]`, for arguments in the format of `fit`."""
        weights = self._weights[np.searchsorted(self._cuts, scales)]
        mass = (weights * self._masses(levels, centers, scales)).sum(axis=1)
        return np.log((1 - _UNIFORM) * mass + _UNIFORM / (len(self.borders) - 1))

    def _masses(self, levels, centers, scales):
        """Returns the probability of each level under each distribution, `[n, distributions]`."""
        scales = scales[:, None] * self.multiples
        low = (self.borders[levels] - centers)[:, None] / scales
        high = (self.borders[levels + 1] - centers)[:, None] / scales
        # This is sigmoid(high) - sigmoid(low), without a loss of digits where both are near 1.
        below = np.logaddexp(0, -high) + np.logaddexp(0, low)
        return -np.expm1(low - high) * np.exp(-below)
