"""Images of what a generator makes of latents, as uint8 arrays."""

import numpy as np

from keras_gen.media.images import grid


def sample_neighbors(
    model, training: np.ndarray, n: int = 8, k: int = 3, seed: int = 0, **conditions
) -> np.ndarray:
    """A row for each sample: the sample, and the training images that are nearest to it.

    Copies of training images are found by it: a sample that looks like its neighbors more than they
    look like each other.

    Args:
        model: Any model with `nearest_neighbors`, such as `GAN`.
        training: uint8 images of the samples' shape.
        n: How many samples.
        k: How many neighbors of each.
        seed: Of the samples.
        **conditions: Of `model.sample`, such as `label`.

    Returns:
        uint8 image `[height, width, 3]`.

    Example:
    ```python
    write_png("neighbors.png", sample_neighbors(model, train_images))
    ```
    """
    made = model.sample(n, seed=seed, **conditions)
    found, _ = model.nearest_neighbors(made, training, k)
    return grid(np.concatenate([made[:, None], found], axis=1).reshape(-1, *made.shape[1:]), k + 1)


def arithmetic(model, a, b, c, seed: int = 0, **given) -> np.ndarray:
    """Three rows of latents and of their means, and a row of what `a - b + c` gives.

    Radford, Metz, Chintala (2016), fig. 7.

    Args:
        model: Any model with `generate` and `latent_arithmetic`, such as `GAN`.
        a: Latents `[m, latents]`, three of each in the paper.
        b: The same number.
        c: The same number.
        seed: Of the noise on the last row after its first image.
        **given: What `generate` takes besides, such as `labels`: one for all.

    Returns:
        uint8 image `[height, width, 3]` of m + 1 columns, of which the last shows the means.

    Raises:
        ValueError: As `model.latent_arithmetic`.

    Example:
    ```python
    smiling, women, men = np.split(latents, 3)
    write_png("arithmetic.png", arithmetic(model, smiling, women, men))
    ```
    """
    rows = [np.concatenate([z, np.mean(z, axis=0, keepdims=True)]) for z in (a, b, c)]
    shown = [model.generate(row.astype("float32"), **given) for row in rows]
    shown.append(model.latent_arithmetic(a, b, c, n=len(rows[0]), seed=seed, **given))
    return grid(np.concatenate(shown), len(rows[0]))
