"""Paths of samples from noise to data, in diffusion models and flow matching."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_seed
from keras_gen.diffusion.solvers import DDIM
from keras_gen.workshop.visualize.captions import captioned
from keras_gen.workshop.visualize.plots import new_figure, pixels
from keras_gen.workshop.visualize.rows_of_images import as_uint8


def emerging(
    model, n: int = 6, moments: int = 9, steps: int = 48, seed: int = 0, **given
) -> np.ndarray:
    """Shows DDIM samples at several times on the path from noise, one row per sample.

    A point x_t on the path is shown as x_t / (alpha + sigma), which has the range of images.

    Args:
        model: Image model from `keras_gen.diffusion`. `LatentDiffusion` is not supported, because
            the points on its paths are not images.
        n: Number of samples.
        moments: Number of columns from noise to the sample, at evenly spaced steps.
        steps: Number of sampling steps.
        seed: Seed for the noise.
        **given: Conditions that the model's networks accept, such as `label`.

    Returns: A uint8 image `[height, width, 3]`, with the time t above each column.

    Example: `emerging(DDPM.for_images((28, 28, 1)), moments=5)`.
    """
    images, times = on_the_way(model, n, moments, steps, seed, **given)
    return captioned(images, column_names=[f"t = {t:.2f}" for t in times])


def on_the_way(
    model, n: int = 6, moments: int = 9, steps: int = 48, seed: int = 0, **given
) -> tuple[np.ndarray, list[float]]:
    """Returns the images that `emerging` shows, uint8 `[n, moments, ...]`, and their times.

    Example: `write_animation("a.gif", video_grid(on_the_way(model, n=24)[0]))`.
    """
    path = model.probability_path
    columns = []
    times = []
    for t, points in _moments(model, n, moments, steps, seed, **given):
        columns.append(as_uint8(model, points / (path.alpha(t) + path.sigma(t))))
        times.append(float(t))
    return np.stack(columns, axis=1), times


def flowing(
    models: Mapping[str, Any],
    n: int = 2000,
    moments: int = 25,
    steps: int = 48,
    seed: int = 0,
    span: float = 4.0,
) -> np.ndarray:
    """Animates, for each model, the DDIM paths of points in the plane from noise to data.

    Args:
        models: Dict from titles to models of 2-D points from `keras_gen.diffusion`.
        n: Number of points.
        moments: Number of frames from noise to the samples, at evenly spaced steps.
        steps: Number of sampling steps.
        seed: Seed for the noise, which all models share.
        span: Limit of both axes; each axis ranges from `-span` to `span`.

    Returns: the frames of an animation, uint8 `[moments, height, width, 3]`.

    Example: `flowing({"straight": FlowMatching.for_vectors(2)}, moments=5)`.
    """
    frames = []
    of_each = [_moments(model, n, moments, steps, seed) for model in models.values()]
    for at_once in zip(*of_each, strict=True):
        figure = new_figure(3.2 * len(models), 3.2)
        panels = figure.subplots(1, len(models), squeeze=False)[0]
        for axes, title, (t, points) in zip(panels, models, at_once, strict=True):
            axes.set(
                xlim=(-span, span), ylim=(-span, span), aspect="equal", xticks=[], yticks=[]
            )
            axes.scatter(*points.numpy().T, s=1, linewidths=0, color="black")
            axes.set_title(f"{title}, t = {float(t):.2f}")
        frames.append(pixels(figure))
    return np.stack(frames)


def _moments(model, n, moments, steps, seed, **given) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    """Yields times from noise to data, each with n points at this time."""
    path = model.probability_path
    times = path.times(steps)
    latents = tf.random.stateless_normal(
        [n, *model.edges["latents"].shape], [checked_seed(seed), 0]
    )
    points = path.sigma(times[0]) * latents
    follow = tf.function(  # traced only once, for all times
        functools.partial(model.followed, step=DDIM().step, **given),
        input_signature=[tf.TensorSpec(latents.shape), tf.TensorSpec([None])],
        autograph=False,
    )
    last = 0
    for stop in np.linspace(0, steps, moments).round().astype(int):
        # Sampling continues from the previous time. `followed` begins with a multiple of its
        # input.
        start = points / path.sigma(times[last])
        points = follow(start, times[last : stop + 1])
        last = stop
        yield times[stop], points
