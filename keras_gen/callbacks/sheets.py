"""Pictures during training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from keras_gen.files import replacing
from keras_gen.images import write_png
from keras_gen.training import averaged_weights, is_chief


class SampleSheet(keras.callbacks.Callback):
    """Draws a picture with the averaged weights every few epochs and prints its path.

    Args:
        draw: Function of the model that returns a uint8 image `[height, width, 3]`, as those of
            `keras_gen.visualize` do, or a matplotlib figure.
        directory: Folder of the pictures, named by epoch.
        every: Epochs between pictures.

    Raises:
        ValueError: If `every` is below 1.

    Example:
    ```python
    from keras_gen.visualize import reconstructions, samples

    sheet = SampleSheet(samples, "runs/a/samples")
    pairs = SampleSheet(lambda model: reconstructions(model, images[:8]), "runs/a/pairs", every=5)
    model.fit(data, callbacks=[sheet, pairs])
    ```
    """

    def __init__(self, draw: Callable[[keras.Model], Any], directory, every: int = 1):
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
            picture = self.draw(self.model)
            if hasattr(picture, "savefig"):
                with replacing(path) as file:
                    picture.savefig(file, format="png")
            else:
                write_png(path, picture)
        print(f"  picture: {path}")
