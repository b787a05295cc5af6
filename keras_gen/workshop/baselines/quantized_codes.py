"""Image codes without networks: linear codes, and quantized codes with a known number of bits."""

from __future__ import annotations

import numpy as np
from scipy.stats import entropy
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.decomposition import PCA

from keras_gen.arguments import checked_integer, checked_positive, checked_seed
from keras_gen.files.images import flat_pixels, ink_and_center
from keras_gen.metrics.metric_arguments import as_images, check_within


class PrincipalComponents:
    """The best linear code of a given size, with an autoencoder's methods.

    No other linear code has a smaller squared error on the training images (Baldi, Hornik 1989).
    The code is computed exactly, from the eigenvectors of the pixels' covariance, or from a
    singular value decomposition if there are few images.

    Args:
        images: Training images, uint8 `[n, H, W, C]`.
        dimensions: Number of components, at most n and at most the number of values per image.

    Example:
        >>> pca = PrincipalComponents(train, 30)
        >>> squared_error(pca.reconstruct(test), test).mean()
    """

    def __init__(self, images: np.ndarray, dimensions: int):
        pixels = flat_pixels(as_images(images, "images"))
        dimensions = checked_integer("dimensions", dimensions, 1, min(pixels.shape))
        solver = "covariance_eigh" if len(pixels) > pixels.shape[1] else "full"
        self._pca = PCA(dimensions, svd_solver=solver).fit(pixels)

    @property
    def directions(self) -> np.ndarray:
        """The components by decreasing variance, float32 `[dimensions, values per image]`."""
        return self._pca.components_

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Returns the codes, float32 `[n, dimensions]`, of uint8 images `[n, H, W, C]`."""
        return self._pca.transform(flat_pixels(images))

    def reconstruct(self, images: np.ndarray, dimensions: int | None = None) -> np.ndarray:
        """Returns reconstructions of images in the same shape, float32 in units of 255 levels.

        Some values are outside [0, 1]; clipping these values brings reconstructions closer to the
        originals.

        Args:
            images: Images, uint8 `[n, H, W, C]`.
            dimensions: Number of leading code dimensions to use. If None, all dimensions are used.
        """
        return self.decode(self.encode(images)[:, :dimensions], images.shape)

    def decode(self, codes: np.ndarray, shape: tuple) -> np.ndarray:
        """Decodes the leading columns of codes, `[n, columns]`, to float32 images of `shape`."""
        pixels = codes @ self.directions[: codes.shape[1]] + self._pca.mean_
        return pixels.reshape(shape).astype(np.float32)


def ink_moments(images: np.ndarray) -> np.ndarray:
    """Returns the amount and the center of the ink in each image, float64 `[n, 3]`.

    For bright shapes on black, the three numbers measure size and position. They form a code that
    is not learned, and from which an image cannot be reconstructed.

    Args:
        images: Images, uint8 `[n, H, W, C]`.

    Returns:
        The mean brightness in [0, 1], and the row and column of the ink's center in pixels,
        relative to the center of the image. For a black image, row and column are 0.

    Example:
        >>> ink_moments(np.full([1, 4, 4, 1], 255, "uint8"))
        array([[1., 0., 0.]])
    """
    images = as_images(images)
    ink, center = ink_and_center(images)
    return np.column_stack([ink / (255 * images[0].size), center])


_STARTS = 20_000  # number of patches among which k-means++ chooses the initial centers
_ROUNDS = 30  # number of rounds of Lloyd's algorithm
_FITTED = 10_000  # number of images to which levels are fitted
_NOTHING = 1e-12  # maximum squared error that counts as rounding, for pixels in [0, 1]
_HALVINGS = 20  # number of times that the interval containing the step size is halved


class PatchCodebook:
    """Encodes images as grids of patches, each replaced by the nearest k-means center.

    This is vector quantization of pixels, as in a VQ-VAE without networks. With 4x4 patches, the
    grid has as many codes and bits as the grid of an encoder that halves the sides twice.

    Args:
        images: Training images, uint8 `[n, H, W, C]`.
        side: Side of a patch in pixels, a divisor of the images' sides.
        codes: Size K of the codebook, at most the number of patches.
        seed: Seed for choosing the patches and the initial centers (k-means++).
        most: Maximum number of patches to fit. If there are more patches, a random sample is used.

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
        rng = np.random.default_rng(checked_seed(seed))
        if len(patches) > most:
            patches = patches[rng.choice(len(patches), most, replace=False)]
        starts = patches[rng.permutation(len(patches))[: max(codes, _STARTS)]]
        centers, _ = kmeans_plusplus(starts, codes, random_state=checked_seed(seed))
        self._kmeans = KMeans(codes, init=centers, n_init=1, max_iter=_ROUNDS).fit(patches)

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Returns the codes, int32 `[n, H / side, W / side]`, of uint8 images `[n, H, W, C]`."""
        codes = self._kmeans.predict(self._patches(as_images(images)))
        rows = images.shape[1] // self.side
        return codes.reshape(len(images), rows, -1).astype(np.int32)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Decodes codes, integers `[n, rows, columns]`, to uint8 images."""
        n, rows, columns = codes.shape
        patches = self._kmeans.cluster_centers_[codes.ravel()]
        patches = patches.reshape(n, rows, columns, self.side, self.side, -1)
        sides = rows * self.side, columns * self.side
        images = patches.transpose(0, 1, 3, 2, 4, 5).reshape(n, *sides, -1)
        return (255 * images).round().clip(0, 255).astype(np.uint8)

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Encodes and decodes images; returns uint8 images with the same shape."""
        return self.decode(self.encode(images))

    def _patches(self, images) -> np.ndarray:
        n, height, width, channels = images.shape
        if height % self.side or width % self.side:
            raise ValueError(
                f"Images of {height}x{width} pixels cannot be divided into patches of "
                f"{self.side}x{self.side}: expected sides that are multiples of {self.side}."
            )
        rows, columns = height // self.side, width // self.side
        parts = images.reshape(n, rows, self.side, columns, self.side, channels)
        return flat_pixels(parts.transpose(0, 1, 3, 2, 4, 5).reshape(n * rows * columns, -1))


class QuantizedComponents:
    """Quantized principal components of whole images; larger variances get more levels.

    This is the best linear transform code of fixed length for normal data (Huang, Schultheiss:
    "Block Quantization of Correlated Gaussian Random Variables", IEEE Transactions on
    Communications Systems 1963). Each bit is assigned to the component whose error on training
    images it reduces most. The first bit of a normally distributed component divides its error by
    2.75, and each later bit divides the error by up to 4. The levels minimize the squared error
    (Lloyd: "Least Squares Quantization in PCM", IEEE Transactions on Information Theory 1982).

    Args:
        images: Training images, uint8 `[n, H, W, C]`, at least 2.
        bits: Number of bits in an image's code, at least 1.

    Attributes:
        bits: Number of bits of each component, int64. The sum is the argument `bits`, or less if
            more bits would not lower the error.

    Example: `psnr(QuantizedComponents(train, bits=576).reconstruct(test), test, of="rgb").mean()`.
    """

    def __init__(self, images: np.ndarray, bits: int):
        bits = checked_integer("bits", bits, minimum=1)
        images = as_images(images)
        self._components = PrincipalComponents(images, min(bits, len(images), images[0].size))
        quantizers = [
            Quantizer(values) for values in self._components.encode(images[:_FITTED]).T
        ]
        for _ in range(bits):
            best = max(quantizers, key=lambda each: each.gain)
            if best.gain <= _NOTHING:
                break
            best.add_bit()
        self.bits = np.array([each.bits for each in quantizers])
        self._levels = [each.levels for each in quantizers]

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Encodes and decodes images; returns uint8 images with the same shape."""
        codes = self._components.encode(images)
        for values, levels in zip(codes.T, self._levels, strict=True):
            values[:] = levels[_nearest(levels, values)]
        pixels = self._components.decode(codes, images.shape)
        return (255 * pixels).round().clip(0, 255).astype(np.uint8)


class Quantizer:
    """Scalar quantizer with minimum squared error, whose number of bits can be increased.

    Args:
        values: Numbers to fit, `[n]`.

    Attributes:
        bits: Current number of bits, initially 0.
        levels: The 2^bits levels.
        gain: Decrease in the mean squared error due to one more bit.

    Example:
        >>> quantizer = Quantizer(np.array([1.0, 3.0, 9.0, 11.0]))
        >>> quantizer.gain
        16.0
    """

    def __init__(self, values: np.ndarray):
        self._values = values
        self.bits = 0
        self.levels, self._error = self._fitted(0)
        self._look_ahead()

    def add_bit(self) -> None:
        """Adds one bit, which doubles the number of levels."""
        self.bits += 1
        self.levels = self._next
        self._error = self._next_error
        self._look_ahead()

    def _look_ahead(self):
        self._next, self._next_error = self._fitted(self.bits + 1)
        self.gain = self._error - self._next_error

    def _fitted(self, bits):
        levels = least_squares_levels(self._values, 2**bits)
        nearest = levels[_nearest(levels, self._values)]
        return levels, float(np.mean((self._values - nearest) ** 2))


class CodedComponents:
    """Principal components of whole images, rounded and entropy-coded.

    With an entropy code, it is nearly optimal to round all components to multiples of one step
    (Gish, Pierce: "Asymptotically Efficient Quantizing", IEEE Transactions on Information Theory
    1968). The number of bits varies from image to image. The step is chosen so that the codes of
    training images require `bits` bits on average, if each component is coded according to the
    frequencies of its values.

    Args:
        images: Training images, uint8 `[n, H, W, C]`, at least 2.
        bits: Mean number of bits per image, above 0.

    Example: `psnr(CodedComponents(train, bits=576).reconstruct(test), test, of="rgb").mean()`.
    """

    def __init__(self, images: np.ndarray, bits: float):
        bits = checked_positive("bits", bits)
        images = as_images(images)
        count = min(len(images), images[0].size, max(1, int(2 * bits)))
        self._components = PrincipalComponents(images, count)
        codes = self._components.encode(images[:_FITTED])
        low = 0.0
        high = 2 * np.abs(codes).max()
        for _ in range(_HALVINGS):
            step = (low + high) / 2
            if _entropy(_rounded(codes, step)) > bits:
                low = step
            else:
                high = step
        self._step = high
        # The center of a code is the mean of the values that are rounded to the same multiple of
        # the step size.
        self._means = [
            _means_by(*pair) for pair in zip(_rounded(codes, self._step).T, codes.T, strict=True)
        ]

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Encodes and decodes images; returns uint8 images with the same shape."""
        codes = self._components.encode(images)
        for multiples, values, means in zip(
            _rounded(codes, self._step).T, codes.T, self._means, strict=True
        ):
            values[:] = [means.get(m, m * self._step) for m in multiples.tolist()]
        pixels = self._components.decode(codes, images.shape)
        return (255 * pixels).round().clip(0, 255).astype(np.uint8)

    def code_length(self, images: np.ndarray) -> float:
        """Returns the mean entropy of the images' codes, in bits per image."""
        codes = self._components.encode(as_images(images))
        return _entropy(_rounded(codes, self._step))


def _rounded(codes, step):
    return np.rint(codes / step).astype(np.int64)


def _entropy(codes):
    """Returns the sum of the entropies of columns of integers, in bits."""
    total = 0.0
    for values in codes.T:
        _, counts = np.unique(values, return_counts=True)
        total += entropy(counts, base=2)
    return total


def _means_by(keys, values) -> dict[int, float]:
    found, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    sums = np.bincount(inverse, values)
    return dict(zip(found.tolist(), (sums / counts).tolist(), strict=True))


def least_squares_levels(values: np.ndarray, levels: int) -> np.ndarray:
    """Returns sorted levels with minimum squared error; Lloyd's algorithm starts at quantiles.

    Args:
        values: Numbers `[n]`.
        levels: Number of levels. If 1, the level is the mean.

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
