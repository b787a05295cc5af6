"""A callback that shows the progress of a training run and the time remaining."""

import math
import time

import keras
from tqdm import tqdm
from typing_extensions import override

from keras_gen.arguments import checked_integer
from keras_gen.core import is_chief


class TimeLeft(keras.callbacks.Callback):
    """Prints losses and the remaining training time.

    The estimate excludes the first step, in which TensorFlow traces the graph. After the first
    epoch, the estimate excludes that entire epoch. In a terminal, a progress bar over all steps is
    also shown.

    Args:
        lines: Maximum number of lines per run, or None for one line after every epoch.

    Raises:
        ValueError: If `lines` is below 1.

    Example:
    ```python
    model.fit(data, epochs=10, verbose=0, callbacks=[TimeLeft()])
    ```
    """

    accepts_several_steps = True  # per TensorFlow call

    def __init__(self, lines: int | None = None):
        super().__init__()
        self.lines = None if lines is None else checked_integer("lines", lines, minimum=1)
        self.bar: tqdm | None = None

    @override
    def on_train_begin(self, logs=None):
        self.begin = time.monotonic()
        self.traced = None
        self.first = None
        self.bar = None

    @override
    def on_epoch_begin(self, epoch, logs=None):
        self.done = 0
        if self.bar is None:
            steps = self.params["steps"]
            total = steps and steps * (self.params["epochs"] - epoch)
            self.bar = tqdm(
                total=total, unit="step", disable=None if is_chief() else True, leave=False
            )

    @override
    def on_train_batch_end(self, batch, logs=None):
        # With `steps_per_execution` above 1, each call completes several steps.
        self.bar.update(batch + 1 - self.done)
        self.done = batch + 1
        if self.traced is None:
            self.traced = time.monotonic(), self.done

    @override
    def on_train_end(self, logs=None):
        if self.bar is not None:
            self.bar.close()

    @override
    def on_epoch_end(self, epoch, logs=None):
        now = time.monotonic()
        epochs = self.params["epochs"]
        left = epochs - epoch - 1
        if self.first is None:
            self.first = now, epoch
            rate = self._first_rate(now)
            is_told = True
        else:
            rate = (now - self.first[0]) / (epoch - self.first[1])
            is_told = not (epoch + 1) % math.ceil(epochs / (self.lines or epochs))
        if left > 0 and is_told and is_chief():
            logs = logs or {}
            # The total losses have the shortest names, so the two shortest names are shown.
            losses = sorted((name for name in logs if name.endswith("loss")), key=len)[:2]
            held_out = [name for name in logs if name.startswith("val_")][:1]
            told = "".join(f", {name} {logs[name]:.4g}" for name in [*losses, *held_out])
            gone = _minutes(now - self.begin)
            tqdm.write(
                f"  epoch {epoch + 1} of {epochs}{told}, {gone} elapsed, "
                f"about {_minutes(left * rate)} left"
            )

    def _first_rate(self, now):
        """Returns the seconds per epoch, estimated from the first epoch's steps after tracing."""
        if self.traced is None:
            return now - self.begin
        began, steps = self.traced
        more = self.done - steps
        return (now - began) / more * self.done if more else now - self.begin


def _minutes(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}" if hours else f"{minutes}:{seconds:02d} min"
