"""Images above what a model makes of them, as uint8 arrays."""

import numpy as np

from keras_gen.media.images import grid


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


def image_rows(sets, columns: int) -> np.ndarray:
    """The first images of several sets, a row for each set.

    Args:
        sets: Arrays uint8 `[n, height, width, 1 or 3]`, images of one shape.
        columns: Images of a row.

    Returns:
        uint8 image `[height, width, 3]`.

    Example:
    ```python
    write_png("codes.png", image_rows([test, model.reconstruct(test), from_jpeg], columns=16))
    ```
    """
    return grid(np.concatenate([images[:columns] for images in sets]), columns)


def analogies(model, images, through=None) -> np.ndarray:
    """A row for each image: the image, and its latents decoded as each class.

    Kingma, Mohamed, Rezende, Welling (2014), fig. 1: what a row shares is the style.

    Args:
        model: Any model with `analogies`, such as `M2`.
        images: uint8, or float as the model takes them.
        through: The model whose latents `model` is of, as in M1+M2: a VAE, or any with `encode` and
            `decode`. None: of the images themselves.

    Returns:
        uint8 image `[height, width, 3]`.

    Example:
    ```python
    write_png("analogies.png", analogies(model, digits[:10]))
    ```
    """
    images = as_uint8(through or model, images)
    made = model.analogies(images if through is None else through.encode(images)[0])
    columns, shown = made.shape[1], made.reshape(-1, *made.shape[2:])
    shown = shown if through is None else through.decode(shown)
    rows = np.concatenate(
        [images[:, None], shown.reshape(len(images), columns, *images.shape[1:])], axis=1
    )
    return grid(rows.reshape(-1, *images.shape[1:]), columns + 1)


def swaps(model, styles, identities) -> np.ndarray:
    """What has the style of the image on the left, and the identity of the image above.

    Args:
        model: Any model with `swap`, such as `StyleIdentityVAE`.
        styles: uint8 images, one for each row.
        identities: uint8 images, one for each column.

    Returns:
        uint8 image `[height, width, 3]`; in the corner is a white cell.

    Example:
    ```python
    write_png("swaps.png", swaps(model, digits[:8], digits[8:16]))
    ```
    """
    rows, columns = len(styles), len(identities)
    made = model.swap(np.repeat(styles, columns, axis=0), np.tile(identities, [rows, 1, 1, 1]))
    return _crossed(styles, identities, made)


def style_mixing(model, coarse, fine, layers: int) -> np.ndarray:
    """What has the coarse styles of the image on the left, and the fine ones of the image above.

    Karras, Laine, Aila (2019), fig. 3.

    Args:
        model: Any model with `style`, `synthesize` and `generate`, such as `StyleGAN`.
        coarse: Latents, one for each row.
        fine: Latents, one for each column.
        layers: How many layers have the coarse style, from the first on; two a size.

    Returns:
        uint8 image `[height, width, 3]`; in the corner is a white cell.

    Raises:
        ValueError: If there are not as many layers and one more.

    Example:
    ```python
    rows, columns = np.split(model.draw_latents(12), [4])
    write_png("styles.png", style_mixing(model, rows, columns, layers=4))
    ```
    """
    above, left = model.style(fine), model.style(coarse)
    if not 0 < layers < left.shape[1]:
        raise ValueError(f"layers is {layers}: expected 1 to {left.shape[1] - 1}.")
    mixed = np.tile(above, [len(left), 1, 1])
    mixed[:, :layers] = np.repeat(left, len(above), axis=0)[:, :layers]
    return _crossed(model.generate(coarse), model.generate(fine), model.synthesize(mixed))


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


def _crossed(left, above, made) -> np.ndarray:
    """A table of images that are made of one on the left and one above."""
    rows, columns = len(left), len(above)
    made = made.reshape(rows, columns, *made.shape[1:])
    made = np.concatenate([left[:, None], made], axis=1).reshape(-1, *made.shape[2:])
    corner = np.full_like(left[:1], 255)
    return grid(np.concatenate([corner, above, made]), columns + 1)


def as_uint8(model, images) -> np.ndarray:
    """Images as they are shown: uint8 as they are, others restored from the model's range."""
    images = np.asarray(images)
    return images if images.dtype == np.uint8 else model.restore(images).numpy()
