"""Metrics of motion in videos of one bright object on a black background."""

from __future__ import annotations

import numpy as np
from scipy.stats import wasserstein_distance

from keras_gen.checked_arguments import checked_types
from keras_gen.files.images import ink_and_center
from keras_gen.metrics.metric_arguments import as_numbers


@checked_types
def motion_statistics(videos: np.ndarray) -> dict[str, np.ndarray]:
    """Measures the motion of the brightness centroid in each video.

    Args:
        videos: Videos, uint8 `[n, frames, height, width, channels]`, with at least 3 frames. The
            centroid of a black frame is the center of the image.

    Returns:
        A dict of float64 `[n]`:

        - "speed": mean distance, in pixels, that the centroid moves from one frame to the next;
        - "turning": mean angle between successive steps, in degrees from 0 to 180. Steps of less
          than half a pixel have no direction and are omitted; the value is 0 if no steps remain;
        - "flicker": standard deviation over time of the total brightness, divided by the mean of
          the total brightness; 0 for an object of constant shape.

    Example: `motion_statistics(model.sample(100))["speed"].mean()`.
    """
    videos = as_numbers(videos, "videos")
    if videos.dtype != np.uint8 or videos.ndim != 5 or videos.shape[1] < 3 or not videos.size:
        raise ValueError(
            f"motion_statistics got {videos.dtype} {list(videos.shape)}: pass uint8 [n, frames, "
            "height, width, channels] with at least 3 frames."
        )
    ink, center = ink_and_center(videos)
    steps = np.diff(center, axis=1)
    lengths = np.linalg.norm(steps, axis=-1)
    moving = (lengths[:, 1:] >= 0.5) & (lengths[:, :-1] >= 0.5)
    product = np.maximum(lengths[:, 1:] * lengths[:, :-1], 1e-12)
    cosine = np.clip(np.sum(steps[:, 1:] * steps[:, :-1], axis=-1) / product, -1, 1)
    angles = np.where(moving, np.degrees(np.arccos(cosine)), 0)
    return {
        "speed": lengths.mean(axis=1),
        "turning": angles.sum(axis=1) / np.maximum(moving.sum(axis=1), 1),
        "flicker": ink.std(axis=1) / np.maximum(ink.mean(axis=1), 1),
    }


@checked_types
def motion_distances(real: np.ndarray, generated: np.ndarray) -> dict[str, float]:
    """Compares the motion in two sets of videos.

    Args:
        real: Videos as accepted by `motion_statistics`.
        generated: Any number of generated videos, in the format of `real`.

    Returns:
        A dict with "speed_distance" (in pixels), "turning_distance" (in degrees), and
        "flicker_distance", which are the earth mover's distances between the real and generated
        distributions of each statistic; and "speed", "turning", and "flicker", which are the means
        over the generated videos.

    Example: `motion_distances(training_videos, model.sample(1000))["speed_distance"]`.
    """
    of_real = motion_statistics(real)
    of_generated = motion_statistics(generated)
    found = {
        f"{name}_distance": wasserstein_distance(of_real[name], of_generated[name])
        for name in of_generated
    }
    found |= {name: values.mean() for name, values in of_generated.items()}
    return {name: float(value) for name, value in found.items()}
