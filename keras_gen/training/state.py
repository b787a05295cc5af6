"""Saving all state of a training, so that a resumed run equals the unbroken one bit for bit."""

import json
import re
import warnings
import zipfile
from pathlib import Path

import keras
import numpy as np
from typing_extensions import override

from keras_gen.files import clear_partial_files, replacing
from keras_gen.training.distribution import is_chief

_META = "meta"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used, with the reason."""


class TrainingState(keras.callbacks.Callback):
    """Saves after every epoch, and restores at the start of `fit`, all that training depends on.

    It saves every weight, counter, image pool and random state of the model, every optimizer with
    its slots, loss scale and averages, the history, and the counters of other callbacks. Data
    streams depend on their start alone (`keras_gen.data.Source.stream`) and have no state.

    `tf.train.Checkpoint` leaves out the states of Keras' random layers. Here a checkpoint is one
    file with checksums, replaced atomically; the one before it is kept too. Among several workers
    the first one writes and all read: `directory` must be shared.

    Args:
        directory: Folder of the checkpoints.
        config: JSON-able dict that must be equal when training resumes; the error names
            differences.
        callbacks: Callbacks whose counters are saved too (`EarlyStopping`, ...). Give this callback
            to `fit` after them.
        keep: Number of checkpoints to keep.

    Raises:
        CheckpointError: At the start, if no checkpoint in the folder can be read, or its
            configuration, architecture, or list of callbacks differs.
        ValueError: If `keep` is below 1.
        FloatingPointError: At the end of an epoch, if a weight is not finite.

    Example:
    ```python
    state = TrainingState("runs/a/checkpoints", config={"batch_size": 32})
    data = source.stream(32, seed=0, start=state.epoch * 100)
    model.fit(data, steps_per_epoch=100, epochs=10, initial_epoch=state.epoch, callbacks=[state])
    ```
    """

    def __init__(self, directory, config: dict | None = None, callbacks=(), keep: int = 2):
        super().__init__()
        if keep < 1:
            raise ValueError(f"keep is {keep}: at least 1 checkpoint must be kept.")
        self.directory = Path(directory)
        self.config = json.loads(json.dumps(config or {}, default=str))
        self.tracked = list(callbacks)
        self.keep = keep
        self.latest, self._meta, self._arrays = self._newest_readable()
        self._check_config()
        self._pending = self._meta is not None
        self._fresh: list[dict] = []
        self.logs = list(self._meta["logs"]) if self._meta else []
        if is_chief():
            clear_partial_files(self.directory, "state-*.npz")

    @property
    def epoch(self) -> int:
        """Number of epochs that are done."""
        return len(self.logs)

    @property
    def stopped(self) -> bool:
        """Whether a callback, such as `EarlyStopping`, had ended the training that resumes."""
        return bool(self._meta and self._meta["stopped"])

    # Reading ---------------------------------------------------------------------------------

    def _newest_readable(self):
        paths = sorted(self.directory.glob("state-*.npz"), reverse=True)
        for path in paths:
            try:
                # Opened here, because numpy leaves what it cannot read open.
                with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
                    # Reading every member verifies its checksum.
                    arrays = {name: file[name] for name in file.files}
                return path, json.loads(str(arrays.pop(_META))), arrays
            except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
                reason = f"{type(error).__name__}: {error}"
                warnings.warn(f"The checkpoint {path} is damaged ({reason}).", stacklevel=3)
        if paths:
            raise CheckpointError(
                f"None of the {len(paths)} checkpoints in {self.directory} can be read: "
                "move the folder away to start over."
            )
        return None, None, None

    def _check_config(self):
        if self._meta is None:
            return
        saved = self._meta["config"]
        differences = [
            f"{key}={saved.get(key)!r} there and {self.config.get(key)!r} here"
            for key in sorted(saved.keys() | self.config.keys())
            if saved.get(key) != self.config.get(key)
        ]
        if differences:
            raise CheckpointError(
                f"The checkpoint {self.latest} belongs to another configuration: "
                f"{'; '.join(differences)}. Use the same settings, or another folder."
            )

    @override
    def on_train_begin(self, logs=None):
        # Callbacks have just reset their counters.
        self._fresh = [_counters(callback)[0] for callback in self.tracked]
        if not self._pending:
            return
        variables = self.model.training_variables()
        here = [_describe(v) for v in variables]
        if here != self._meta["variables"]:
            there = self._meta["variables"]
            odd = [pair for pair in zip(there, here, strict=False) if pair[0] != pair[1]]
            detail = f"{odd[0][0]} there and {odd[0][1]} here" if odd else "more on one side"
            raise CheckpointError(
                f"The checkpoint {self.latest} belongs to another model: {len(there)} "
                f"variables there and {len(here)} here; first difference: {detail}."
            )
        for index, variable in enumerate(variables):
            variable.assign(self._arrays[f"v{index:05d}"])

        self._restore_counters()

    def _restore_counters(self):
        here = [type(callback).__name__ for callback in self.tracked]
        there = [saved["type"] for saved in self._meta["callbacks"]]
        if here != there:
            raise CheckpointError(
                f"The checkpoint {self.latest} holds the counters of the callbacks "
                f"{there}, but there are {here} here: give the same ones in the same order."
            )
        for number, callback in enumerate(self.tracked):
            saved = self._meta["callbacks"][number]
            vars(callback).update(saved["plain"])
            for name, count in saved["arrays"].items():
                keys = [f"c{number}.{name}.{i:05d}" for i in range(count)]
                setattr(callback, name, [self._arrays[key] for key in keys])

    @override
    def on_epoch_begin(self, epoch, logs=None):
        """Restores the history, which Keras empties after `on_train_begin`."""
        if not self._pending:
            return
        self._pending = False
        self._arrays = None
        for epoch_logs in self._meta["logs"]:
            for name, value in epoch_logs.items():
                self.model.history.history.setdefault(name, []).append(value)
        self.model.history.epoch = list(range(len(self._meta["logs"])))

    @override
    def on_train_end(self, logs=None):
        """Restores the history if no epoch was left, and finishes an interrupted deletion."""
        self.on_epoch_begin(self.epoch)
        self._delete_oldest()

    # Writing ---------------------------------------------------------------------------------

    @override
    def on_epoch_end(self, epoch, logs=None):
        self.logs.append({name: float(value) for name, value in (logs or {}).items()})
        if not is_chief():
            return
        variables = self.model.training_variables()
        arrays = {f"v{i:05d}": _exact(v) for i, v in enumerate(variables)}
        self._refuse_non_finite(variables, arrays.values())
        callbacks = []
        for number, callback in enumerate(self.tracked):
            plain, lists = _counters(callback)
            fresh = self._fresh[number]
            # Only what has changed, so that arguments may be others when training resumes.
            plain = {k: v for k, v in plain.items() if k not in fresh or fresh[k] != v}
            lengths = {name: len(values) for name, values in lists.items()}
            callbacks.append(dict(type=type(callback).__name__, plain=plain, arrays=lengths))
            for name, values in lists.items():
                arrays |= {f"c{number}.{name}.{i:05d}": _exact(v) for i, v in enumerate(values)}
        meta = {
            "config": self.config,
            "logs": self.logs,
            "callbacks": callbacks,
            "stopped": self.model.stop_training,
            "variables": [_describe(v) for v in variables],
        }
        path = self.directory / f"state-{self.epoch:06d}.npz"
        with replacing(path) as file:
            np.savez(file, **arrays, **{_META: json.dumps(meta)})
        self.latest = path
        self._delete_oldest()

    def _delete_oldest(self):
        if is_chief():
            for old in sorted(self.directory.glob("state-*.npz"))[: -self.keep]:
                old.unlink(missing_ok=True)

    def _refuse_non_finite(self, variables, arrays):
        """Finite losses may have gradients that are not."""
        for variable, array in zip(variables, arrays, strict=True):
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise FloatingPointError(
                    f"{variable.path} is not finite after epoch {self.epoch}, which is "
                    "not saved. "
                    f"Last good checkpoint: {self.latest or 'none'}. Lower the learning "
                    "rate, or look for bad values in the data."
                )


def _describe(variable) -> list:
    # Keras numbers names by what was made before in the process, which is not the model's matter.
    name = re.sub(r"_\d+(?=_|$)", "", variable.name)
    return [name, list(variable.shape), str(variable.dtype)]


def _is_array(value) -> bool:
    return isinstance(value, np.ndarray | np.generic)


def _exact(value) -> np.ndarray:
    array = keras.ops.convert_to_numpy(value)
    # numpy's files know no bfloat16; float32 holds it exactly.
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


def _counters(callback) -> tuple[dict, dict]:
    """The callback's plain values, and its lists of arrays (such as `best_weights`)."""
    plain = {}
    lists = {}
    for name, value in vars(callback).items():
        # Keras flips the sign of `min_delta` at the first use, and would flip it back.
        if name.startswith("_") or name in ("params", "min_delta"):
            continue
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | int | float | str):
            plain[name] = value
        elif isinstance(value, list) and value and all(map(_is_array, value)):
            lists[name] = value
    return plain, lists
