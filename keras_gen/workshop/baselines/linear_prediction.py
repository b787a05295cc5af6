"""Distributions of sounds based on linear prediction of each sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.optimize import minimize

from keras_gen.arguments import checked_integer, checked_number, checked_positive
from keras_gen.data.transforms.waveforms import mu_law_waveform
from keras_gen.workshop.baselines.mixtures import LogisticMixture
from keras_gen.workshop.baselines.n_grams import as_sequences

_ENOUGH = 50_000  # number of samples to which the scale is fitted
_ROWS = 2**18  # number of samples computed at once
_SOFTEST = 2.0**-15  # added to the mean of the latest errors, because this mean may be 0
_UNIFORM = 1e-4  # part of the probability spread over all levels, so that no error is fatal


class LinearPredictor:
    """A distribution of a sound's levels: linear prediction from previous samples plus an error.

    The coefficients are fitted on the linear scale by least squares (Atal, Hanauer: "Speech
    Analysis and Synthesis by Linear Prediction of the Speech Wave", JASA 1971). The error follows a
    logistic distribution, and each level gets the probability of its interval. The scale of the
    distribution is exp(a + b log(m + 2^-15)), where m is the mean absolute value of the latest
    errors. There are as many of these errors as taps. With `adaptive=False`, the scale is constant,
    as if all sounds were equally loud throughout.

    Args:
        taps: Number of previous samples used, at least 1.
        levels: Number of levels.
        adaptive: Whether the scale of the error depends on the latest errors.
        companded: Whether levels are mu-law levels. If False, levels divide [-1, 1] into equal
            intervals, as in int16, which has 65,536 levels.

    Example:
        >>> predictor = LinearPredictor(taps=16).fit(train)
        >>> -predictor.log_prob(test).mean()  # nats per sequence
    """

    def __init__(
        self,
        taps: int = 16,
        levels: int = 256,
        adaptive: bool = True,
        companded: bool = True,
    ):
        self.taps = checked_integer("taps", taps, minimum=1)
        self.levels = checked_integer("levels", levels, minimum=2)
        self.adaptive = adaptive
        place = mu_law_waveform if companded else _linear_waveform
        middles = np.asarray(place(np.arange(levels), levels), np.float64)
        borders = np.asarray(place(np.arange(levels - 1) + 0.5, levels), np.float64)
        self._middles = np.append(middles, 0.0)  # the last element represents padding, -1
        self._borders = np.concatenate([[-np.inf], borders, [np.inf]])
        # Coefficients of the preceding samples, starting with the latest sample.
        self.coefficients: np.ndarray | None = None
        self.scale = np.zeros(2)  # a and b in exp(a + b log(latest))

    def fit(self, sequences: np.ndarray) -> LinearPredictor:
        """Fits the coefficients and the scale, and returns `self`.

        Args:
            sequences: Levels, integers `[n, time]` or `[n, time, 1]`, with -1 as padding before or
                after a sequence. Predictions treat padding as a value of 0.
        """
        levels = as_sequences(sequences, self.levels)
        sounds = self._middles[levels]
        (places,) = np.nonzero(levels.ravel() >= 0)
        if not len(places):
            raise ValueError("The sequences contain only padding: expected at least one level.")
        squares = np.zeros([self.taps, self.taps])
        products = np.zeros(self.taps)
        for part in _parts(places):
            past = _before(sounds, part, self.taps)
            squares += past.T @ past
            products += past.T @ sounds.ravel()[part]
        self.coefficients = np.linalg.lstsq(squares, products, rcond=None)[0]

        errors, prediction = self._errors(levels)
        chosen = places[:: max(1, len(places) // _ENOUGH)]
        level = levels.ravel()[chosen]
        center = prediction.ravel()[chosen]
        latest = _before(np.abs(errors), chosen, self.taps).mean(axis=1)

        def nats(parameters):
            return -self._log_mass(level, center, latest, parameters).mean()

        start = np.log(np.abs(errors.ravel()[places]).mean() / 2 + _SOFTEST)
        if self.adaptive:
            self.scale = minimize(nats, [start, 0.0], method="Nelder-Mead").x
        else:
            found = minimize(lambda a: nats([a[0], 0.0]), [start], method="Nelder-Mead").x
            self.scale = np.array([found[0], 0.0])
        return self

    def log_prob(self, sequences: np.ndarray) -> np.ndarray:
        """Returns log P(x) in nats, float64 `[n]`, for sequences in the format of `fit`."""
        if self.coefficients is None:
            raise ValueError("This predictor is not fitted: call fit first.")
        levels = as_sequences(sequences, self.levels)
        errors, prediction = self._errors(levels)
        (places,) = np.nonzero(levels.ravel() >= 0)
        found = np.zeros(len(levels))
        for part in _parts(places):
            latest = _before(np.abs(errors), part, self.taps).mean(axis=1)
            center = prediction.ravel()[part]
            nats = self._log_mass(levels.ravel()[part], center, latest, self.scale)
            rows = part // levels.shape[1]
            found += np.bincount(rows, nats, minlength=len(levels))
        return found

    def _errors(self, levels):
        """Returns the prediction errors and the predictions, each `[n, time]`."""
        sounds = self._middles[levels]
        prediction = np.zeros_like(sounds)
        for lag, coefficient in enumerate(self.coefficients, start=1):
            prediction[:, lag:] += coefficient * sounds[:, :-lag]
        return sounds - prediction, prediction

    def _log_mass(self, level, center, latest, parameters):
        a, b = parameters
        scale = np.exp(a + b * np.log(latest + _SOFTEST))
        low = (self._borders[level] - center) / scale
        high = (self._borders[level + 1] - center) / scale
        # `mass` is sigmoid(high) - sigmoid(low), without a loss of digits where both are near 1.
        below = np.logaddexp(0, -high) + np.logaddexp(0, low)
        mass = np.exp(np.log(-np.expm1(low - high)) - below)
        return np.log((1 - _UNIFORM) * mass + _UNIFORM / self.levels)


def _linear_waveform(level, levels):
    return (2 * level + 1) / levels - 1


def _parts(places):
    return np.array_split(places, -(-len(places) // _ROWS)) if len(places) else []


def _before(values, places, count):
    """Returns the values before each position, latest first and padded, `[positions, count]`."""
    padded = np.pad(values, ((0, 0), (count, 0))).ravel()
    row, column = np.divmod(places, values.shape[1])
    start = row * (values.shape[1] + count) + column
    return padded[start[:, None] + np.arange(count - 1, -1, -1)]


class RecursivePredictor(LinearPredictor):
    """A distribution of a sound's levels: linear prediction with adaptive coefficients.

    Each sound starts with the coefficients of `LinearPredictor`. After each sample, recursive least
    squares (Haykin: "Adaptive Filter Theory", 2002, ch. 9) updates the coefficients with the
    prediction error. Past samples are discounted: each sample has `forgetting` times the weight of
    the next sample. Squared errors are divided by the square of their scale, which is the mean
    absolute value of the latest errors (as many errors as taps). Each sample is predicted only from
    previous samples, so the probabilities of its levels sum to one.

    Args:
        taps: Number of previous samples used, at least 1.
        levels: Number of levels.
        companded: Whether levels are mu-law levels; see `LinearPredictor`.
        forgetting: Forgetting factor, above 0, at most 1.
        looseness: Variance of the coefficients before a sound's first sample, above 0. With a
            smaller variance, the coefficients stay close to the coefficients of the training sounds
            for longer.

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
        forgetting = checked_positive("forgetting", forgetting)
        self.forgetting = checked_number("forgetting", forgetting, maximum=1)
        self.looseness = checked_positive("looseness", looseness)

    def _errors(self, levels):
        """Returns the prediction errors and the predictions, each `[n, time]`."""
        sounds = self._middles[levels]
        past = np.pad(sounds, ((0, 0), (self.taps, 0)))
        # In each window, the latest sample comes first.
        seen = sliding_window_view(past[:, :-1], self.taps, axis=1)[..., ::-1]
        errors = self._recursive_errors(seen, levels, self.coefficients)
        return errors, sounds - errors

    def _recursive_errors(self, seen, levels, coefficients):
        """Returns the errors, `[n, time]`, of adaptive prediction from `seen`, `[n, time, d]`."""
        sounds = self._middles[levels]
        n, time, inputs = seen.shape
        errors = np.zeros([n, time + self.taps])
        coefficients = np.tile(coefficients, (n, 1))
        covariance = np.tile(self.looseness * np.eye(inputs), (n, 1, 1))
        for t in range(time):
            error = sounds[:, t] - (coefficients * seen[:, t]).sum(axis=1)
            scale = np.abs(errors[:, t : t + self.taps]).mean(axis=1) + _SOFTEST
            errors[:, t + self.taps] = error
            # Padding must not change the coefficients.
            live = (levels[:, t] >= 0)[:, None]
            product = np.matmul(covariance, seen[:, t, :, None])[..., 0]
            variance = self.forgetting * scale**2 + (product * seen[:, t]).sum(axis=1)
            gain = live * product / variance[:, None]
            coefficients += gain * error[:, None]
            forgotten = np.where(live, self.forgetting, 1.0)[..., None]
            covariance = (covariance - gain[..., None] * product[:, None]) / forgotten
        return errors[:, self.taps :]


class StackedPredictor(RecursivePredictor):
    """A distribution of a sound's levels from several recursive predictors with different memories.

    Several instances of `RecursivePredictor` with different numbers of taps predict the next
    sample. Another recursive least-squares fit, which starts with equal weights, combines the
    predictions. A `LogisticMixture` centered on the combined prediction, with a scale that follows
    the latest errors, predicts the level.

    Args:
        taps: Numbers of previous samples, one per predictor.
        levels: Number of levels.
        latest: Numbers of latest errors to average. Each number gives a mean absolute error, and
            the scale is the geometric mean of these mean errors.
        companded: Whether levels are mu-law levels; see `LinearPredictor`.

    Example:
        >>> levels = np.random.default_rng(0).integers(100, 156, (3, 200))
        >>> StackedPredictor(taps=(2, 4)).fit(levels).log_prob(levels).shape  # nats per sequence
        (3,)
    """

    def __init__(
        self,
        taps: Sequence[int] = (8, 16, 32),
        levels: int = 256,
        latest: Sequence[int] = (3, 9, 27, 81),
        companded: bool = True,
    ):
        super().__init__(levels=levels, companded=companded, forgetting=0.995, looseness=3e-4)
        self.latest = latest
        self.predictors = [RecursivePredictor(count, levels, companded) for count in taps]

    def fit(self, sequences: np.ndarray) -> StackedPredictor:
        """Fits the predictors and the mixture, and returns `self`.

        Args:
            sequences: Levels in the format of `LinearPredictor.fit`.
        """
        for predictor in self.predictors:
            predictor.fit(sequences)
        self.mixture = LogisticMixture(self._borders[1:-1])
        self.mixture.fit(*self._examples(as_sequences(sequences, self.levels), _ENOUGH))
        return self

    def log_prob(self, sequences: np.ndarray) -> np.ndarray:
        """Returns log P(x) in nats, float64 `[n]`, for sequences in the format of `fit`."""
        levels = as_sequences(sequences, self.levels)
        nats = np.zeros(levels.shape)
        nats[levels >= 0] = self.mixture.log_prob(*self._examples(levels))
        return nats.sum(axis=1)

    def _examples(self, levels, most=None):
        """Returns the levels that are not padding, and their predictions and scales."""
        predictions = [predictor._errors(levels)[1] for predictor in self.predictors]
        start = np.full(len(predictions), 1 / len(predictions))
        errors = self._recursive_errors(np.stack(predictions, axis=-1), levels, start)
        (places,) = np.nonzero(levels.ravel() >= 0)
        places = places[:: max(1, len(places) // most) if most else 1]
        centers = (self._middles[levels] - errors).ravel()[places]
        sizes = [_before(np.abs(errors), places, n).mean(axis=1) for n in self.latest]
        scales = np.exp(np.mean(np.log(np.array(sizes) + _SOFTEST), axis=0))
        return levels.ravel()[places], centers, scales
