"""Principal components of images, the baseline of an autoencoder."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from keras_gen.media.images import flat_pixels
from keras_gen.metrics.checks import as_images


class PrincipalComponents:
    """The best linear code of a size, with the methods of an autoencoder.

    No other linear code makes less squared error on the images that it was fitted to (Baldi &
    Hornik 1989). Exact: by the eigenvectors of the covariance of the pixels, or by a singular value
    decomposition of few images.

    Args:
        images: Training images uint8 `[n, H, W, C]`.
        dimensions: Number of components, at most n and the number of values of an image.

    Raises:
        ValueError: If the images are not such an array, or there are fewer than components.

    Example:
        >>> pca = PrincipalComponents(train, 30)
        >>> squared_error(pca.reconstruct(test), test).mean()
    """

    def __init__(self, images: np.ndarray, dimensions: int):
        pixels = flat_pixels(as_images(images, "images"))
        if not 1 <= dimensions <= min(pixels.shape):
            raise ValueError(
                f"PrincipalComponents found dimensions={dimensions} for {len(pixels)} images of "
                f"{pixels.shape[1]} values: expected 1 to {min(pixels.shape)}."
            )
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
        """Returns images reconstructed from the first dimensions of their codes.

        Args:
            images: uint8 `[n, H, W, C]`.
            dimensions: How many of them; all by default.

        Returns:
            float32, same shape, in units of 255 levels. Some lie outside [0, 1]: cut off there,
            they are nearer to the images.
        """
        return self.decode(self.encode(images)[:, :dimensions], images.shape)

    def decode(self, codes: np.ndarray, shape: tuple) -> np.ndarray:
        """Returns images, float32 of `shape`, from codes `[n, dimensions]` or fewer dimensions."""
        pixels = codes @ self.directions[: codes.shape[1]] + self._pca.mean_
        return pixels.reshape(shape).astype(np.float32)
