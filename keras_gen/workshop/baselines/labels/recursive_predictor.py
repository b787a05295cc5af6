"""A distribution of sounds by linear prediction that learns on within a sound."""

from __future__ import annotations

import numpy as np

from keras_gen.workshop.baselines.labels.linear_predictor import LinearPredictor

_SOFTEST = 2.0**-15  # is added to the latest errors, which may be 0


class RecursivePredictor(LinearPredictor):
    """A distribution of a sound's levels: linear prediction whose coefficients follow the sound.

    Each sound starts with the coefficients of `LinearPredictor`. After each sample recursive least
    squares (Haykin: "Adaptive Filter Theory", 2002, ch. 9) correct them by the error, and forget:
    a sample counts `forgetting` times as much as the one after it. Errors count by the square of
    their scale, the mean absolute value of the latest ones, as many as taps. A sample is predicted
    from those before it alone, so that all levels of a sample have probabilities that add to one.

    Args:
        taps: Samples before that count, 1 or more.
        levels: Number of levels.
        companded: Whether they are mu-law levels, as in `LinearPredictor`.
        forgetting: Above 0, at most 1.
        looseness: Variance of the coefficients before a sound's first sample, above 0. The smaller,
            the longer they stay at those of the training sounds.

    Example:
        >>> levels = np.random.default_rng(0).integers(100, 156, (3, 200))
        >>> RecursivePredictor(taps=2).fit(levels).log_prob(levels).shape  # nats per sequence
        (3,)
    """

    def __init__(
        self,
        taps: int = 16,
        levels: int = 256,
        companded: bool = True,
        forgetting: float = 0.995,
        looseness: float = 0.01,
    ):
        super().__init__(taps, levels, adaptive=True, companded=companded)
        if not 0 < forgetting <= 1 or not looseness > 0:
            raise ValueError(
                f"forgetting is {forgetting} and looseness {looseness}: expected a number above 0, "
                "at most 1, and one above 0."
            )
        self.forgetting = forgetting
        self.looseness = looseness

    def _errors(self, levels):
        """Sound minus prediction, and the prediction, `[n, time]`."""
        sounds = self._middles[levels]
        n, time = sounds.shape
        past = np.pad(sounds, ((0, 0), (self.taps, 0)))
        errors = np.zeros([n, time + self.taps])
        coefficients = np.tile(self.coefficients, (n, 1))
        covariance = np.tile(self.looseness * np.eye(self.taps), (n, 1, 1))
        for t in range(time):
            # The latest sample comes first.
            seen = past[:, t : t + self.taps][:, ::-1]
            error = sounds[:, t] - (coefficients * seen).sum(axis=1)
            scale = np.abs(errors[:, t : t + self.taps]).mean(axis=1) + _SOFTEST
            errors[:, t + self.taps] = error
            # Padding teaches nothing.
            live = (levels[:, t] >= 0)[:, None]
            product = np.matmul(covariance, seen[..., None])[..., 0]
            variance = self.forgetting * scale**2 + (product * seen).sum(axis=1)
            gain = live * product / variance[:, None]
            coefficients += gain * error[:, None]
            forgotten = np.where(live, self.forgetting, 1.0)[..., None]
            covariance = (covariance - gain[..., None] * product[:, None]) / forgotten
        errors = errors[:, self.taps :]
        return errors, sounds - errors
