"""Rows of images that carry their names, as one uint8 image."""

from collections.abc import Mapping

import numpy as np

from keras_gen.media.images import grid
from keras_gen.visualize.models import figure
from keras_gen.visualize.plots import _pixels


def strips(rows: Mapping[str, np.ndarray]) -> np.ndarray:
    """One row of images for each name, which stands to its left.

    Args:
        rows: Name -> uint8 images `[n, height, width, 1 or 3]`, the same number in each row.

    Returns:
        uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If there is no row, or rows differ in number or shape.

    Example:
    ```python
    models = {"GAN": gan, "WGAN-GP": wgan_gp}
    write_png("samples.png", strips({name: model.sample(10) for name, model in models.items()}))
    ```
    """
    shapes = {np.shape(images) for images in rows.values()}
    if len(shapes) != 1:
        found = ", ".join(sorted(map(str, shapes))) or "none"
        raise ValueError(f"strips found rows of the shapes {found}: pass rows of one shape.")
    columns = shapes.pop()[0]
    image = grid(np.concatenate([np.asarray(images) for images in rows.values()]), columns)
    return _pixels(figure(image, row_labels=list(rows)))
