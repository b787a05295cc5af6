"""Pictures during training."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from keras_gen.images import grid, write_png
from keras_gen.training import averaged_weights, is_chief


class SampleSheet(keras.callbacks.Callback):
    """Draws a picture with the averaged weights every few epochs and prints its path.

    Args:
        draw: Function of the model that returns a uint8 image `[height, width, 3]`.
        directory: Folder of the pictures, named by epoch.
        every: Epochs between pictures.

    Raises:
        ValueError: If `every` is below 1.

    Example:
    ```python
    sheet = SampleSheet(lambda model: grid(model.sample(16)), "runs/a/samples")
    model.fit(data, callbacks=[sheet])
    ```
    """

    def __init__(self, draw: Callable[[keras.Model], np.ndarray], directory, every: int = 1):
        super().__init__()
        if every < 1:
            raise ValueError(f"every is {every}: pictures come every 1 epoch or more.")
        self.draw, self.directory, self.every = draw, Path(directory), every

    def on_epoch_end(self, epoch, logs=None):
        """Draws, if it is time."""
        if (epoch + 1) % self.every or not is_chief():
            return
        with averaged_weights(self.model):
            path = self.directory / f"epoch-{epoch + 1:04d}.png"
            write_png(path, self.draw(self.model))
        print(f"  picture: {path}")


def translation_sheet(model, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Rows x, x to y, and back; then y, y to x, and back: one column an image.

    Args:
        model: A `Translator` with two directions, first x to y.
        x: uint8 `[n, height, width, 3]`.
        y: Images of the other domain, of the same size; of the larger set the rest is left out.

    Returns:
        uint8 image `[height, width, 3]`.

    Example:
    ```python
    write_png("sheet.png", translation_sheet(model, photos[:8], paintings[:8]))
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
