"""What TensorBoard shows of generative training beside its losses."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_gen.callbacks.sample_grid import grid_path
from keras_gen.media.images import read_image
from keras_gen.training import is_chief


class Board(keras.callbacks.Callback):
    """Adds to TensorBoard learning rates, steps a second, sample grids, settings and long epochs.

    `keras.callbacks.TensorBoard` writes losses and metrics, and knows the rate of one optimizer
    only. Given the same folder, this one writes beside it what the models of this library have
    more of. The first epoch has no steps a second, because it holds the tracing of the step. Within
    long epochs, what the progress bar shows is written as `running_` and its name, by steps.

    Args:
        directory: Folder of TensorBoard's files.
        settings: Settings of the training, shown as text.
        images: Folder of a `SampleGrid` before this callback, whose images are shown too.
        every_seconds: Time between the points within an epoch.

    Example:
    ```python
    tensorboard = keras.callbacks.TensorBoard("runs/a/tensorboard")
    grids = SampleGrid(samples, "runs/a/samples")
    board = Board("runs/a/tensorboard", images="runs/a/samples")
    model.fit(data, callbacks=[tensorboard, grids, board])
    ```
    """

    def __init__(
        self,
        directory: str | Path,
        settings: Mapping[str, Any] | None = None,
        images: str | Path | None = None,
        every_seconds: float = 10.0,
    ):
        super().__init__()
        self.directory, self.settings = Path(directory), settings
        self.every_seconds = every_seconds
        self.images = Path(images) if images else None
        self.writer: Any = None

    def on_train_begin(self, logs=None):
        """Writes the settings."""
        if not is_chief():
            return
        self.before, self.shown = None, time.monotonic()
        self.writer = tf.summary.create_file_writer(str(self.directory / "train"))
        if self.settings:
            text = json.dumps(dict(self.settings), indent=4, default=str)
            with self.writer.as_default():
                # Four spaces make a code block.
                tf.summary.text("settings", f"    {text}".replace("\n", "\n    "), step=0)

    def on_train_batch_end(self, batch, logs=None):
        """Writes what the epoch has brought so far, if the last such point is some time ago."""
        if not is_chief() or time.monotonic() - self.shown < self.every_seconds:
            return
        self.shown, step = time.monotonic(), int(self.model.step.numpy())
        with self.writer.as_default():
            for name, value in (logs or {}).items():
                tf.summary.scalar(f"running_{name}", value, step=step)

    def on_epoch_end(self, epoch, logs=None):
        """Writes what the epoch brought."""
        if not is_chief():
            return
        rates = {
            name.replace("optimizer", "learning_rate"): getattr(self.model, name).learning_rate
            for name in self.model.players()
        }
        step, now = int(self.model.step.numpy()), time.monotonic()
        if self.before:
            rates["steps_per_second"] = (step - self.before[0]) / (now - self.before[1])
        self.before = step, now
        drawn = grid_path(self.images, epoch) if self.images else None
        with self.writer.as_default():
            for name, value in rates.items():
                tf.summary.scalar(name, keras.ops.convert_to_numpy(value), step=epoch)
            if drawn and drawn.exists():
                tf.summary.image("samples", read_image(drawn)[None], step=epoch)

    def on_train_end(self, logs=None):
        """Closes the file."""
        if self.writer:
            self.writer.close()
