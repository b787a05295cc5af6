"""A callback that creates images during training."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tqdm import tqdm
from typing_extensions import override

from keras_gen.arguments import checked_integer, checked_path
from keras_gen.core import averaged_weights, is_chief
from keras_gen.files.images import as_shown, write_png
from keras_gen.files.writing import replacing


def grid_path(directory: Path, epoch: int) -> Path:
    """Returns the path of the sample grid for an epoch, counted from 0."""
    return directory / f"epoch-{epoch + 1:04d}.png"


class SampleGrid(keras.callbacks.Callback):
    """Creates an image with the averaged weights every few epochs, and prints its path.

    An image is also created after the first epoch, as an early result.

    Args:
        draw: Function that maps the model to a uint8 image `[height, width, 3]`, as the functions
            in `keras_gen.workshop.visualize` do, or to a matplotlib figure. Images with other
            numbers of channels are converted by `keras_gen.files.images.as_shown`.
        directory: Folder for the images, which are named by epoch.
        every: Number of epochs between images.
        lines: Maximum number of image paths printed per run; None for no limit.

    Raises:
        ValueError: If `every` or `lines` is below 1.

    Example:
    ```python
    from keras_gen.workshop.visualize import reconstructions, samples

    sample_grid = SampleGrid(samples, "runs/a/samples")
    pairs = SampleGrid(lambda model: reconstructions(model, images[:8]), "runs/a/pairs", every=5)
    model.fit(data, callbacks=[sample_grid, pairs])
    ```
    """

    def __init__(
        self,
        draw: Callable[[keras.Model], Any],
        directory: str | os.PathLike,
        every: int = 1,
        lines: int | None = None,
    ):
        super().__init__()
        self.lines = None if lines is None else checked_integer("lines", lines, minimum=1)
        self.draw = draw
        self.directory = checked_path("directory", directory)
        self.every = checked_integer("every", every, minimum=1)

    @override
    def on_epoch_end(self, epoch, logs=None):
        if (epoch and (epoch + 1) % self.every) or not is_chief():
            return
        with averaged_weights(self.model):
            path = grid_path(self.directory, epoch)
            image = self.draw(self.model)
            if hasattr(image, "savefig"):
                with replacing(path) as file:
                    image.savefig(file, format="png")
            else:
                write_png(path, as_shown(image) if np.ndim(image) == 3 else image)
        if self._is_told(epoch):
            tqdm.write(f"  image: {path}")

    def _is_told(self, epoch: int) -> bool:
        """Returns whether an epoch's image path is printed; the first epoch's path always is."""
        images = max(1, self.params["epochs"] // self.every)
        between = self.every * math.ceil(images / (self.lines or images))
        return not epoch or not (epoch + 1) % between
