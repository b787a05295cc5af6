"""Saving all state of a training, so that a resumed run equals the unbroken one bit for bit."""

import fnmatch
import json
import os
import re
import uuid
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from typing_extensions import override

from keras_gen.arguments import checked_path
from keras_gen.core.configuration import plain_configuration
from keras_gen.core.distribution.strategies import is_chief
from keras_gen.data.source import Source
from keras_gen.files.locks import hold, let_go
from keras_gen.files.reading import open_arrays
from keras_gen.files.writing import clear_partial_files, replacing
from keras_gen.messages import older_likelihood, warn

_META = "meta"
# The states of this process that hold a folder, by the folder.
_owners: weakref.WeakValueDictionary = weakref.WeakValueDictionary()


class CheckpointError(ValueError):
    """A checkpoint or its folder that cannot be used, with the reason."""


class TrainingState(keras.callbacks.Callback):
    """Saves after every epoch, and restores at the start of `fit`, all that training depends on.

    It saves every weight, counter, image pool and random state of the model, every optimizer with
    its slots, loss scale and averages, the history, and the counters of other callbacks. Data
    streams depend on their start alone (`keras_gen.data.Source.stream`) and have no state.

    A training that resumes must be the same: the numbers and names in the configuration of the
    model and its optimizers are saved too, with the steps of an epoch, and compared at the start of
    `fit`. Networks are compared by the shapes of their weights.

    `tf.train.Checkpoint` leaves out the states of Keras' random layers. Here a checkpoint is one
    file with checksums, replaced atomically; the one before it is kept too, and used if the newest
    is damaged or holds a weight that is not finite. Among several workers the first one writes and
    all read: `directory` must be shared.

    A state owns its folder from when it is made until `fit` ends. In one process a new one takes
    the folder of another that has not begun to train.

    Args:
        directory: Folder of the checkpoints.
        config: JSON-able dict that must be equal when training resumes; the error names
            differences.
        callbacks: Callbacks whose counters are saved too (`EarlyStopping`, ...). Give this callback
            to `fit` after them.
        keep: Number of checkpoints to keep.
        data: What the training reads, which must be the same when it resumes: a
            `keras_gen.data.Source`, an array, or a list or dict of them. Checksums are saved.
        may_differ: Names, or patterns of `fnmatch`, of settings that may be others than in the
            checkpoint, such as `"optimizer.learning_rate*"`.

    Attributes:
        latest: The newest checkpoint that can be used, or None.
        run: A text that all checkpoints of this training have, and no others.

    Raises:
        CheckpointError: At the start, if another training owns the folder, no checkpoint in it can
            be used, or its settings, data, architecture, or list of callbacks differ. If `fit`
            starts with another epoch than `epoch`. If others have written to the folder meanwhile.
        OSError: If the folder cannot be written to.
        ValueError: If `keep` is below 1.
        FloatingPointError: At the end of an epoch, if a weight is not finite.

    Example:
    ```python
    state = TrainingState("runs/a/checkpoints", config={"batch_size": 32}, data=source)
    data = source.stream(32, seed=0, start=state.epoch * 100)
    model.fit(data, steps_per_epoch=100, epochs=10, initial_epoch=state.epoch, callbacks=[state])
    ```
    """

    def __init__(
        self,
        directory: str | os.PathLike,
        config: dict | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        keep: int = 2,
        data=None,
        may_differ: Sequence[str] = (),
    ):
        super().__init__()
        if keep < 1:
            raise ValueError(f"keep is {keep}: at least 1 checkpoint must be kept.")
        self.directory = checked_path("directory", directory)
        self.config = json.loads(json.dumps(config or {}, default=str))
        self.tracked = list(callbacks)
        self.keep = keep
        self.may_differ = tuple(may_differ)
        self._data = None if data is None else _checksums(data)
        self._damaged: list[Path] = []
        self._fresh: list[dict] = []
        self._trains = False
        self._let_go = None
        self._own_folder()
        try:
            self.latest, self._meta, self._arrays = self._newest_readable()
            self._refuse("configuration", self._other_config())
        except CheckpointError:
            self.release()
            raise
        meta = self._meta or {}
        self.run = meta.get("run") or uuid.uuid4().hex
        self.logs = list(meta.get("logs", []))
        self._data = self._data or meta.get("data")
        self._settings = meta.get("settings", {})
        self._moved = meta.get("moved", {})
        self._pending = self._meta is not None
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

    # The folder ------------------------------------------------------------------------------

    def _own_folder(self):
        """Holds the folder against other states, which the first worker does for all."""
        if not is_chief() or self._let_go:
            return
        place = self.directory.resolve()
        other = _owners.get(place)
        # One that does not train was made in vain, as when a cell of a notebook is run again.
        if other is not None and not other._trains:
            other.release()
            other = None
        lock = hold(self.directory) if other is None else None
        if lock is None:
            raise CheckpointError(
                f"{self.directory} belongs to another TrainingState, whose training is not over: "
                "wait, end that training, or choose another folder."
            )
        # Also when this object is forgotten, and when the process ends.
        self._let_go = weakref.finalize(self, let_go, lock)
        _owners[place] = self

    def release(self) -> None:
        """Lets go of the folder, which `fit` does when it ends, however it ends."""
        self._trains = False
        if self._let_go:
            self._let_go()
        self._let_go = None

    def _refuse_others_work(self):
        """What others have written to the folder since this state read it is not overwritten."""
        for path in _paths(self.directory):
            if path in self._damaged:
                continue
            try:
                with open_arrays(path) as file:
                    run = _metadata(file).get("run", self.run)
            except Exception:  # Damage has many kinds.
                continue
            if run != self.run or self.latest is None or path > self.latest:
                raise CheckpointError(
                    f"{path} was written by another training since this one read the folder: make "
                    "a new TrainingState to go on from it, or choose another folder."
                )
            return

    # Reading ---------------------------------------------------------------------------------

    def _newest_readable(self):
        paths = _paths(self.directory)
        for path in paths:
            try:
                return path, *_read(path)
            except Exception as error:  # Damage has many kinds.
                reason = f"{type(error).__name__}: {error}"
                warn(f"The checkpoint {path} is damaged ({reason}).")
                self._damaged.append(path)
        if paths:
            raise CheckpointError(
                f"None of the {len(paths)} checkpoints in {self.directory} can be read: "
                "move the folder away to start over."
            )
        return None, None, None

    def _other_config(self) -> dict[str, tuple]:
        """What is not as in the checkpoint of `config` and `data`: the values there and here."""
        if self._meta is None:
            return {}
        there = self._meta["config"]
        keys = sorted(there.keys() | self.config.keys())
        pairs = {key: (there.get(key), self.config.get(key)) for key in keys}
        # Data that were not named, there or here, may be the same.
        if self._data and self._meta.get("data"):
            pairs["data"] = (self._meta["data"], self._data)
        return {key: (one, other) for key, (one, other) in pairs.items() if one != other}

    def _refuse(self, what: str, differences: dict[str, tuple]):
        """Refuses values, there and here, that have no leave to differ."""
        texts = [
            f"{name}={_shown(there)} there and {_shown(here)} here"
            for name, (there, here) in differences.items()
            if not self._is_free(name)
        ]
        if texts:
            hint = older_likelihood(self.model) if "model.likelihood" in differences else ""
            raise CheckpointError(
                f"The checkpoint {self.latest} belongs to another {what}: "
                f"{'; '.join(texts)}. Use the same, or another folder, or allow it in code "
                f"by may_differ.{hint}"
            )

    def _is_free(self, name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.may_differ)

    def differences(self, model) -> dict[str, tuple]:
        """Returns what is not as in the checkpoint, of settings, data, model and optimizers.

        Args:
            model: A compiled model.

        Returns:
            By name, such as `"optimizer.learning_rate"`, the value there and the value here.
        """
        here = self._configuration(model)
        return self._other_config() | {
            name: (there, here[name])
            for name, there in self._settings.items()
            # A callback may have changed a rate in training.
            if name in here and here[name] not in (there, self._moved.get(name, there))
        }

    def _configuration(self, model) -> dict[str, Any]:
        found = plain_configuration(model)
        # The number is unknown for some data, and before `fit`.
        if steps := (self.params or {}).get("steps"):
            found["steps_per_epoch"] = steps
        return found

    @override
    def on_train_begin(self, logs=None):
        self._own_folder()
        self._trains = True
        if is_chief():
            self._refuse_others_work()
        # Callbacks have just reset their counters.
        self._fresh = [_counters(callback)[0] for callback in self.tracked]
        differences = self.differences(self.model)
        self._refuse("training", differences)
        # What a callback has moved counts by where it began.
        self._settings = {
            name: here if name in differences else self._settings.get(name, here)
            for name, here in self._configuration(self.model).items()
        }
        if self._pending:
            self._restore(set(differences))

    def _restore(self, other_settings: set[str]):
        variables = self.model.training_variables()
        here = [_describe(v) for v in variables]
        # Units of data were float32 in checkpoints of earlier versions.
        there = [
            [name, shape, "float64" if dtype == "float32" and now[2] == "float64" else dtype]
            for (name, shape, dtype), now in zip(self._meta["variables"], here, strict=False)
        ] + self._meta["variables"][len(here) :]
        if here != there:
            odd = [pair for pair in zip(there, here, strict=False) if pair[0] != pair[1]]
            detail = f"{odd[0][0]} there and {odd[0][1]} here" if odd else "more on one side"
            raise CheckpointError(
                f"The checkpoint {self.latest} belongs to another model: {len(there)} "
                f"variables there and {len(here)} here; first difference: {detail}."
            )
        # A constant rate is a variable too, and not restored where it may differ.
        kept = [
            getattr(self.model, name).learning_rate
            for name in self.model.players()
            if other_settings
            & {f"{name}.learning_rate", f"{name}.inner_optimizer.learning_rate"}
        ]
        for index, variable in enumerate(variables):
            if not any(variable is rate for rate in kept):
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
        if epoch != self.epoch:
            raise CheckpointError(
                f"fit starts at epoch {epoch}, and {self.epoch} epochs are done in "
                f"{self.directory}: give fit initial_epoch=state.epoch."
            )
        self._restore_history()

    def _restore_history(self):
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
        self._restore_history()
        self._delete_oldest()
        self.release()

    # Writing ---------------------------------------------------------------------------------

    @override
    def on_epoch_end(self, epoch, logs=None):
        now = [*self.logs, {name: float(value) for name, value in (logs or {}).items()}]
        if is_chief():
            self._refuse_others_work()
            self.latest = self._write(now)
            self._damaged = [path for path in self._damaged if path != self.latest]
            self._delete_oldest()
        self.logs = now

    def _write(self, logs):
        """Writes the checkpoint of as many epochs as there are logs, and returns its path."""
        variables = self.model.training_variables()
        arrays = {f"v{i:05d}": _exact(v) for i, v in enumerate(variables)}
        self._refuse_non_finite(variables, arrays.values(), len(logs))
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
        settings = self._configuration(self.model)
        self._moved = {k: v for k, v in settings.items() if self._settings.get(k) != v}
        meta = {
            "run": self.run,
            "config": self.config,
            "settings": self._settings,
            "moved": self._moved,
            "data": self._data,
            "logs": logs,
            "callbacks": callbacks,
            "stopped": self.model.stop_training,
            "variables": [_describe(v) for v in variables],
        }
        path = self.directory / f"state-{len(logs):06d}.npz"
        with replacing(path) as file:
            np.savez(file, **arrays, **{_META: json.dumps(meta)})
        return path

    def _delete_oldest(self):
        if is_chief():
            # Damaged ones may be newer, and do not take the place of good ones.
            good = [path for path in _paths(self.directory) if path not in self._damaged]
            for old in good[self.keep :]:
                old.unlink(missing_ok=True)

    def _refuse_non_finite(self, variables, arrays, epoch):
        """Finite losses may have gradients that are not."""
        for variable, array in zip(variables, arrays, strict=True):
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise FloatingPointError(
                    f"{variable.path} is not finite after epoch {epoch}, which is "
                    "not saved. "
                    f"Last good checkpoint: {self.latest or 'none'}. Lower the learning "
                    "rate, or look for bad values in the data."
                )


def release_folders(callbacks) -> None:
    """Lets go of the folders of all `TrainingState`s among the callbacks of a `fit`."""
    for callback in callbacks:
        if isinstance(callback, TrainingState):
            callback.release()


def _paths(directory: Path) -> list[Path]:
    """The checkpoints in a folder, the newest first."""
    return sorted(directory.glob("state-*.npz"), reverse=True)


def _read(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """What a checkpoint holds: an error if any of it is missing or of another kind."""
    with open_arrays(path) as file:
        meta = _metadata(file)
        # Reading every member verifies its checksum.
        arrays = {name: array for name, array in file.items() if name != _META}
    for index, (name, shape, dtype) in enumerate(meta["variables"]):
        array = arrays[f"v{index:05d}"]
        stored = "float32" if dtype == "bfloat16" else dtype
        if [*array.shape] != shape or array.dtype.name != stored:
            found = f"{array.dtype.name} {[*array.shape]}"
            raise ValueError(f"{name} is {found} where {stored} {shape} is declared")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite")
    for number, callback in enumerate(meta["callbacks"]):
        for name, count in callback["arrays"].items():
            if missing := {f"c{number}.{name}.{i:05d}" for i in range(count)} - arrays.keys():
                raise ValueError(f"it lacks {min(missing)}")
    return meta, arrays


# Keys of the metadata; those of the second table are not in files of earlier versions.
_KINDS = {"config": dict, "logs": list, "callbacks": list, "stopped": bool, "variables": list}
_NEW_KINDS = {"run": str, "settings": dict, "moved": dict, "data": str | None}


def _metadata(file) -> dict:
    """The metadata of an open checkpoint: an error if it is not as `TrainingState` writes it."""
    meta = json.loads(str(file[_META]))
    if not isinstance(meta, dict):
        raise ValueError(f"its metadata is a {type(meta).__name__}")
    for key, kind in (_KINDS | _NEW_KINDS).items():
        if (key in meta or key in _KINDS) and not isinstance(meta.get(key), kind):
            raise ValueError(f"{key} is {_shown(meta.get(key))} in its metadata")
    for logs in meta["logs"]:
        if not all(isinstance(value, int | float) for value in logs.values()):
            raise ValueError(f"logs hold {_shown(logs)} in its metadata")
    for callback in meta["callbacks"]:
        kinds = [type(callback[key]) for key in ("type", "plain", "arrays")]
        if kinds != [str, dict, dict]:
            raise ValueError(f"callbacks hold {_shown(callback)} in its metadata")
    return meta


def _checksums(data) -> str:
    """What identifies sources and arrays: their sizes and checksums."""
    parts = keras.tree.flatten(data)
    sources = [part if isinstance(part, Source) else Source(part) for part in parts]
    return "; ".join(f"{len(each)} examples, checksum {each.checksum()}" for each in sources)


def _shown(value) -> str:
    """A value in a sentence, and not all of it where it is long."""
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


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
