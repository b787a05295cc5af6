"""Image filters that change colors, noise, ink, or levels."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from PIL import Image
from scipy.ndimage import affine_transform, gaussian_filter

from keras_gen.arguments import checked_seed


def noise_filter(images: np.ndarray, seed: int = 0) -> np.ndarray:
    """Lowers contrast, raises brightness, and adds noise, which may fool a classifier.

    Contrast around the middle level is multiplied by 0.75, brightness is raised by 20 levels, and
    Gaussian noise with a standard deviation of 15 levels is added. The resulting images are uint8.

    Args:
        images: Images, uint8 `[n, H, W, 3]`.
        seed: Seed for the noise.

    Example: `noise_filter(photos)`.
    """
    noise = np.random.default_rng(checked_seed(seed)).normal(scale=15, size=images.shape)
    return _levels(127.5 + 0.75 * (images - 127.5) + 20 + noise)


def color_transfer(
    images: np.ndarray,
    target: np.ndarray,
    seed: int = 0,
    noise: float = 0.0,
    gray: bool = False,
    octaves: int = 1,
) -> np.ndarray:
    """Matches each image's color statistics to a target image; returns uint8 `[n, H, W, 3]`.

    The mean and standard deviation of each channel are matched, as in Reinhard, Ashikhmin, Gooch,
    Shirley: "Color Transfer between Images", IEEE Computer Graphics and Applications 2001. The
    channels are RGB instead of the paper's decorrelated colors.

    Args:
        images: Images, uint8 `[n, H, W, 3]`.
        target: Target images, uint8 `[m, h, w, 3]`. One target image is chosen for each image.
        seed: Seed for the choice of target images and for the noise.
        noise: Standard deviation of the added Gaussian noise, in 8-bit levels. The noise imitates
            brushstrokes.
        gray: Whether all channels get the same noise, which gives only the luma grain, as in
            paintings and photographs.
        octaves: Number of layers of noise with equal standard deviations, each twice as coarse as
            the layer before it, because brushstrokes differ in size.

    Example: `color_transfer(photos, training_paintings)`.
    """
    rng = np.random.default_rng(checked_seed(seed))
    drawn = rng.integers(len(target), size=len(images))
    recolored = [_recolored(image, target[i]) for image, i in zip(images, drawn, strict=True)]
    shape = (*images.shape[1:3], 1 if gray else images.shape[-1])
    return np.stack([_levels(image + _grain(rng, noise, shape, octaves)) for image in recolored])


def grained_transfer(images: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Applies `color_transfer` with gray grain in layers; returns uint8 `[n, H, W, 3]`.

    The settings are the best ones on validation images of monet2photo: layers of 4 levels, 3 of
    them at 128x128, and 4 at 256x256.

    Example: `grained_transfer(photos, training_paintings)`.
    """
    octaves = max(int(np.log2(images.shape[1])) - 4, 1)
    return color_transfer(images, target, noise=4.0, gray=True, octaves=octaves)


def framed_ink(images: np.ndarray) -> np.ndarray:
    """Enlarges each image's ink to fill the image, so that margins do not matter.

    Pixels brighter than half of the range are ink. An image without ink is unchanged. The resulting
    images are uint8 `[n, H, W, 1]`.

    Args:
        images: Images, uint8 `[n, H, W, 1]`, with bright ink on a dark background, such as digits.

    Example: `framed_ink(digits)`.
    """
    return np.stack([_framed(image[..., 0]) for image in images])[..., None]


def deslanted(images: np.ndarray) -> np.ndarray:
    """Shears each image horizontally so that its ink is upright and in the center.

    The covariance between the row and column positions of the ink becomes 0. An image without ink,
    or with ink in a single row, is shifted but not sheared. The resulting images are uint8
    `[n, H, W, 1]`.

    Args:
        images: Images, uint8 `[n, H, W, 1]`, with bright ink on a dark background, such as digits.

    Example: `deslanted(digits)`.
    """
    return np.stack([_deslanted(image[..., 0].astype(np.float64)) for image in images])[
        ..., None
    ]


def _deslanted(ink: np.ndarray) -> np.ndarray:
    rows, columns = np.indices(ink.shape)
    total = max(ink.sum(), 1e-6)
    center = np.array([(ink * rows).sum(), (ink * columns).sum()]) / total
    down = rows - center[0]
    right = columns - center[1]
    slant = (ink * down * right).sum() / max((ink * down**2).sum(), 1e-6)
    shear = np.array([[1.0, 0.0], [slant, 1.0]])
    middle = (np.array(ink.shape) - 1) / 2
    return _levels(affine_transform(ink, shear, center - shear @ middle, order=1))


def _framed(image: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(image > 127)
    if len(rows) == 0:
        return image
    box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    height, width = image.shape
    ink = Image.fromarray(image).crop(box)
    return np.asarray(ink.resize((width, height), Image.Resampling.BILINEAR))


def _grain(rng, deviation: float, shape: tuple[int, ...], octaves: int) -> np.ndarray:
    """Returns the sum of layers of noise; each is blurred twice as far as the layer before it."""
    grain = rng.normal(scale=deviation, size=shape)
    for octave in range(1, octaves):
        blurred = gaussian_filter(rng.normal(size=shape), 2 ** (octave - 1), axes=(0, 1))
        grain += deviation * blurred / blurred.std()
    return grain


def _recolored(image: np.ndarray, like: np.ndarray) -> np.ndarray:
    deviation = np.maximum(image.std((0, 1)), 1e-6)
    return (image - image.mean((0, 1))) / deviation * like.std((0, 1)) + like.mean((0, 1))


def _levels(images: np.ndarray) -> np.ndarray:
    return np.clip(np.round(images), 0, 255).astype(np.uint8)


def thresholded(network: Callable, level: float = 0.5) -> Callable:
    """Returns a network with a thresholded input, through which attacks can differentiate.

    A threshold only appears to stop attacks, because it has no useful gradient. To adapt the attack
    to this defense, gradients pass through the threshold unchanged. See Athalye, Carlini, Wagner:
    "Obfuscated Gradients Give a False Sense of Security", ICML 2018, sec. 4.1 (BPDA).

    Args:
        network: Network that maps floats in [0, 1] to logits.
        level: Threshold. Values at or above it become 1, and values below it become 0.

    Example: `robust_accuracy(thresholded(model), digits, labels, {"pgd": PGD(0.3)})`.
    """

    def defended(x, training=False):
        x = tf.convert_to_tensor(x)
        hard = tf.cast(x >= level, x.dtype)
        return network(x + tf.stop_gradient(hard - x), training=training)

    return defended
