"""The way of samples from noise to data, of diffusion models and flow matching."""

import numpy as np
import tensorflow as tf

from keras_gen.diffusion.solvers import DDIM
from keras_gen.workshop.visualize.captions import captioned
from keras_gen.workshop.visualize.rows_of_images import as_uint8


def emerging(
    model, n: int = 6, moments: int = 9, steps: int = 48, seed: int = 0, **given
) -> np.ndarray:
    """Samples on their way from noise, a row for each, by DDIM.

    A point of the path is drawn as x_t / (alpha + sigma), which has the range of images.

    Args:
        model: Model of images of `keras_gen.diffusion`, other than `LatentDiffusion`, whose points
            are no images.
        n: Number of samples.
        moments: Columns, from noise to the sample, at equal numbers of steps.
        steps: Steps of each sample.
        seed: Seed of the noise.
        **given: Conditions of the model, as its networks take them, such as `label`.

    Returns: a uint8 image `[height, width, 3]`, with the time t above each column.

    Example: `emerging(DDPM.for_images((28, 28, 1)), moments=5)`.
    """
    path = model.probability_path
    times = path.times(steps)
    latents = tf.random.stateless_normal([n, *model.edges["latents"].shape], [seed, 0])
    points = path.sigma(times[0]) * latents
    columns = []
    names = []
    last = 0
    for stop in np.linspace(0, steps, moments).round().astype(int):
        # On from the last column: `led` begins with a multiple of what it is given.
        start = points / path.sigma(times[last])
        points = model.led(start, times[last : stop + 1], DDIM().step, **given)
        last = stop
        t = times[stop]
        columns.append(as_uint8(model, points / (path.alpha(t) + path.sigma(t))))
        names.append(f"t = {float(t):.2f}")
    return captioned(np.stack(columns, axis=1), column_names=names)
