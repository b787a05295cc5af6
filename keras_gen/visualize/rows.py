"""Images above what a model makes of them, as uint8 arrays."""

import numpy as np

from keras_gen.images import grid


def reconstructions(model, images) -> np.ndarray:
    """A row of images, and their reconstructions below.

    Args:
        model: Any model with `reconstruct(images)`.
        images: uint8, or float as the model takes them.

    Returns:
        uint8 image `[height, width, 3]`.

    Example:
    ```python
    write_png("reconstructions.png", reconstructions(model, digits[:8]))
    ```
    """
    rows = [as_uint8(model, images), as_uint8(model, model.reconstruct(images))]
    return grid(np.concatenate(rows), len(images))


def denoised(model, images) -> np.ndarray:
    """A row of images, and below them the corrupted ones and the denoised ones.

    The corruption is the model's own, the same each time.

    Args:
        model: A `DenoisingAutoencoder`.
        images: uint8, or float as the model takes them.

    Returns:
        uint8 image `[height, width, 3]` of three rows.

    Example:
    ```python
    sample_grid = SampleGrid(lambda model: denoised(model, test_images[:16]), "runs/a/denoised")
    ```
    """
    corrupted = model.corrupt(model.prepare(images))
    rows = [as_uint8(model, images), model.restore(corrupted), model.restore(model(corrupted))]
    return grid(np.concatenate(rows), len(images))


def translation_grid(model, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Rows x, x to y, and back; then y, y to x, and back: one column per image.

    Args:
        model: A `Translator` with two directions, first x to y.
        x: uint8 `[n, height, width, 3]`.
        y: Images of the other domain, of the same size; of the larger set the rest is left out.

    Returns:
        uint8 image `[height, width, 3]`.

    Example:
    ```python
    write_png("sample_grid.png", translation_grid(model, photos[:8], paintings[:8]))
    ```
    """
    forth, back = model.directions()
    columns = min(len(x), len(y))
    x, y = x[:columns], y[:columns]
    rows = []
    for images, there, home in ((x, forth, back), (y, back, forth)):
        translated = model.translate(images, there)
        rows += [images, translated, model.translate(translated, home)]
    return grid(np.concatenate(rows), columns=columns)


def inpaintings(images: np.ndarray, masks: np.ndarray, *models) -> np.ndarray:
    """Rows of images, of what is given of them, and of how each model fills them.

    Args:
        images: uint8 `[n, height, width, channels]`.
        masks: `[n, height, width, 1]`, not 0 where a pixel is missing; shown in gray.
        *models: Any models with `inpaint(images, masks)`.

    Returns:
        uint8 image `[height, width, 3]`.

    Example:
    ```python
    write_png("inpainted.png", inpaintings(images[:8], model.masks(8, seed=0), model))
    ```
    """
    filled = [model.inpaint(images, masks) for model in models]
    given = np.where(masks > 0, np.uint8(128), images)
    return grid(np.concatenate([images, given, *filled]), len(images))


def anomalies(model, *sets: np.ndarray, n: int = 12) -> np.ndarray:
    """The least and the most anomalous images of each set, above their reconstructions.

    Args:
        model: Any model with `score` and `reconstruct`.
        *sets: uint8 `[images, height, width, channels]`.
        n: Images in a row.

    Returns:
        uint8 image `[height, width, 3]`, of four rows per set.

    Example:
    ```python
    write_png("anomalies.png", anomalies(model, test_clothes, test_digits))
    ```
    """
    rows = []
    for images in sets:
        order = np.argsort(model.score(images))
        for part in (order[:n], order[-n:]):
            rows += [images[part], model.reconstruct(images[part])]
    return grid(np.concatenate(rows), n)


def as_uint8(model, images) -> np.ndarray:
    """Images as they are shown: uint8 as they are, others restored from the model's range."""
    images = np.asarray(images)
    return images if images.dtype == np.uint8 else model.restore(images).numpy()
