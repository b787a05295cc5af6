"""Time series of an oscillating body, with a known density."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from keras_gen.arguments import checked_list, checked_positive, shown
from keras_gen.checked_arguments import checked_types
from keras_gen.declared import Count, Declared, NonNegative, Positive, argument

AT_ONCE = 50  # number of series whose density is computed at once


def _frequencies(name: str, value) -> tuple[float, ...]:
    """Returns the minimum and maximum frequency, which may be equal."""
    found = tuple(checked_positive(name, each) for each in checked_list(name, value))
    if len(found) != 2 or found[0] > found[1]:
        raise ValueError(
            f"{name} is {shown(value)}: expected two frequencies, the minimum and the maximum."
        )
    return found


class Oscillations(Declared):
    """Position and speed of an oscillating body, both measured with Gaussian noise.

    The position is `amplitude * sin(2 pi f t + phase)` at evenly spaced times t in [0, 1), in
    seconds, and the speed is the derivative of the position. Each series has a frequency and a
    phase, both sampled uniformly. Given the frequency and the phase, the values of a series are
    independent; otherwise, predicting values requires the whole series.

    Args:
        steps: Number of points in time at which position and speed are measured.
        amplitude: Amplitude of the position, above 0.
        frequencies: Minimum and maximum frequency, in Hz.
        noise: Standard deviation of the noise, above 0. For the position, this is a fraction of the
            position's amplitude; for the speed, a fraction of the speed's amplitude at the maximum
            frequency.

    Example:
        >>> series = Oscillations().sample(4, seed=1)  # [4, 32, 2]
        >>> nats = -Oscillations().log_density(series)
    """

    steps: Count = 32
    amplitude: Positive = 20.0
    frequencies: tuple[float, float] = argument(check=_frequencies, default=(1.0, 3.0))
    noise: NonNegative = 0.2

    @checked_types
    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """Returns series of position and speed, float32 `[n, steps, 2]`."""
        rng = np.random.default_rng(seed)
        frequencies = rng.uniform(*self.frequencies, n)
        phases = rng.uniform(0, 2 * np.pi, n)
        noise = self._deviations() * rng.normal(size=(n, self.steps, 2))
        return (self._means(frequencies, phases) + noise).astype("float32")

    @checked_types
    def log_density(
        self, series: np.ndarray, frequencies: int = 256, phases: int = 256
    ) -> np.ndarray:
        """Returns the log density of series `[n, steps, 2]`, float64 `[n]`, in nats.

        The density given a frequency and a phase is averaged over a grid of frequencies and phases.

        Args:
            series: Series to evaluate.
            frequencies: Number of frequencies in the grid.
            phases: Number of phases in the grid.
        """
        if series.shape[1:] != (self.steps, 2) or not len(series):
            raise ValueError(f"series has shape {series.shape}: expected [n, {self.steps}, 2].")
        low, high = self.frequencies
        of_grid = low + (high - low) * (np.arange(frequencies) + 0.5) / frequencies
        around = 2 * np.pi * np.arange(phases) / phases
        means = self._means(np.repeat(of_grid, phases), np.tile(around, frequencies))
        means = (means / self._deviations()).reshape(len(means), -1)
        values = np.asarray(series, "float64") / self._deviations()
        values = values.reshape(len(values), -1)
        squares = np.sum(means**2, axis=1)
        found = []
        for start in range(0, len(values), AT_ONCE):
            part = values[start : start + AT_ONCE]
            distances = np.sum(part**2, axis=1)[:, None] - 2 * part @ means.T + squares
            found.append(logsumexp(-0.5 * distances, axis=1) - np.log(len(means)))
        constant = np.log(self._deviations()).sum() + np.log(2 * np.pi)
        return np.concatenate(found) - self.steps * constant

    def _means(self, frequencies, phases):
        """Returns position and speed without noise, `[n, steps, 2]`."""
        times = np.arange(self.steps) / self.steps
        speeds = 2 * np.pi * frequencies[:, None]
        angles = speeds * times + phases[:, None]
        both = [np.sin(angles), speeds * np.cos(angles)]
        return self.amplitude * np.stack(both, axis=-1)

    def _deviations(self):
        """Returns the standard deviations of the noise in position and speed, `[2]`."""
        fastest = 2 * np.pi * self.frequencies[1]
        return self.noise * self.amplitude * np.array([1.0, fastest])
