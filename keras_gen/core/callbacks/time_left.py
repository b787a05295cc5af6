"""How far a training is, and how long it will take."""

import math
import time

import keras
from tqdm import tqdm
from typing_extensions import override

from keras_gen.core import is_chief


class TimeLeft(keras.callbacks.Callback):
    """Prints losses and how much time the rest of the training will take.

    The first call of the step, which traces it, is left out of the rate, and the first epoch later.
    A terminal shows a bar of all steps besides.

    Args:
        lines: How many lines a training has at most; None for one after every epoch.

    Raises:
        ValueError: If `lines` is below 1.

    Example:
    ```python
    model.fit(data, epochs=10, verbose=0, callbacks=[TimeLeft()])
    ```
    """

    def __init__(self, lines: int | None = None):
        super().__init__()
        if lines is not None and lines < 1:
            raise ValueError(f"lines is {lines}: expected at least 1, or None for all epochs.")
        self.lines = lines
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
        # Several steps, if they are in one call of TensorFlow.
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
            # Whole losses have shorter names than their terms.
            losses = sorted((name for name in logs if name.endswith("loss")), key=len)[:2]
            held_out = [name for name in logs if name.startswith("val_")][:1]
            told = "".join(f", {name} {logs[name]:.4g}" for name in [*losses, *held_out])
            gone = _minutes(now - self.begin)
            tqdm.write(
                f"  epoch {epoch + 1} of {epochs}{told}, {gone} gone, "
                f"about {_minutes(left * rate)} left"
            )

    def _first_rate(self, now):
        """Seconds of an epoch, by the steps of the first that came after the tracing."""
        if self.traced is None:
            return now - self.begin
        began, steps = self.traced
        more = self.done - steps
        return (now - began) / more * self.done if more else now - self.begin


def _minutes(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}" if hours else f"{minutes}:{seconds:02d} min"
