"""The normal distribution with minimum divergence from a density, by numerical integration."""

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm

from keras_gen.losses import FDivergence
from keras_gen.losses.adversarial import get

FEWEST = 100  # minimum number of points of a grid
NARROWEST = 4  # minimum number of grid steps per standard deviation
# Where a density is 0, its logarithm is replaced by the logarithm of this number.
TINY = 1e-300


def divergence(objective: FDivergence | str, p: np.ndarray, q: np.ndarray, step: float) -> float:
    """Returns D_f(P || Q) for two densities on the real line, as a sum over a grid.

    The divergence is the integral of q f(p / q) (Nowozin et al. 2016, eq. (2)).

    Args:
        objective: f-divergence, or its name.
        p: Density of the data at the points of the grid, `[n]`.
        q: Density of the model at the points of the grid, `[n]`.
        step: Distance between neighboring points.

    Raises:
        ValueError: If the objective is not an f-divergence.

    Example:
        >>> x = np.linspace(-10, 10, 1001)
        >>> divergence("kl", norm.pdf(x), norm.pdf(x, 1.0), 0.02)  # 0.5
    """
    found = get(objective)
    if not isinstance(found, FDivergence):
        raise ValueError(
            f"objective is {objective!r}: expected 'kl', 'reverse_kl', 'jensen_shannon', "
            "'pearson', or an FDivergence."
        )
    ratio = np.maximum(p, TINY) / np.maximum(q, TINY)
    with np.errstate(over="ignore"):
        return float(np.sum(np.maximum(q, TINY) * found.f(ratio)) * step)


def nearest_normal(
    objective: FDivergence | str, points: np.ndarray, density: np.ndarray
) -> tuple[float, float, float]:
    """Finds the normal distribution with minimum divergence from a density on the real line.

    The search starts at several means and standard deviations, because a divergence may have
    several minima.

    Args:
        objective: f-divergence, or its name.
        points: Evenly spaced grid `[n]`, wide enough for the density and for the normal
            distribution.
        density: Density of the data at the grid points, `[n]`.

    Returns: the mean, the standard deviation, and the divergence of the normal distribution. KL and
        Jensen-Shannon divergences are in nats.

    Raises:
        ValueError: If the grid is not evenly spaced, has fewer than 100 points, or truncates the
            density.

    Example:
        >>> x = np.linspace(-10, 10, 1001)
        >>> nearest_normal("kl", x, norm.pdf(x, 1.0, 0.5))  # 1.0, 0.5, 0.0
    """
    steps = np.diff(points)
    step = steps[:1].mean()
    if len(points) < FEWEST or not np.allclose(steps, step):
        raise ValueError(
            f"The grid has {len(points)} points: expected at least {FEWEST} evenly spaced points."
        )
    total = density.sum() * step
    if abs(total - 1) > 1e-3:
        raise ValueError(
            f"The density's sum is {total:.4f} on this grid: expected 1. Use a wider grid."
        )

    mean = (points * density).sum() * step
    deviation = np.sqrt(((points - mean) ** 2 * density).sum() * step)

    def least(parameters):
        center, log_width = parameters
        width = np.exp(np.clip(log_width, np.log(NARROWEST * step), np.log(np.ptp(points))))
        # The divergence is limited, because the search may subtract infinite divergences.
        return min(divergence(objective, density, norm.pdf(points, center, width), step), 1e100)

    starts = [
        (mean + shift * deviation, np.log(scale * deviation))
        for shift in (-1, 0, 1)
        for scale in (0.5, 1)
    ]
    found = min((minimize(least, s, method="Nelder-Mead") for s in starts), key=lambda r: r.fun)
    return float(found.x[0]), float(np.exp(found.x[1])), float(found.fun)
