"""Points in the plane, and other data with known modes."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from keras_gen.arguments import checked_array, shown
from keras_gen.checked_arguments import checked_types
from keras_gen.data.source import Source, checked_labels
from keras_gen.declared import Declared, Positive

ALONG = 100  # normal densities per half circle, with a spacing below their standard deviation


class PlanarNormals(Declared):
    """A mixture of equally likely normal distributions around points in the plane.

    Args:
        centers: Centers of the distributions, `[m, 2]`.
        std: Standard deviation along each axis, above 0.

    Example:
        >>> PlanarNormals(np.zeros([1, 2]), std=1.0).log_density(np.zeros([5, 2])).shape
        (5,)
    """

    centers: np.ndarray
    std: Positive

    @checked_types
    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """Returns points, float32 `[n, 2]`."""
        return points_around(self.centers, self.std, n, seed).arrays()

    @checked_types
    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Returns the log density at points `[n, 2]`, float64 `[n]`."""
        points = _checked_points(points, "float64")[:, None]
        with np.errstate(over="ignore"):
            squares = ((points - self.centers) ** 2).sum(axis=-1)
        log_normals = -squares / (2 * self.std**2) - np.log(2 * np.pi * self.std**2)
        return logsumexp(log_normals, axis=1) - np.log(len(self.centers))


class PlanarSquares(Declared):
    """A constant density on nonoverlapping squares in the plane.

    Args:
        corners: Lower-left corner of each square, `[m, 2]`.
        side: Side length of every square.

    Example:
        >>> PlanarSquares(np.zeros([1, 2]), side=2.0).log_density(np.array([[1, 1], [1, 3]]))
        array([-1.38629436,        -inf])
    """

    corners: np.ndarray
    side: Positive

    @checked_types
    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """Returns points, float32 `[n, 2]`."""
        rng = np.random.default_rng(seed)
        corners = self.corners[rng.integers(len(self.corners), size=n)]
        return (corners + self.side * rng.random((n, 2))).astype("float32")

    @checked_types
    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Returns the log density at points `[n, 2]`, float64 `[n]`.

        The log density is minus infinity outside of the squares. The borders belong to the squares.
        """
        # The corners are float32, like the sampled points, so that points on a border do not fall
        # outside.
        points = _checked_points(points, "float32")[:, None]
        low = self.corners.astype("float32")
        high = (self.corners + self.side).astype("float32")
        within = np.all((low <= points) & (points <= high), axis=-1)
        inside = np.any(within, axis=1)
        log_density = -np.log(len(self.corners) * self.side**2)
        return np.where(inside, log_density, -np.inf)


def _checked_points(points: np.ndarray, dtype: str) -> np.ndarray:
    points = checked_array("points", points, dtype)
    if points.ndim != 2 or points.shape[1] != 2 or np.isnan(points).any():
        raise ValueError(f"points is {shown(points)}: expected numbers [n, 2] without NaN.")
    return points


@checked_types
def two_moons(radius: float = 2.0, std: float = 0.2) -> PlanarNormals:
    """Returns two interleaved half circles with normal noise.

    The shape matches `sklearn.datasets.make_moons`, centered at the origin.

    Args:
        radius: Radius of the half circles.
        std: Standard deviation of the noise.

    Example:
        >>> points = two_moons().sample(1000, seed=1)
    """
    angles = np.pi * (np.arange(ALONG) + 0.5) / ALONG
    arc = np.stack([np.cos(angles) - 0.5, np.sin(angles) - 0.25], axis=-1)
    return PlanarNormals(radius * np.concatenate([arc, -arc]), std)


@checked_types
def rings(radii: tuple[float, ...] = (1.0, 2.0, 3.0), std: float = 0.15) -> PlanarNormals:
    """Returns a mixture of equally probable circles around the origin, with normal noise.

    Args:
        radii: Radii of the circles.
        std: Standard deviation of the noise.

    Example:
        >>> points = rings().sample(1000, seed=1)
    """
    angles = np.pi * np.arange(2 * ALONG) / ALONG
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return PlanarNormals(np.concatenate([radius * circle for radius in radii]), std)


@checked_types
def checkerboard(squares: int = 4, side: float = 2.0) -> PlanarSquares:
    """Returns a distribution on the equally probable black squares of a centered checkerboard.

    Args:
        squares: Number of squares (black and white) along each side of the board, at least 2.
        side: Side length of a square.

    Example:
        >>> points = checkerboard().sample(1000, seed=1)
    """
    places = np.stack(np.meshgrid(np.arange(squares), np.arange(squares)), axis=-1).reshape(
        -1, 2
    )
    black = places[places.sum(axis=1) % 2 == 0]
    return PlanarSquares(side * (black - squares / 2), side)


@checked_types
def points_around(centers: np.ndarray, std: float, n: int, seed: int = 0) -> Source:
    """Samples points, float32 `[d]`, from an equally weighted Gaussian mixture, such as a ring.

    Args:
        centers: Centers of the modes, `[modes, d]`; see `keras_gen.metrics.ring_centers` and
            `grid_centers`.
        std: Standard deviation along each axis. If 0, points are exactly at the centers.
        n: Number of points.
        seed: Seed for the samples.

    Example:
        >>> len(points_around(np.eye(2), std=0.01, n=100))
        100
    """
    if centers.ndim != 2 or not len(centers):
        raise ValueError(f"centers has shape {centers.shape}: expected [modes, d].")
    centers = centers.astype("float64")
    rng = np.random.default_rng(seed)
    drawn = centers[rng.integers(len(centers), size=n)]
    points = drawn + std * rng.normal(size=drawn.shape)
    return Source(points.astype("float32"), origin=f"{n} points around {len(centers)} centers")


@checked_types
def stacked_digits(
    images: np.ndarray, labels: np.ndarray, n: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Stacks three random digits as the color channels of one image (stacked MNIST).

    See Metz, Poole, Pfau, Sohl-Dickstein: "Unrolled Generative Adversarial Networks", ICLR 2017,
    sec. 3.3.1. Together, the classes of the three digits determine one of 1,000 modes.

    Args:
        images: Images, uint8 `[m, H, W, 1]`.
        labels: Classes of the images, integers `[m]` from 0 to 9.
        n: Number of images to create.
        seed: Seed for the selection.

    Returns:
        The images, uint8 `[n, H, W, 3]`, and their modes, int64 `[n]`. The mode is 100 a + 10 b + c
        for classes a, b, and c.

    Example:
        >>> images, modes = stacked_digits(digits, labels, n=1000)
    """
    classes = checked_labels(labels)
    if not 0 < len(images) == len(classes):
        raise ValueError(
            f"images has shape {images.shape} and labels has shape {labels.shape}: expected one "
            "label per image, and at least one image."
        )
    if classes.min() < 0 or classes.max() > 9:
        raise ValueError(
            f"labels range from {classes.min()} to {classes.max()}: expected classes from 0 to 9."
        )
    drawn = np.random.default_rng(seed).integers(len(images), size=(n, 3))
    stacked = np.moveaxis(images[drawn][..., 0], 1, -1)
    return np.ascontiguousarray(stacked), classes[drawn].astype("int64") @ [100, 10, 1]
