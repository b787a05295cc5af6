"""Likelihoods from samples, by a normal density around each, as in early papers on GANs."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.mean_and_deviation import with_bar
from keras_gen.metrics.metric_arguments import as_images


@checked_types
def parzen_log_likelihood(
    samples: np.ndarray, images: np.ndarray, std: float, batch_size: int = 100
) -> np.ndarray:
    """Estimates log p(x) of images by a Parzen window, float64 `[n]`, nats for pixels in [0, 1].

    Each sample has a normal distribution around it. Goodfellow et al.: "Generative Adversarial
    Nets", NeurIPS 2014, sec. 5, use 10,000 samples; the mean over the test images of MNIST is 225,
    with a standard error of 2 (table 1). Theis, van den Oord, Bethge: "A Note on the Evaluation of
    Generative Models", ICLR 2016, show that such estimates rank models wrongly, even above the
    data's own distribution: compare only with that table.

    Args:
        samples: Samples from the model, uint8 `[m, H, W, 1 or 3]`, 0..255.
        images: Images whose likelihood is estimated, uint8 `[n, H, W, C]`.
        std: Standard deviation of the window, for pixels in [0, 1], from `best_parzen_std`.
        batch_size: Number of images at once.

    Example: `parzen_log_likelihood(model.sample(10_000), test_images, std).mean()`.
    """
    samples, images = _flat(samples), _flat(images)
    if samples.shape[1] != images.shape[1]:
        raise ValueError(
            f"parzen_log_likelihood found samples of {samples.shape[1]} values, but images of "
            f"{images.shape[1]}: pass images of one shape."
        )
    if not std > 0:
        raise ValueError(f"std is {std}: expected a positive number, for the Parzen window.")
    squares = np.square(samples).sum(axis=1)
    found = []
    for start in with_bar(range(0, len(images), batch_size), "batch"):
        batch = images[start : start + batch_size]
        distances = np.square(batch).sum(axis=1)[:, None] - 2 * batch @ samples.T + squares
        found.append(logsumexp(-0.5 / std**2 * np.maximum(distances, 0), axis=1))
    size = samples.shape[1]
    constant = np.log(len(samples)) + 0.5 * size * np.log(2 * np.pi * std**2)
    return np.concatenate(found) - constant


@checked_types
def best_parzen_std(samples: np.ndarray, held_out: np.ndarray) -> float:
    """Returns the best window: the highest mean likelihood of ten in equal ratios, 0.1 to 1.

    Args:
        samples: Samples as for `parzen_log_likelihood`.
        held_out: Images that are neither the model's training images nor test images.

    Example: `best_parzen_std(model.sample(10_000), validation_images)`.
    """
    candidates = np.geomspace(0.1, 1.0, 10)
    means = [parzen_log_likelihood(samples, held_out, float(std)).mean() for std in candidates]
    return float(candidates[int(np.argmax(means))])


def _flat(images: np.ndarray) -> np.ndarray:
    images = as_images(images)
    return images.reshape(len(images), -1).astype(np.float64) / 255.0
