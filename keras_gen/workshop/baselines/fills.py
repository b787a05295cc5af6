"""Methods that fill in missing pixels without a network."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse.linalg import splu
from sklearn.linear_model import Ridge

from keras_gen.files.images import flat_pixels
from keras_gen.metrics.image_pairs import missing_pixels


def border_mean(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Returns uint8 images whose missing pixels have the mean color of adjacent known pixels.

    Args:
        images: Images, uint8 `[n, H, W, channels]`.
        masks: Masks `[n, H, W, 1]`, nonzero where a pixel is missing.

    Raises:
        ValueError: If the arrays do not match, if nothing is missing, or if a whole image is
            missing.

    Example: `border_mean(images, masks)`.
    """
    missing = missing_pixels(images, masks)
    border = ndimage.binary_dilation(missing, np.ones([1, 3, 3, 1])) & ~missing
    count = border.sum((1, 2), keepdims=True)
    if not count.all():
        raise ValueError(
            "An image has no known pixel next to missing pixels: mask only part of each image."
        )
    means = (images * border).sum((1, 2), keepdims=True) / count
    return np.where(missing, means.round().astype(np.uint8), images)


def laplace_fill(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Fills missing pixels with the smoothest surface through the surrounding known pixels.

    The method solves Laplace's equation in each channel: every missing pixel is the mean of its two
    to four neighbors. This is inpainting by diffusion, as in Bertalmio, Sapiro, Caselles,
    Ballester: "Image Inpainting", SIGGRAPH 2000, without the paper's transport along edges.

    For the arguments, result, and errors, see `border_mean`.

    Example: `laplace_fill(images, masks)`.
    """
    missing = missing_pixels(images, masks)
    n, height, width, channels = images.shape
    links = sparse.kronsum(_chain(width), _chain(height))
    laplacian = (sparse.diags(links.sum(axis=0).A1) - links).tocsr()
    pixels = images.reshape(n, height * width, channels).transpose(1, 0, 2).copy()
    # Images with equal masks are solved together.
    kinds, kind = np.unique(missing.reshape(n, -1), axis=0, return_inverse=True)
    for number, hole in enumerate(kinds):
        if hole.all():
            raise ValueError("An image has no known pixels: mask only part of each image.")
        own = np.flatnonzero(kind == number)
        known = pixels[np.ix_(~hole, own)].reshape(-1, len(own) * channels).astype(np.float64)
        rows = laplacian[hole]
        found = splu(rows[:, hole].tocsc()).solve(-rows[:, ~hole] @ known)
        found = found.reshape(-1, len(own), channels).round().clip(0, 255)
        pixels[np.ix_(hole, own)] = found
    return pixels.transpose(1, 0, 2).reshape(images.shape)


def ridge_fill(
    images: np.ndarray,
    masks: np.ndarray,
    train: np.ndarray,
    mirror: bool = False,
    alphas: Sequence[float] = (10.0, 30.0, 100.0, 300.0, 1000.0),
) -> np.ndarray:
    """Returns uint8 images whose missing pixels are predicted by ridge regression.

    The regression predicts whole images from the known pixels, in [0, 1]. It is the best linear
    model.

    Args:
        images: Images, uint8 `[n, H, W, channels]`.
        masks: Masks `[n, H, W, 1]`, nonzero where a pixel is missing; all masks are equal.
        train: Training images, uint8 `[m, H, W, channels]`.
        mirror: Whether to also fit the regression to the mirror images of the training images.
        alphas: Penalties on the squared weights to try. The last tenth of `train` determines the
            best penalty.

    Raises:
        ValueError: If the masks differ. For other errors, see `border_mean`.

    Example: `ridge_fill(images, masks, train_images)`.
    """
    missing = missing_pixels(images, masks)
    if missing.all() or (missing != missing[:1]).any():
        raise ValueError(
            "The masks differ, or hide everything: expected the same mask for all images, hiding "
            "only part of each image."
        )
    hole = np.broadcast_to(missing[0], images.shape[1:]).ravel()

    def split(examples):
        pixels = flat_pixels(examples)
        return pixels[:, ~hole], pixels[:, hole]

    def fitted(alpha, examples):
        both = np.concatenate([examples, examples[:, :, ::-1]]) if mirror else examples
        return Ridge(alpha).fit(*split(both))

    cut = len(train) * 9 // 10
    alpha = max(alphas, key=lambda alpha: fitted(alpha, train[:cut]).score(*split(train[cut:])))
    found = fitted(alpha, train).predict(split(images)[0]).reshape(len(images), -1)
    filled = images.reshape(len(images), -1).copy()
    filled[:, hole] = (255 * found).round().clip(0, 255)
    return filled.reshape(images.shape)


def _chain(length):
    """Returns the sparse adjacency matrix of pixels on a line."""
    return sparse.diags([1.0, 1.0], [-1, 1], (length, length))
