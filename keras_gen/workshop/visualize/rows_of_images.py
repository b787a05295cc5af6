"""Rows of images and a model's results for these images."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from keras_gen.messages import in_words
from keras_gen.workshop.visualize.captions import captioned

_MOST = 12  # maximum number of images in a row; more images would be too small


def reconstructions(model, images) -> np.ndarray:
    """Shows a row of images, and a row of their reconstructions below.

    Args:
        model: Any model with `reconstruct(images)`.
        images: Images in the model's input format.

    Returns: A uint8 image `[height, width, 3]`.

    Example: `write_image("reconstructions.png", reconstructions(model, digits[:8]))`.
    """
    reconstructed = as_uint8(model, model.reconstruct(images))
    return image_rows({"image": as_uint8(model, images), "reconstruction": reconstructed})


def image_rows(rows: Mapping[str, np.ndarray], columns: int | None = None) -> np.ndarray:
    """Shows the first images of each set in a named row.

    If a set has more than 12 images, all rows continue below.

    Args:
        rows: Dict from the name of each set to uint8 images `[n, height, width, channels]`. Names
            are shown as converted by `keras_gen.messages.in_words`.
        columns: Number of images to show from each set. If None, all images are shown.

    Returns:
        uint8 image `[height, width, 3]`.

    Raises:
        ValueError: See `captioned`.

    Example:
    ```python
    rows = {"image": test, "VQ-VAE": model.reconstruct(test), "JPEG": from_jpeg}
    write_image("codes.png", image_rows(rows, columns=16))
    ```
    """
    return _named_rows(list(map(in_words, rows)), [images[:columns] for images in rows.values()])


def translations_below(
    images, translated, columns: int, names: tuple[str, str] = ("image", "translation")
) -> np.ndarray:
    """Shows rows of images, each followed by a row with their translations.

    Args:
        images: Images, uint8 `[n, height, width, 1 or 3]`.
        translated: Translations, uint8 `[n, height, width, 1 or 3]`.
        columns: Number of images per row.
        names: Names of the rows of images and of translations.

    Returns: A uint8 image `[height, width, 3]`.

    Example: `translations_below(photos, model.translate(photos), columns=4)`.
    """
    rows = []
    for start in range(0, len(images), columns):
        shown = slice(start, start + columns)
        rows += [images[shown], translated[shown]]
    return captioned(rows, list(names) * (len(rows) // 2))


def denoised(model, images) -> np.ndarray:
    """Shows a row of images, and rows of their corrupted and denoised versions below.

    The model corrupts the images; every call applies the same corruption.

    Args:
        model: A `DenoisingAutoencoder`.
        images: Images in the model's input format.

    Returns: A uint8 image `[height, width, 3]`.

    Example: `write_image("denoised.png", denoised(model, test_images[:16]))`.
    """
    corrupted = model.corrupt(model.prepare(images))
    rows = {
        "image": as_uint8(model, images),
        "corrupted": model.restore(corrupted).numpy(),
        "denoised": model.restore(model(corrupted)).numpy(),
    }
    return image_rows(rows)


def inpaintings(images: np.ndarray, masks: np.ndarray, model, **others) -> np.ndarray:
    """Shows a row of images, and below it, their known pixels and each model's completions.

    Args:
        images: Images, uint8 `[n, height, width, channels]`.
        masks: Masks `[n, height, width, 1]`, nonzero where a pixel is missing; missing pixels are
            gray.
        model: Any model with `inpaint(images, masks)`.
        **others: Additional models; the names of these arguments are the names of the models' rows.

    Returns: A uint8 image `[height, width, 3]`.

    Example: `inpaintings(images[:8], model.masks(8, seed=0), model)`.
    """
    given = np.where(masks > 0, np.uint8(128), images)
    filled = {
        name: each.inpaint(images, masks) for name, each in {"filled": model, **others}.items()
    }
    return image_rows({"image": images, "given": given, **filled})


def translation_grid(model, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Shows rows for x, its translations, and their back-translations; three rows for y follow.

    Args:
        model: A `CycleGAN`, or any model with two directions. The first direction is from x to y.
        x: Images from the first domain, uint8 `[n, height, width, 3]`.
        y: Images from the other domain, with the same size as the images in `x`. The set with more
            images is truncated.

    Returns: A uint8 image `[height, width, 3]`.

    Example: `translation_grid(model, photos[:8], paintings[:8])`.
    """
    forth, back = model.directions()
    columns = min(len(x), len(y))
    rows = []
    names = []
    for images, there, home in ((x[:columns], forth, back), (y[:columns], back, forth)):
        translated = model.translate(images, there)
        rows += [images, translated, model.translate(translated, home)]
        names += ["image", there.replace("_", " "), "and back"]
    return _named_rows(names, rows)


def anomalies(model, sets: Mapping[str, np.ndarray], n: int = 12) -> np.ndarray:
    """Shows each set's least and most anomalous images above their reconstructions.

    Args:
        model: Any model with `score` and `reconstruct`.
        sets: Dict from the name of each set to uint8 images `[images, height, width, channels]`.
        n: Number of images per row.

    Returns: A uint8 image `[height, width, 3]`, with four rows per set.

    Example: `anomalies(model, {"clothes": test_clothes, "digits": test_digits})`.
    """
    rows = []
    names = []
    for name, images in sets.items():
        order = np.argsort(model.score(images))
        for kind, part in (("least", order[:n]), ("most", order[-n:])):
            rows += [images[part], model.reconstruct(images[part])]
            names += [f"{name}, {kind} anomalous", "reconstruction"]
    return captioned(rows, names)


def sample_neighbors(
    model, training: np.ndarray, n: int = 8, k: int = 3, seed: int = 0, **conditions
) -> np.ndarray:
    """Shows each sample next to its nearest training images, with one row per sample.

    These rows reveal copies of training images. A copy is much nearer to its nearest neighbor than
    the neighbors are to each other.

    Args:
        model: Any model with `nearest_neighbors`, such as `GAN`.
        training: Training images, uint8, with the same shape as the samples.
        n: Number of samples.
        k: Number of nearest neighbors per sample.
        seed: Seed for the samples.
        **conditions: Conditions for `model.sample`, such as `label`.

    Returns: A uint8 image `[height, width, 3]`.

    Example: `write_image("neighbors.png", sample_neighbors(model, train_images))`.
    """
    made = model.sample(n, seed=seed, **conditions)
    neighbors, _ = model.nearest_neighbors(made, training, k)
    rows = np.concatenate([made[:, None], neighbors], axis=1)
    return captioned(rows, column_names=["sample", "nearest in training", *[""] * (k - 1)])


def analogies(model, images, through=None) -> np.ndarray:
    """Shows each image, followed by its latents decoded with each class, one row per image.

    See Kingma, Mohamed, Rezende, Welling (2014), fig. 1. The images in a row share their style.

    Args:
        model: Any model with `analogies`, such as `M2`.
        images: Images in the model's input format.
        through: Model M1 of M1+M2, which encodes the images for `model`. M1 is a VAE, or any model
            with `encode` and `decode`. If None, `model` accepts the images directly.

    Returns: A uint8 image `[height, width, 3]`.

    Example: `write_image("analogies.png", analogies(model, digits[:10]))`.
    """
    images = as_uint8(through or model, images)
    if through is None:
        made = model.analogies(images)
    else:
        latents = model.analogies(through.encode(images)[0])
        made = through.decode(latents.reshape(-1, latents.shape[-1]))
        made = made.reshape(*latents.shape[:2], *images.shape[1:])
    rows = np.concatenate([images[:, None], made], axis=1)
    classes = [f"as class {number}" for number in range(made.shape[1])]
    return captioned(rows, column_names=["image", *classes])


def swaps(model, styles, identities) -> np.ndarray:
    """Shows images with the style of the image on the left and the identity of the image above.

    Args:
        model: Any model with `swap`, such as `StyleIdentityVAE`.
        styles: Images with the styles, uint8, one per row.
        identities: Images with the identities, uint8, one per column.

    Returns: A uint8 image `[height, width, 3]`; the cell at the top left is white.

    Example: `write_image("swaps.png", swaps(model, digits[:8], digits[8:16]))`.
    """
    rows, columns = len(styles), len(identities)
    made = model.swap(np.repeat(styles, columns, axis=0), np.tile(identities, [rows, 1, 1, 1]))
    return _crossed("style", styles, "identity", identities, made)


def style_mixing(model, coarse, fine, layers: int) -> np.ndarray:
    """Shows images with the coarse styles of the left image and the fine styles of the top image.

    See Karras, Laine, Aila (2019), fig. 3.

    Args:
        model: Any model with `style`, `synthesize`, and `generate`, such as `StyleGAN`.
        coarse: Latents that determine the coarse styles, one per row.
        fine: Latents that determine the fine styles, one per column.
        layers: Number of layers with the coarse style, starting with the first layer. There are two
            layers for each image size.

    Returns: A uint8 image `[height, width, 3]`; the cell at the top left is white.

    Raises:
        ValueError: If `layers` is not between 1 and the number of layers minus 1.

    Example: `style_mixing(model, latents[:4], latents[4:], layers=4)`.
    """
    above = model.style(fine)
    left = model.style(coarse)
    if not 0 < layers < left.shape[1]:
        raise ValueError(f"layers is {layers}: expected 1 to {left.shape[1] - 1}.")
    mixed = np.tile(above, [len(left), 1, 1])
    mixed[:, :layers] = np.repeat(left, len(above), axis=0)[:, :layers]
    mixtures = model.synthesize(mixed)
    return _crossed("coarse", model.generate(coarse), "fine", model.generate(fine), mixtures)


def _crossed(left_name, left, above_name, above, made) -> np.ndarray:
    """Returns a table of images, each combined from the images on the left and above."""
    made = made.reshape(len(left), len(above), *made.shape[1:])
    corner = np.full_like(left[:1], 255)
    first = np.concatenate([corner, above])[None]
    rows = np.concatenate([first, np.concatenate([left[:, None], made], axis=1)])
    row_names = [above_name, *[""] * len(left)]
    return captioned(rows, row_names, [left_name, *[""] * len(above)])


def _named_rows(names: Sequence[str], rows: Sequence[np.ndarray]) -> np.ndarray:
    """Arranges rows with names; long rows are split into equal parts, one below the other."""
    longest = max(map(len, rows), default=0)
    size = math.ceil(longest / math.ceil(longest / _MOST)) if longest else 1
    shown = [
        (name, row[start : start + size])
        for start in range(0, longest, size)
        for name, row in zip(names, rows, strict=True)
        if len(row) > start
    ]
    return captioned([row for _, row in shown], [name for name, _ in shown])


def as_uint8(model, images) -> np.ndarray:
    """Returns uint8 images; images of other dtypes are converted by the model."""
    images = np.asarray(images)
    return images if images.dtype == np.uint8 else model.restore(images).numpy()
