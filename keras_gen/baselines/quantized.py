"""Codes of images without a network, with a given number of bits, to compare a VQ-VAE with."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus

from keras_gen.baselines.principal_components import PrincipalComponents
from keras_gen.media.images import flat_pixels
from keras_gen.metrics.checks import as_images, check_within

_STARTS = 20_000  # patches among which k-means++ chooses its first centers
_ROUNDS = 30  # of Lloyd's algorithm


class PatchCodebook:
    """Codes images as grids of patches, each replaced by the nearest center of k-means.

    It is vector quantization of pixels, a VQ-VAE without networks. With 4x4 patches it has as many
    codes, and bits, as an encoder that halves the sides twice.

    Args:
        images: Training images uint8 `[n, H, W, C]`.
        side: Side of a patch, a divisor of the images' sides.
        codes: Size K of the codebook, at most the number of patches.
        seed: Seed for the choice of patches and of first centers (k-means++).
        most: Largest number of patches to fit; if there are more, they are drawn at random.

    Example:
        >>> patches = PatchCodebook(train, side=4, codes=512)
        >>> psnr(patches.reconstruct(test), test, of="rgb").mean()
    """

    def __init__(
        self, images: np.ndarray, side: int = 4, codes: int = 512, seed: int = 0, most=200_000
    ):
        self.side = side
        patches = self._patches(as_images(images))
        check_within("codes", codes, len(patches))
        rng = np.random.default_rng(seed)
        if len(patches) > most:
            patches = patches[rng.choice(len(patches), most, replace=False)]
        starts = patches[rng.permutation(len(patches))[: max(codes, _STARTS)]]
        centers, _ = kmeans_plusplus(starts, codes, random_state=seed)
        self._kmeans = KMeans(codes, init=centers, n_init=1, max_iter=_ROUNDS).fit(patches)

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Returns the codes, int32 `[n, H / side, W / side]`, of images uint8 `[n, H, W, C]`."""
        codes = self._kmeans.predict(self._patches(as_images(images)))
        rows = images.shape[1] // self.side
        return codes.reshape(len(images), rows, -1).astype(np.int32)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Returns the images of codes, integers `[n, rows, columns]`, as uint8."""
        n, rows, columns = codes.shape
        patches = self._kmeans.cluster_centers_[codes.ravel()]
        patches = patches.reshape(n, rows, columns, self.side, self.side, -1)
        sides = rows * self.side, columns * self.side
        images = patches.transpose(0, 1, 3, 2, 4, 5).reshape(n, *sides, -1)
        return (255 * images).round().clip(0, 255).astype(np.uint8)

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Returns the decoded codes of images, uint8 of the same shape."""
        return self.decode(self.encode(images))

    def _patches(self, images) -> np.ndarray:
        n, height, width, channels = images.shape
        if height % self.side or width % self.side:
            raise ValueError(
                f"Images of {height}x{width} pixels have no patches of {self.side}x{self.side}: "
                "expected multiples."
            )
        rows, columns = height // self.side, width // self.side
        parts = images.reshape(n, rows, self.side, columns, self.side, channels)
        return flat_pixels(parts.transpose(0, 1, 3, 2, 4, 5).reshape(n * rows * columns, -1))


class QuantizedComponents:
    """Principal components of whole images, each quantized, with more levels for more variance.

    It is the best linear transform code for normal data: Huang, Schultheiss: "Block Quantization of
    Correlated Gaussian Random Variables", IEEE Transactions on Communications Systems 1963. Each
    bit goes to the component with the largest error, and divides that error by 4. The levels have
    least squared error: Lloyd: "Least Squares Quantization in PCM", IEEE Transactions on
    Information Theory 1982.

    Args:
        images: Training images uint8 `[n, H, W, C]`, 2 or more.
        bits: Bits of an image's code, at least 1.

    Attributes:
        bits: Bits of each component, int64; their sum is that of an image.

    Example: `psnr(QuantizedComponents(train, bits=576).reconstruct(test), test, of="rgb").mean()`.
    """

    def __init__(self, images: np.ndarray, bits: int):
        if bits < 1:
            raise ValueError(f"bits is {bits}: expected at least 1.")
        images = as_images(images)
        self._components = PrincipalComponents(images, min(bits, len(images), images[0].size))
        codes = self._components.encode(images)
        self.bits = allocated_bits(codes.var(axis=0), bits)
        self._levels = [
            least_squares_levels(values, 2**count)
            for values, count in zip(codes.T, self.bits, strict=True)
        ]

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Returns the decoded codes of images, uint8 of the same shape."""
        codes = self._components.encode(images)
        for values, levels in zip(codes.T, self._levels, strict=True):
            values[:] = levels[_nearest(levels, values)]
        pixels = self._components.decode(codes, images.shape)
        return (255 * pixels).round().clip(0, 255).astype(np.uint8)


def allocated_bits(variances: np.ndarray, bits: int) -> np.ndarray:
    """Distributes bits: each goes to the variable with the largest error, variance / 4^bits.

    Args:
        variances: Numbers from 0 on, `[d]`.
        bits: Number of bits in all, the sum of the result, int64 `[d]`.

    Example:
        >>> allocated_bits([16.0, 4.0, 0.5], 3)
        array([2, 1, 0])
    """
    errors = np.array(variances, np.float64)
    counts = np.zeros(len(variances), np.int64)
    for _ in range(bits):
        largest = errors.argmax()
        errors[largest] /= 4
        counts[largest] += 1
    return counts


def least_squares_levels(values: np.ndarray, levels: int) -> np.ndarray:
    """Returns the sorted levels of least squared error, by Lloyd's algorithm from the quantiles.

    Args:
        values: Numbers `[n]`.
        levels: How many; 1 gives the mean.

    Example:
        >>> least_squares_levels(np.array([1.0, 3.0, 9.0, 11.0]), 2)
        array([ 2., 10.])
    """
    found = np.quantile(values, (np.arange(levels) + 0.5) / levels)
    for _ in range(_ROUNDS):
        nearest = _nearest(found, values)
        counts = np.bincount(nearest, minlength=levels)
        sums = np.bincount(nearest, values, minlength=levels)
        found = np.where(counts > 0, sums / np.maximum(counts, 1), found)
    return found


def _nearest(levels, values):
    return np.searchsorted((levels[1:] + levels[:-1]) / 2, values)
