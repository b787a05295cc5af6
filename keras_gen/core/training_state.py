"""Training state that is saved completely: a resumed run exactly equals an uninterrupted run."""

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

from keras_gen.arguments import checked_integer, checked_path, shown
from keras_gen.checked_arguments import checked_types
from keras_gen.core.configuration import plain_configuration
from keras_gen.core.distribution import is_chief
from keras_gen.core.network_checks import own_amounts, refuse_negative
from keras_gen.data.source import Source
from keras_gen.files.reading import open_arrays
from keras_gen.files.writing import clear_partial_files, hold, let_go, replacing
from keras_gen.messages import older_likelihood, warn

_META = "meta"
# Training states that own a folder in this process, by folder.
_owners: weakref.WeakValueDictionary = weakref.WeakValueDictionary()


class CheckpointError(ValueError):
    """Raised with the reason if a checkpoint or its folder cannot be used."""


class TrainingState(keras.callbacks.Callback):
    """Saves, after every epoch, all state that a run depends on, and restores the state in `fit`.

    The state consists of every weight, counter, image pool, and random state of the model; every
    optimizer with its slots, loss scale, and averages; the history; and the counters of other
    callbacks. Data streams depend only on their starting position (see
    `keras_gen.data.Source.stream`), so they have no state to save.

    A resumed run must have the same settings. Therefore, the numbers and names in the configuration
    of the model and its optimizers are also saved, together with the number of steps per epoch. All
    of these values are compared at the start of `fit`. Networks are compared by the shapes of their
    weights.

    `tf.train.Checkpoint` omits the states of random Keras layers. Here, a checkpoint is a single
    file with checksums, which is replaced atomically. The previous checkpoint is also kept, and is
    used if the newest checkpoint is damaged or contains a weight that is not finite. With several
    workers, the first worker writes and all workers read, so `directory` must be shared.

    A `TrainingState` owns its folder from its creation until `fit` ends. In the same process, a new
    `TrainingState` takes over the folder from a previous `TrainingState` that has not begun to
    train.

    Args:
        directory: Folder for the checkpoints.
        config: JSON-serializable dict that must be the same when training resumes. If it differs,
            the error lists the differences.
        callbacks: Callbacks whose counters are also saved, such as `EarlyStopping`. Pass the
            `TrainingState` to `fit` after these callbacks.
        keep: Number of checkpoints to keep.
        data: Training data, which must be the same when training resumes: a
            `keras_gen.data.Source`, an array, or a list or dict of these. Checksums of the data are
            saved.
        may_differ: Names of settings that may differ from the checkpoint, or `fnmatch` patterns for
            such names, such as `"optimizer.learning_rate*"`.

    Attributes:
        latest: Newest usable checkpoint, or None.
        run: Text that identifies this run in all of its checkpoints.

    Raises:
        CheckpointError: When training starts, if another run owns the folder, if none of the
            folder's checkpoints is usable, if the checkpoint's settings, data, architecture,
            or callbacks differ from this run's, or if `fit` does not start at `epoch`. During
            training, if another process has written to the folder.
        OSError: If the folder cannot be written to.
        ValueError: If `keep` is below 1, if JSON cannot represent `config`, or if `data` is not an
            array or a `Source`.
        FloatingPointError: At the end of an epoch, if a weight is not finite.

    Example:
    ```python
    state = TrainingState("runs/a/checkpoints", config={"batch_size": 32}, data=source)
    data = source.stream(32, seed=0, start=state.epoch * 100)
    model.fit(data, steps_per_epoch=100, epochs=10, initial_epoch=state.epoch, callbacks=[state])
    ```
    """

    @checked_types
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
        self.directory = checked_path("directory", directory)
        try:
            self.config = json.loads(json.dumps(config or {}, default=str))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"config is {shown(config)}: expected a dict that JSON can represent ({error})."
            ) from None
        self.tracked = list(callbacks)
        self.keep = checked_integer("keep", keep, minimum=1)
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
        """Number of completed epochs."""
        return len(self.logs)

    @property
    def stopped(self) -> bool:
        """Whether a callback, such as `EarlyStopping`, has already ended the resumed run."""
        return bool(self._meta and self._meta["stopped"])

    # The folder ------------------------------------------------------------------------------

    def _own_folder(self):
        """Locks the folder against other states; the first worker locks it for every worker."""
        if not is_chief() or self._let_go:
            return
        place = self.directory.resolve()
        other = _owners.get(place)
        # A state whose training has not begun is replaced, for example when a notebook cell is
        # rerun.
        if other is not None and not other._trains:
            other.release()
            other = None
        lock = hold(self.directory) if other is None else None
        if lock is None:
            raise CheckpointError(
                f"{self.directory} belongs to another TrainingState, whose run has not ended: "
                "wait for that run to end, stop it, or choose another folder."
            )
        # The folder is also released when this object is garbage-collected or the process ends.
        self._let_go = weakref.finalize(self, let_go, lock)
        _owners[place] = self

    def release(self) -> None:
        """Releases the folder. `fit` calls this method when `fit` ends, even with an error."""
        self._trains = False
        if self._let_go:
            self._let_go()
        self._let_go = None

    def _refuse_others_work(self):
        """Raises an error if another run has written files since this state read the folder."""
        for path in _paths(self.directory):
            if path in self._damaged:
                continue
            try:
                with open_arrays(path) as file:
                    run = _metadata(file).get("run", self.run)
            except Exception:  # Damaged files raise many types of errors.
                continue
            if run != self.run or self.latest is None or path > self.latest:
                raise CheckpointError(
                    f"{path} was written by another run after this one read the folder: create "
                    "a new TrainingState to continue from this checkpoint, or choose another "
                    "folder."
                )
            return

    # Reading ---------------------------------------------------------------------------------

    def _newest_readable(self):
        paths = _paths(self.directory)
        for path in paths:
            try:
                return path, *_read(path)
            except Exception as error:  # Damaged files raise many types of errors.
                reason = f"{type(error).__name__}: {error}"
                warn(f"The checkpoint {path} is damaged ({reason}).")
                self._damaged.append(path)
        if paths:
            raise CheckpointError(
                f"No checkpoint in {self.directory} can be read (checkpoints found: "
                f"{len(paths)}): move the folder to start over."
            )
        return None, None, None

    def _other_config(self) -> dict[str, tuple]:
        """Returns differences in `config` and `data` between the checkpoint and this run."""
        if self._meta is None:
            return {}
        there = self._meta["config"]
        keys = sorted(there.keys() | self.config.keys())
        pairs = {key: (there.get(key), self.config.get(key)) for key in keys}
        # If the data of the checkpoint or of this run is unknown, it is assumed to be the same
        # data.
        if self._data and self._meta.get("data"):
            pairs["data"] = (self._meta["data"], self._data)
        return {key: (one, other) for key, (one, other) in pairs.items() if one != other}

    def _refuse(self, what: str, differences: dict[str, tuple]):
        """Raises an error if saved and current values differ although they must be equal."""
        texts = [
            f"{name} is {_shown(there)} in the checkpoint and {_shown(here)} now"
            for name, (there, here) in differences.items()
            if not self._is_free(name)
        ]
        if texts:
            hint = older_likelihood(self.model) if "model.likelihood" in differences else ""
            raise CheckpointError(
                f"The checkpoint {self.latest} belongs to another {what}: "
                f"{'; '.join(texts)}. Use the same values or another folder, or allow the "
                f"difference in code with may_differ.{hint}"
            )

    def _is_free(self, name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.may_differ)

    def differences(self, model) -> dict[str, tuple]:
        """Returns differences from the checkpoint in settings, data, model, and optimizers.

        Args:
            model: Compiled model.

        Returns:
            A dict that maps each name, such as `"optimizer.learning_rate"`, to a pair of the saved
            value and the current value.
        """
        here = self._configuration(model)
        return self._other_config() | {
            name: (there, here[name])
            for name, there in self._settings.items()
            # A callback may have changed a learning rate during training, which is not a
            # difference.
            if name in here and here[name] not in (there, self._moved.get(name, there))
        }

    def _configuration(self, model) -> dict[str, Any]:
        found = plain_configuration(model)
        # The number of steps is unknown before `fit`, and for some types of data also during `fit`.
        if steps := (self.params or {}).get("steps"):
            found["steps_per_epoch"] = steps
        return found

    @override
    def on_train_begin(self, logs=None):
        self._own_folder()
        self._trains = True
        if is_chief():
            self._refuse_others_work()
        # These are the initial values, because the callbacks have just reset their counters.
        self._fresh = [_counters(callback)[0] for callback in self.tracked]
        differences = self.differences(self.model)
        self._refuse("run", differences)
        # If a callback changed a setting during training, the setting's initial value is compared.
        self._settings = {
            name: here if name in differences else self._settings.get(name, here)
            for name, here in self._configuration(self.model).items()
        }
        if self._pending:
            self._restore(set(differences))

    def _restore(self, other_settings: set[str]):
        variables = self.model.training_variables()
        here = [_describe(v) for v in variables]
        # Checkpoints of earlier versions contain the data's means and standard deviations as
        # float32.
        there = [
            [name, shape, "float64" if dtype == "float32" and now[2] == "float64" else dtype]
            for (name, shape, dtype), now in zip(self._meta["variables"], here, strict=False)
        ] + self._meta["variables"][len(here) :]
        if here != there:
            odd = [pair for pair in zip(there, here, strict=False) if pair[0] != pair[1]]
            detail = (
                f"{odd[0][0]} in the checkpoint and {odd[0][1]} now"
                if odd
                else "the number of variables"
            )
            raise CheckpointError(
                f"The checkpoint {self.latest} belongs to another model, with {len(there)} "
                f"variables instead of {len(here)}; first difference: {detail}."
            )
        # A constant learning rate is also a variable, and is not restored if it may differ.
        kept = [
            getattr(self.model, name).learning_rate
            for name in self.model.players()
            if other_settings
            & {f"{name}.learning_rate", f"{name}.inner_optimizer.learning_rate"}
        ]
        # These calls may raise an error, and therefore precede the restoration of the weights.
        amounts = set(map(id, own_amounts(self.model)))
        for index, variable in enumerate(variables):
            if id(variable) in amounts:
                values = self._arrays[f"v{index:05d}"]
                refuse_negative(f"{variable.path} in the checkpoint {self.latest}", values)
        self._restore_counters()
        for index, variable in enumerate(variables):
            if not any(variable is rate for rate in kept):
                variable.assign(self._arrays[f"v{index:05d}"])

    def _restore_counters(self):
        here = [type(callback).__name__ for callback in self.tracked]
        there = [saved["type"] for saved in self._meta["callbacks"]]
        if here != there:
            raise CheckpointError(
                f"The checkpoint {self.latest} contains the counters of the callbacks {there}, "
                f"but the current callbacks are {here}: pass the same callbacks in the same "
                "order."
            )
        for number, callback in enumerate(self.tracked):
            saved = self._meta["callbacks"][number]
            # Only counters are restored: a file must not replace methods, paths, or other
            # attributes.
            counters = set().union(*_counters(callback))
            for name in saved["plain"].keys() & counters:
                if _is_counter(saved["plain"][name]):
                    setattr(callback, name, saved["plain"][name])
            for name in saved["arrays"].keys() & counters:
                keys = [f"c{number}.{name}.{i:05d}" for i in range(saved["arrays"][name])]
                setattr(callback, name, [self._arrays[key] for key in keys])

    def require_epoch(self, epoch: int) -> None:
        """Raises a `CheckpointError` if `fit` does not start at the next epoch."""
        if epoch != self.epoch:
            raise CheckpointError(
                f"fit starts at epoch {epoch}, but {self.epoch} epochs are complete in "
                f"{self.directory}: pass initial_epoch=state.epoch to fit."
            )

    @override
    def on_epoch_begin(self, epoch, logs=None):
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
        """Restores the history if no epochs remain, and completes an interrupted deletion."""
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
        """Writes a checkpoint for the epochs that have logs, and returns its path."""
        variables = self.model.training_variables()
        arrays = {f"v{i:05d}": _exact(v) for i, v in enumerate(variables)}
        self._refuse_non_finite(variables, arrays.values(), len(logs))
        callbacks = []
        for number, callback in enumerate(self.tracked):
            plain, lists = _counters(callback)
            fresh = self._fresh[number]
            # Only changed values are saved, so that arguments may differ when training resumes.
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
            # Damaged checkpoints may be newer, but do not count toward the number of checkpoints to
            # keep.
            good = [path for path in _paths(self.directory) if path not in self._damaged]
            for old in good[self.keep :]:
                old.unlink(missing_ok=True)

    def _refuse_non_finite(self, variables, arrays, epoch):
        """Rejects non-finite weights, because even finite losses may have non-finite gradients."""
        for variable, array in zip(variables, arrays, strict=True):
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise FloatingPointError(
                    f"{variable.path} is not finite after epoch {epoch}, so no checkpoint is "
                    f"saved. Last good checkpoint: {self.latest or 'none'}. Lower the learning "
                    "rate, or look for bad values in the data."
                )


def _paths(directory: Path) -> list[Path]:
    """Returns the checkpoints in a folder, newest first."""
    return sorted(directory.glob("state-*.npz"), reverse=True)


def _read(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Reads a checkpoint, and raises an error if a part is missing or has an unexpected type."""
    with open_arrays(path) as file:
        meta = _metadata(file)
        # Every array is read, which verifies its checksum.
        arrays = {name: array for name, array in file.items() if name != _META}
    for index, (name, shape, dtype) in enumerate(meta["variables"]):
        array = arrays[f"v{index:05d}"]
        stored = "float32" if dtype == "bfloat16" else dtype
        if [*array.shape] != shape or array.dtype.name != stored:
            found = f"{array.dtype.name} {[*array.shape]}"
            raise ValueError(f"{name} is {found}, but its metadata declares {stored} {shape}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite")
    for number, callback in enumerate(meta["callbacks"]):
        for name, count in callback["arrays"].items():
            if missing := {f"c{number}.{name}.{i:05d}" for i in range(count)} - arrays.keys():
                raise ValueError(f"{min(missing)} is missing")
    return meta, arrays


# Keys of the metadata; files of earlier versions lack the keys in the second table.
_KINDS = {"config": dict, "logs": list, "callbacks": list, "stopped": bool, "variables": list}
_NEW_KINDS = {"run": str, "settings": dict, "moved": dict, "data": str | None}


def _metadata(file) -> dict:
    """Reads the metadata of an open checkpoint, and raises an error if the format is unexpected."""
    meta = json.loads(str(file[_META]))
    if not isinstance(meta, dict):
        raise ValueError(f"its metadata is a {type(meta).__name__}, not a dict")
    for key, kind in (_KINDS | _NEW_KINDS).items():
        if (key in meta or key in _KINDS) and not isinstance(meta.get(key), kind):
            raise ValueError(f"{key} is {_shown(meta.get(key))} in its metadata")
    for logs in meta["logs"]:
        if not all(isinstance(value, int | float) for value in logs.values()):
            raise ValueError(f"logs is {_shown(logs)} in its metadata")
    for callback in meta["callbacks"]:
        kinds = [type(callback[key]) for key in ("type", "plain", "arrays")]
        if kinds != [str, dict, dict]:
            raise ValueError(f"callbacks contains {_shown(callback)} in its metadata")
    return meta


def _checksums(data) -> str:
    """Returns the sizes and checksums that identify sources and arrays."""
    parts = keras.tree.flatten(data)
    if wrong := [each for each in parts if not isinstance(each, Source) and not np.ndim(each)]:
        raise ValueError(
            f"data contains {shown(wrong[0])}: expected a Source, an array, or a list or dict of "
            "these."
        )
    arrays = (part.to_numpy() if hasattr(part, "to_numpy") else part for part in parts)
    sources = [part if isinstance(part, Source) else Source(part) for part in arrays]
    return "; ".join(f"{len(each)} examples, checksum {each.checksum()}" for each in sources)


def _shown(value) -> str:
    """Formats a value for a sentence, and shortens it if it is long."""
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _describe(variable) -> list:
    # Keras numbers names by the objects created earlier in the process, which are unrelated to the
    # model.
    name = re.sub(r"_\d+(?=_|$)", "", variable.name)
    return [name, list(variable.shape), str(variable.dtype)]


def _is_array(value) -> bool:
    return isinstance(value, np.ndarray | np.generic)


def _exact(value) -> np.ndarray:
    array = keras.ops.convert_to_numpy(value)
    # NumPy files do not support bfloat16; float32 represents it exactly.
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


def _is_counter(value) -> bool:
    """Returns whether a value is a number or None. Strings are arguments, such as paths."""
    return value is None or isinstance(value, bool | int | float)


def _counters(callback) -> tuple[dict, dict]:
    """Returns the callback's numbers, and its lists of arrays, such as `best_weights`."""
    plain = {}
    lists = {}
    for name, value in vars(callback).items():
        # Keras flips the sign of `min_delta` at first use, and would flip it again after a restore.
        if name.startswith("_") or name in ("params", "min_delta"):
            continue
        if isinstance(value, np.generic):
            value = value.item()
        if _is_counter(value):
            plain[name] = value
        elif isinstance(value, list) and value and all(map(_is_array, value)):
            lists[name] = value
    return plain, lists
