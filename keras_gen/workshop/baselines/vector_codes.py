"""Images as short vectors: principal components, and the moments of their ink."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from keras_gen.arguments import checked_integer
from keras_gen.files.images import flat_pixels, ink_and_center
from keras_gen.metrics.metric_arguments import as_images


class PrincipalComponents:
    """The best linear code of a size, with the methods of an autoencoder.

    No other linear code has less squared error on the training images (Baldi & Hornik 1989). It is
    exact, by the eigenvectors of the pixels' covariance, or a singular value decomposition for few
    images.

    Args:
        images: Training images uint8 `[n, H, W, C]`.
        dimensions: Number of components, at most n and the number of values of an image.

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
        """The components, float32 `[dimensions, values of an image]`, largest variance first."""
        return self._pca.components_

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Returns the codes, float32 `[n, dimensions]`, of images uint8 `[n, H, W, C]`."""
        return self._pca.transform(flat_pixels(images))

    def reconstruct(self, images: np.ndarray, dimensions: int | None = None) -> np.ndarray:
        """Returns reconstructed images, float32 in units of 255 levels, of the same shape.

        Some values lie outside [0, 1]; clipping them brings the images closer to the originals.

        Args:
            images: uint8 `[n, H, W, C]`.
            dimensions: How many of the first dimensions of the codes are used; all by default.
        """
        return self.decode(self.encode(images)[:, :dimensions], images.shape)

    def decode(self, codes: np.ndarray, shape: tuple) -> np.ndarray:
        """Returns images, float32 of `shape`, from codes `[n, dimensions]` or fewer columns."""
        pixels = codes @ self.directions[: codes.shape[1]] + self._pca.mean_
        return pixels.reshape(shape).astype(np.float32)


def ink_moments(images: np.ndarray) -> np.ndarray:
    """Returns how much ink images have, and where its center lies, float64 `[n, 3]`.

    Of bright shapes on black these are size and place: no code that is learned, and none that an
    image could be made of.

    Args:
        images: uint8 `[n, H, W, C]`.

    Returns:
        The mean brightness in [0, 1], and the center's row and column in pixels from that of the
        image, which is the center of a black image too.

    Example:
        >>> ink_moments(np.full([1, 4, 4, 1], 255, "uint8"))
        array([[1., 0., 0.]])
    """
    images = as_images(images)
    ink, center = ink_and_center(images)
    return np.column_stack([ink / (255 * images[0].size), center])
