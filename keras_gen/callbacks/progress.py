"""What Keras' progress bar does not say."""

import time

import keras
from typing_extensions import override

from keras_gen.training import is_chief


class TimeLeft(keras.callbacks.Callback):
    """Prints after every epoch how much time the rest of the training will take.

    The first epoch is left out of the rate, because it holds the tracing of the step.

    Example:
    ```python
    model.fit(data, epochs=10, callbacks=[TimeLeft()])
    ```
    """

    @override
    def on_train_begin(self, logs=None):
        self.begin = time.monotonic()
        self.first = None

    @override
    def on_epoch_end(self, epoch, logs=None):
        now = time.monotonic()
        left = self.params["epochs"] - epoch - 1
        if self.first is None:
            self.first = now, epoch
            rate = now - self.begin
        else:
            rate = (now - self.first[0]) / (epoch - self.first[1])
        if left > 0 and is_chief():
            gone = _minutes(now - self.begin)
            print(f"  {gone} gone, about {_minutes(left * rate)} left", flush=True)


def _minutes(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}" if hours else f"{minutes}:{seconds:02d} min"
