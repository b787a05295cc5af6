"""Speed, sample grids, and settings for TensorBoard."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_number, checked_path, shown
from keras_gen.core import is_chief
from keras_gen.core.callbacks.sample_grid import grid_path
from keras_gen.files.images import read_image


class Board(keras.callbacks.Callback):
    """Adds steps per second, sample grids, settings, and values within long epochs to TensorBoard.

    `keras.callbacks.TensorBoard` writes losses, metrics, and learning rates. This callback adds the
    data listed above to the same folder. No speed is reported for the first epoch, because it
    includes tracing the step. Within long epochs, the values in the progress bar are written per
    step, with the prefix `running_`.

    Args:
        directory: Folder for TensorBoard's files.
        settings: Settings of the run, shown as text.
        images: Folder of a preceding `SampleGrid` callback whose images are also shown.
        every_seconds: Time in seconds between the points that are written within an epoch.

    Raises:
        TypeError: If `settings` is not a mapping.

    Example:
    ```python
    tensorboard = keras.callbacks.TensorBoard("runs/a/tensorboard")
    grids = SampleGrid(samples, "runs/a/samples")
    board = Board("runs/a/tensorboard", images="runs/a/samples")
    model.fit(data, callbacks=[tensorboard, grids, board])
    ```
    """

    accepts_several_steps = True  # per TensorFlow call

    def __init__(
        self,
        directory: str | Path,
        settings: Mapping[str, Any] | None = None,
        images: str | Path | None = None,
        every_seconds: float = 10.0,
    ):
        super().__init__()
        if not isinstance(settings, Mapping | None):
            raise TypeError(
                f"settings is {shown(settings)}: expected a dict of names and values. For "
                "images, pass the folder of a SampleGrid with images=FOLDER."
            )
        self.directory = checked_path("directory", directory)
        self.settings = settings
        self.images = checked_path("images", images) if images is not None else None
        self.every_seconds = checked_number("every_seconds", every_seconds, minimum=0)
        self.writer: Any = None

    @override
    def on_train_begin(self, logs=None):
        if not is_chief():
            return
        self.last_epoch = None
        self.last_point = time.monotonic()
        self.writer = tf.summary.create_file_writer(str(self.directory / "train"))
        if self.settings:
            text = json.dumps(dict(self.settings), indent=4, default=str)
            with self.writer.as_default():
                # In TensorBoard's Markdown, an indentation of four spaces creates a code block.
                tf.summary.text("settings", f"    {text}".replace("\n", "\n    "), step=0)

    @override
    def on_train_batch_end(self, batch, logs=None):
        now = time.monotonic()
        if not is_chief() or now - self.last_point < self.every_seconds:
            return
        self.last_point = now
        step = int(self.model.step.numpy())
        with self.writer.as_default():
            for name, value in (logs or {}).items():
                tf.summary.scalar(f"running_{name}", value, step=step)

    @override
    def on_epoch_end(self, epoch, logs=None):
        if not is_chief():
            return
        speed = {}
        step = int(self.model.step.numpy())
        now = time.monotonic()
        if self.last_epoch:
            last_step, then = self.last_epoch
            speed["steps_per_second"] = (step - last_step) / (now - then)
        self.last_epoch = step, now
        with self.writer.as_default():
            for name, value in speed.items():
                tf.summary.scalar(name, value, step=epoch)
            if self.images and (drawn := grid_path(self.images, epoch)).exists():
                tf.summary.image("samples", read_image(drawn)[None], step=epoch)

    @override
    def on_train_end(self, logs=None):
        if self.writer:
            self.writer.close()
