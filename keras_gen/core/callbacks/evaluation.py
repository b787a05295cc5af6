"""Evaluates metrics during training, and saves the model with the best value of a metric."""

import json
import math
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import keras
from typing_extensions import override

from keras_gen.arguments import checked_choice, checked_integer, checked_path, shown
from keras_gen.checked_arguments import checked_types
from keras_gen.core import averaged_weights, is_chief
from keras_gen.files.reading import open_regular, refuse_bomb
from keras_gen.files.writing import replacing

_RECORD = "evaluation.json"


class Evaluation(keras.callbacks.Callback):
    """Evaluates a model with averaged weights every few epochs, and saves the best model.

    Evaluation takes place after the first epoch, every `every` epochs, and after the last epoch.
    The evaluation after the first epoch reveals mistakes early, and is necessary because
    `keras.callbacks.CSVLogger` fixes its columns in that epoch. The metrics are added to the
    epoch's logs with the prefix `val_`, where the history, `TrainingState`, and all callbacks
    *after* this one find the metrics. `EarlyStopping(monitor="val_nll", mode="min")` then counts
    its patience in evaluations. If a run resumes in an epoch without evaluation, a
    `CSVLogger(append=True)` uses different columns. In that case, use a new file, or evaluate every
    epoch.

    The best model is saved as one `.keras` file with the averaged weights. The metric's name, its
    value, and the epoch (counted from 1) are stored in the member `evaluation.json` of the same
    file, so weights and value are always replaced together. A resumed run reads the best value from
    that file, so the value is correct no matter when the process was killed. A run that starts from
    its first epoch ignores the file.

    All workers evaluate, but only the first worker writes.

    Args:
        evaluate: Function that maps the model to a dict from names to metrics. The function must
            not change the model.
        every: Number of epochs between evaluations.
        best: Name of the metric that selects the best model, a key in the dict that `evaluate`
            returns.
        mode: Whether the best value is the minimum (`"min"`) or the maximum (`"max"`). NaN is never
            the best value.
        path: Path of the best model's `.keras` file.

    Attributes:
        best_value: Best value so far, or None.
        best_epoch: Epoch of the best value, counted from 1, or None.

    Raises:
        TypeError: If `evaluate` does not return a dict of numbers.
        ValueError: If an argument is out of range, if only one of `best` and `path` is given, if
            `path` does not end in .keras, if `evaluate` does not return `best`, or if the logs
            already contain a metric with that name.

    Example:
    ```python
    def evaluate(model):
        return model.evaluate(held_out, return_dict=True, verbose=0)

    evaluation = Evaluation(evaluate, every=5, best="loss", path="runs/a/best.keras")
    model.fit(data, epochs=20, callbacks=[evaluation])
    best = keras.saving.load_model("runs/a/best.keras")
    ```
    """

    @checked_types
    def __init__(
        self,
        evaluate: Callable[[keras.Model], Mapping[str, float]],
        every: int = 1,
        best: str | None = None,
        mode: str = "min",
        path: str | Path | None = None,
    ):
        super().__init__()
        if (best is None) != (path is None):
            raise ValueError(f"best is {best!r} and path is {path}: expected both or neither.")
        self.evaluate = evaluate
        self.every = checked_integer("every", every, minimum=1)
        self.best = best
        self.mode = checked_choice("mode", mode, ("min", "max"))
        self.path = None if path is None else checked_path("path", path)
        if self.path and self.path.suffix != ".keras":
            raise ValueError(f"path is {self.path}: expected a name that ends in .keras.")
        self.best_value: float | None = None
        self.best_epoch: int | None = None
        self._begun = False

    @override
    def on_train_begin(self, logs=None):
        self._begun = False

    @override
    def on_epoch_begin(self, epoch, logs=None):
        if self._begun:
            return
        self._begun = True
        # A best value restored from a checkpoint is also discarded: without the file, no model with
        # this value exists.
        self.best_value = None
        self.best_epoch = None
        record = _read(self.path) if epoch and self.path else {}
        if (record.get("metric"), record.get("mode")) == (self.best, self.mode):
            self.best_value = record.get("value")
            self.best_epoch = record.get("epoch")

    @override
    def on_epoch_end(self, epoch, logs=None):
        last = epoch + 1 == self.params["epochs"]
        if epoch and (epoch + 1) % self.every and not last:
            return
        logs = {} if logs is None else logs
        with averaged_weights(self.model):
            metrics = _as_metrics(self.evaluate(self.model))
            named = {f"val_{name}": value for name, value in metrics.items()}
            if twice := sorted(named.keys() & logs.keys()):
                raise ValueError(
                    f"The logs already contain {', '.join(twice)}, from validation_data or "
                    "another callback: rename these metrics in evaluate."
                )
            logs.update(named)
            if self.best is not None:
                self._keep(epoch + 1, metrics)

    def _keep(self, epoch, metrics):
        if self.best not in metrics:
            raise ValueError(
                f"best is {self.best!r}, which evaluate does not return: expected one of "
                f"{list(metrics)}."
            )
        value = metrics[self.best]
        if math.isnan(value) or (self.best_value is not None and not self._better(value)):
            return
        self.best_value = value
        self.best_epoch = epoch
        if is_chief():
            self._write()

    def _better(self, value):
        return value < self.best_value if self.mode == "min" else value > self.best_value

    def _write(self):
        record = dict(
            metric=self.best, mode=self.mode, epoch=self.best_epoch, value=self.best_value
        )
        with tempfile.TemporaryDirectory() as folder:
            whole = Path(folder) / self.path.name
            self.model.save(whole)
            with zipfile.ZipFile(whole, "a") as members:
                members.writestr(_RECORD, json.dumps(record))
            with replacing(self.path) as file, open(whole, "rb") as source:
                shutil.copyfileobj(source, file)


def _as_metrics(found) -> dict[str, float]:
    """Returns the result of `evaluate` as floats by name."""
    try:
        return {name: float(value) for name, value in found.items()}
    except (AttributeError, TypeError, ValueError):
        raise TypeError(
            f"evaluate returned {shown(found)}: expected a dict of numbers."
        ) from None


def _read(path: Path) -> dict:
    """Returns the record in a best model's file; empty if there is no such file."""
    try:
        with open_regular(path) as file:
            refuse_bomb(path, file)
            with zipfile.ZipFile(file) as members:
                record = json.loads(members.read(_RECORD))
        # The record is checked, because another program may have written the file.
        is_ours = isinstance(record, dict) and isinstance(record.get("value"), float)
        return record if is_ours and math.isfinite(record["value"]) else {}
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile):
        return {}
