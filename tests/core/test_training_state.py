"""Checkpoints: what they hold, how they break, and what a resumed training makes of them."""

import errno
import json
import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_gen.core import CheckpointError, TrainingState
from keras_gen.core import training_state as module
from keras_gen.core.schedules import Linear
from keras_gen.data import Source
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.vae import VAE
from processes import tasks

SHAPE = (2, 2, 1)
DATA = np.random.default_rng(0).integers(0, 256, (8, *SHAPE), "uint8")
CONFIG = {"batch_size": 4, "name": "tiny"}


def vae(hidden=3, optimizer=None, beta=1.0):
    keras.utils.set_random_seed(1)
    encoder = mlp_encoder(SHAPE, latent_dim=1, hidden=(hidden,), heads=("mean", "log_variance"))
    model = VAE(encoder, mlp_decoder(SHAPE, latent_dim=1, hidden=(hidden,)), beta=beta, seed=2)
    model.compile(optimizer or keras.optimizers.Adam(0.01), run_eagerly=True)
    return model


def fit(model, epochs, state, callbacks=(), images=DATA, **kwargs):
    kwargs = {"initial_epoch": state.epoch} | kwargs
    model.fit(
        images, batch_size=4, shuffle=False, verbose=0, epochs=epochs,
        callbacks=[*callbacks, state], **kwargs,
    )  # fmt: skip


def train(directory, epochs, callbacks=(), model=None, images=DATA, **kwargs):
    """Trains up to `epochs`, going on from what lies in the folder."""
    model = model or vae()
    state = TrainingState(directory, CONFIG, callbacks, **kwargs)
    fit(model, epochs, state, callbacks, images)
    return model, state


def rewrite(path, change):
    """Changes a checkpoint's metadata and arrays by a function, which may return other metadata."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    meta = json.loads(str(arrays.pop("meta")))
    meta = change(meta, arrays) or meta
    np.savez(path, **arrays, meta=json.dumps(meta))


def without(*keys):
    """A change of the metadata that leaves keys out."""
    return lambda meta, arrays: {key: value for key, value in meta.items() if key not in keys}


def values(model):
    return [keras.ops.convert_to_numpy(v) for v in model.training_variables()]


def files(directory):
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The files of two epochs, and what three make of the weights."""
    half, whole = tmp_path_factory.mktemp("half"), tmp_path_factory.mktemp("whole")
    train(half, 2)
    return half, values(train(whole, 3)[0])


class TestResume:
    @pytest.mark.thorough
    @pytest.mark.parametrize("stop", [1, 3])
    def test_equals_the_unbroken_training(self, tmp_path, stop):
        whole, whole_state = train(tmp_path / "whole", 5)
        train(tmp_path / "parts", stop)
        parts, state = train(tmp_path / "parts", 5)
        np.testing.assert_equal(values(parts), values(whole))
        assert parts.history.history == whole.history.history
        assert parts.history.epoch == whole.history.epoch
        assert state.logs == whole_state.logs and state.epoch == 5
        assert int(parts.step.numpy()) == 10

    @pytest.mark.thorough
    def test_early_stopping_goes_on_counting(self, tmp_path):
        def stopping():
            # Nothing improves by as much, so the first epoch stays the best.
            return keras.callbacks.EarlyStopping(
                "loss", min_delta=1e3, patience=3, restore_best_weights=True
            )

        whole, _ = train(tmp_path / "whole", 9, [stopping()])
        train(tmp_path / "parts", 3, [first := stopping()])
        parts, _ = train(tmp_path / "parts", 9, [second := stopping()])
        assert len(whole.history.epoch) == 4
        assert parts.history.history == whole.history.history
        assert (first.wait, second.wait, second.stopped_epoch) == (2, 3, 3)
        assert second.min_delta == first.min_delta == -1e3
        np.testing.assert_equal(parts.get_weights(), whole.get_weights())
        assert TrainingState(tmp_path / "parts", CONFIG, [stopping()]).stopped
        assert not TrainingState(tmp_path / "none", CONFIG).stopped

    @pytest.mark.thorough
    def test_improvements_smaller_than_min_delta_do_not_count_after_resume(self, tmp_path):
        def stopping():
            return keras.callbacks.EarlyStopping("loss", min_delta=1e3, patience=50)

        train(tmp_path, 2, [stopping()])
        _, _ = train(tmp_path, 5, [resumed := stopping()])
        assert resumed.wait == 4

    def test_the_best_weights_are_kept_if_no_epoch_is_left(self, tmp_path):
        def stopping():
            return keras.callbacks.EarlyStopping(
                "loss", min_delta=1e3, patience=9, restore_best_weights=True
            )

        whole, _ = train(tmp_path, 3, [stopping()])
        again, _ = train(tmp_path, 3, [stopping()])
        np.testing.assert_equal(again.get_weights(), whole.get_weights())

    def test_a_checkpoint_changes_nothing_but_counters_of_callbacks(self, tmp_path):
        def callback():
            return keras.callbacks.ModelCheckpoint(tmp_path / "own.keras", "loss", verbose=0)

        _, state = train(tmp_path, 1, [callback()])

        def change(meta, arrays):
            (saved,) = meta["callbacks"]
            saved["plain"] |= {"filepath": "other.keras", "on_epoch_end": 5, "best": 0.5}
            saved["arrays"] |= {"on_train_end": 0}

        rewrite(state.latest, change)
        now = callback()
        train(tmp_path, 2, [now])
        assert now.filepath == str(tmp_path / "own.keras") and now.best == 0.5

    def test_arguments_of_callbacks_may_change(self, tmp_path):
        train(tmp_path, 2, [keras.callbacks.EarlyStopping("loss", patience=3)])
        train(tmp_path, 3, [later := keras.callbacks.EarlyStopping("loss", patience=7)])
        assert later.patience == 7

    @pytest.mark.thorough
    @pytest.mark.parametrize("precision", ["bfloat16", "mixed_float16"])
    def test_other_dtypes_come_back_exactly(self, tmp_path, precision):
        keras.config.set_dtype_policy(precision)
        whole, _ = train(tmp_path, 1)
        again, _ = train(tmp_path, 1)
        np.testing.assert_equal(values(again), values(whole))


class TestFiles:
    def test_two_are_kept(self, tmp_path):
        train(tmp_path, 4)
        assert files(tmp_path) == ["state-000003.npz", "state-000004.npz"]

    def test_only_the_chief_writes(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TF_CONFIG", tasks(2)[1])
        _, state = train(tmp_path, 2)
        assert files(tmp_path) == [] and state.epoch == 2

    @pytest.mark.thorough
    @pytest.mark.parametrize(
        "damage", ["cut", "empty", "flipped", "no zip", "no meta", "pipe", "device"]
    )
    def test_a_damaged_newest_one_gives_way_to_the_one_before(self, tmp_path, unbroken, damage):
        half, expected = unbroken
        parts = shutil.copytree(half, tmp_path / "parts")
        newest = parts / "state-000002.npz"
        content = bytearray(newest.read_bytes())
        if damage == "flipped":
            content[len(content) // 3] ^= 1
        if damage in ("pipe", "device"):
            newest.unlink()
        if damage == "no meta":
            np.savez(newest, v00000=np.zeros(3))
        elif damage == "pipe":  # nothing would ever be written into it
            os.mkfifo(newest)
        elif damage == "device":
            newest.symlink_to("/dev/zero")
        else:
            length = dict(cut=len(content) // 2, empty=0).get(damage, len(content))
            newest.write_bytes(b"text" * 99 if damage == "no zip" else content[:length])
        with pytest.warns(UserWarning, match=r"state-000002.npz is damaged \(.+\)") as warned:
            model, state = train(parts, 3)
        assert sum("damaged" in str(warning.message) for warning in warned) == 1
        assert state.epoch == 3
        np.testing.assert_equal(values(model), expected)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (without("logs"), "logs is None in its metadata"),
            (without("variables"), "variables is None"),
            (lambda meta, arrays: [1], "its metadata is a list"),
            (lambda meta, arrays: meta | {"stopped": "no"}, "stopped is 'no'"),
            (lambda meta, arrays: meta | {"settings": [1]}, "settings is"),
            (lambda meta, arrays: meta | {"logs": [1, 2]}, "AttributeError"),
            (lambda meta, arrays: meta | {"logs": [{"loss": "x"}] * 2}, "logs is {'loss': 'x'}"),
            (lambda meta, arrays: meta | {"callbacks": [{}]}, "KeyError"),
            (lambda meta, arrays: meta | {"variables": [[1]]}, "not enough values"),
            (lambda meta, arrays: arrays.update(v00002=np.zeros(7, "f")) or meta, r"float32 \[7\]"),
            (lambda meta, arrays: arrays.pop("v00000") is None or meta, "v00000"),
            (lambda meta, arrays: arrays["v00002"].fill(np.nan), "is not finite"),
        ],
    )
    def test_what_is_no_checkpoint_of_ours_gives_way_too(self, tmp_path, unbroken, change, reason):
        half, _ = unbroken
        parts = shutil.copytree(half, tmp_path / "parts")
        rewrite(parts / "state-000002.npz", change)
        with pytest.warns(UserWarning, match=rf"state-000002.npz is damaged \(.*{reason}"):
            state = TrainingState(parts, CONFIG)
        assert state.epoch == 1 and state.latest.name == "state-000001.npz"

    def test_newer_ones_that_are_damaged_do_not_count_among_those_kept(self, tmp_path, unbroken):
        parts = shutil.copytree(unbroken[0], tmp_path / "parts")
        for epoch in (7, 8):
            (parts / f"state-00000{epoch}.npz").write_bytes(b"")
        with pytest.warns(UserWarning, match="damaged"):
            train(parts, 4)
        kept = [f"state-00000{epoch}.npz" for epoch in (3, 4, 7, 8)]
        assert files(parts) == kept

    def test_files_of_earlier_versions_resume(self, tmp_path, unbroken):
        half, expected = unbroken
        parts = shutil.copytree(half, tmp_path / "parts")
        for path in parts.iterdir():
            rewrite(path, without("run", "settings", "moved", "data"))
        model, _ = train(parts, 3, data=DATA)
        np.testing.assert_equal(values(model), expected)

    def test_if_all_are_damaged_nothing_is_overwritten(self, tmp_path):
        train(tmp_path, 2)
        for path in tmp_path.iterdir():
            path.write_bytes(b"")
        with (
            pytest.warns(UserWarning, match="damaged"),
            pytest.raises(
                CheckpointError, match=r"No checkpoint in .* can be read .*: 2\): move the folder"
            ),
        ):
            TrainingState(tmp_path, CONFIG)
        assert len(files(tmp_path)) == 2

    @pytest.mark.thorough
    def test_a_full_disk_leaves_the_last_good_one(self, tmp_path, monkeypatch):
        train(tmp_path, 1)
        good = (tmp_path / "state-000001.npz").read_bytes()

        def half(file, **_):
            file.write(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(module.np, "savez", half)
            with pytest.raises(OSError, match=r"Cannot write .*state-000002.npz \(No space left"):
                train(tmp_path, 2)
        assert files(tmp_path) == ["state-000001.npz"]
        assert (tmp_path / "state-000001.npz").read_bytes() == good
        _, state = train(tmp_path, 2)
        assert state.epoch == 2

    def test_weights_that_are_not_finite_are_not_saved(self, tmp_path):
        model, _ = train(tmp_path, 1)
        state = TrainingState(tmp_path, CONFIG)

        def break_down(epoch, logs):
            model.encoder.get_layer("mean").bias.assign([np.nan])

        breaking = keras.callbacks.LambdaCallback(on_epoch_end=break_down)
        with pytest.raises(
            FloatingPointError, match=r"mean/bias is not finite after epoch 2.*-000001"
        ):
            model.fit(
                DATA, batch_size=4, verbose=0, epochs=2, initial_epoch=1,
                callbacks=[breaking, state],
            )  # fmt: skip
        assert files(tmp_path) == ["state-000001.npz"]
        assert state.epoch == 1

    def test_negative_counts_are_not_restored(self, tmp_path):
        def change(meta, arrays):
            step = [name for name, *_ in meta["variables"]].index("step")
            arrays[f"v{step:05d}"] = np.int64(-5)

        train(tmp_path, 1)
        rewrite(tmp_path / "state-000001.npz", change)
        model = vae()
        before = values(model)
        with pytest.raises(
            ValueError, match=r"step in the checkpoint .* has the minimum -5: expec"
        ):
            train(tmp_path, 2, model=model)
        for old, new in zip(before, values(model), strict=True):
            np.testing.assert_array_equal(old, new)


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (dict(config={("a", 1): 2}), "^config is .*: expected a dict that JSON can represent"),
            (dict(data="abc"), "^data contains 'abc': expected a Source, an array, or a list"),
        ],
    )
    def test_what_cannot_be_compared_is_refused(self, tmp_path, arguments, sentence):
        with pytest.raises(ValueError, match=sentence):
            TrainingState(tmp_path, **arguments)

    def test_another_configuration_is_named(self, tmp_path):
        train(tmp_path, 1)
        with pytest.raises(CheckpointError) as error:
            TrainingState(tmp_path, {"batch_size": 8, "name": "tiny", "beta": 2})
        assert "batch_size is 4 in the checkpoint and 8 now" in str(error.value)
        assert "beta is None in the checkpoint and 2 now" in str(error.value)
        assert "name is" not in str(error.value).split("configuration:")[1]

    def test_another_architecture(self, tmp_path):
        train(tmp_path, 1)
        with pytest.raises(
            CheckpointError, match=r"another model, .*\[4, 3\].* in the checkpoint and .*\[4, 5\]"
        ):
            train(tmp_path, 2, model=vae(hidden=5))

    def test_other_callbacks(self, tmp_path):
        train(tmp_path, 1)
        with pytest.raises(
            CheckpointError, match=r"callbacks \[\], but .* \['EarlyStopping'\]: pass"
        ):
            train(tmp_path, 2, [keras.callbacks.EarlyStopping("loss")])

    @pytest.mark.parametrize(
        ("changes", "difference"),
        [
            (dict(beta=50.0), "model.beta is 1.0 in the checkpoint and 50.0 now"),
            (
                dict(optimizer=keras.optimizers.Adam(0.5)),
                "learning_rate is 0.01 in the checkpoint and 0.5 now",
            ),
            (
                dict(optimizer=keras.optimizers.Nadam(0.01)),
                "optimizer is 'Adam' in the checkpoint and 'Nadam' now",
            ),
            (
                dict(optimizer=keras.optimizers.Adam(Linear(0.01, 0.0, steps=9))),
                "optimizer.learning_rate is 0.01 in the checkpoint and 'Linear' now",
            ),
        ],
    )
    def test_another_model_or_optimizer_is_named(self, tmp_path, unbroken, changes, difference):
        parts = shutil.copytree(unbroken[0], tmp_path / "parts")
        with pytest.raises(
            CheckpointError, match=r"another run: .*Use the same values or another"
        ) as error:
            train(parts, 3, model=vae(**changes))
        assert difference in str(error.value)
        assert len(files(parts)) == 2

    def test_what_may_differ_is_in_force(self, tmp_path, unbroken):
        parts = shutil.copytree(unbroken[0], tmp_path / "parts")
        model = vae(optimizer=keras.optimizers.Adam(0.0))
        _, state = train(parts, 3, model=model, may_differ=["*.learning_rate"])
        assert float(model.optimizer.learning_rate.numpy()) == 0 and state.epoch == 3
        # Nothing has moved in the third epoch, and the new rate is what is compared from here on.
        with (
            np.load(parts / "state-000002.npz") as two,
            np.load(parts / "state-000003.npz") as three,
        ):
            np.testing.assert_array_equal(two["v00002"], three["v00002"])
        with pytest.raises(
            CheckpointError, match=r"learning_rate is 0.0 in the checkpoint and 0.01 now"
        ):
            train(parts, 4)

    def test_a_rate_that_a_callback_has_moved_is_no_difference(self, tmp_path):
        halving = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
        model, state = train(tmp_path, 2, [halving])
        fit(model, 3, state, [halving])  # here
        _, state = train(tmp_path, 4, [halving])  # in a process of its own
        assert float(state.model.optimizer.learning_rate.numpy()) == np.float32(0.01 / 16)

    @pytest.mark.thorough
    def test_other_data_are_named(self, tmp_path):
        train(tmp_path, 1, data=Source(DATA))
        with pytest.raises(
            CheckpointError,
            match=r"data is '8 examples, checksum \w+' in the checkpoint and '8 examples, check",
        ):
            TrainingState(tmp_path, CONFIG, data=DATA[::-1])
        # Where none are named they are not compared, and not forgotten.
        train(tmp_path, 2)
        train(tmp_path, 3, data=DATA)
        with pytest.raises(CheckpointError, match="; 8 examples"):
            TrainingState(tmp_path, CONFIG, data={"photos": DATA, "paintings": Source(DATA)})

    def test_epochs_of_other_lengths_are_named(self, tmp_path):
        train(tmp_path, 1)
        with pytest.raises(
            CheckpointError, match="steps_per_epoch is 2 in the checkpoint and 1 now"
        ):
            train(tmp_path, 2, images=DATA[:4])

    @pytest.mark.thorough
    @pytest.mark.parametrize(("first", "done"), [(0, 2), (3, 2)])
    def test_a_fit_from_another_epoch(self, tmp_path, unbroken, first, done):
        parts = shutil.copytree(unbroken[0], tmp_path / "parts")
        state = TrainingState(parts, CONFIG)
        model = vae()
        before = values(model)
        with pytest.raises(
            CheckpointError,
            match=f"starts at epoch {first}, but {done} epochs are complete in .*: pass "
            "initial_epoch=state.epoch",
        ):
            fit(model, 5, state, initial_epoch=first)
        np.testing.assert_equal(values(model), before)
        assert len(files(parts)) == 2
        fit(vae(), 3, state)
        assert state.epoch == 3


class TestOwner:
    """One training at a time writes to a folder."""

    def test_another_in_this_process_waits_for_the_end(self, tmp_path):
        refused = []

        def begin(epoch, logs):
            with pytest.raises(CheckpointError, match="belongs to another TrainingState") as error:
                TrainingState(tmp_path, CONFIG)
            refused.append(error)

        train(tmp_path, 1, [keras.callbacks.LambdaCallback(on_epoch_end=begin)])
        assert refused and files(tmp_path) == ["state-000001.npz"]

    def test_another_process_is_refused(self, tmp_path):
        code = f"""
from pathlib import Path
from keras_gen.files.writing import hold
held = hold(Path({str(tmp_path)!r}))
print("held", flush=True)
input()
"""
        other = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert other.stdout.readline() == "held\n"
        with pytest.raises(CheckpointError, match="wait for that run to end, stop it, or choose"):
            TrainingState(tmp_path)
        other.kill()
        other.communicate()
        TrainingState(tmp_path)

    def test_only_the_chief_owns(self, tmp_path, monkeypatch):
        chief = TrainingState(tmp_path, CONFIG)
        monkeypatch.setenv("TF_CONFIG", tasks(2)[1])
        assert TrainingState(tmp_path, CONFIG).epoch == chief.epoch == 0

    @pytest.mark.thorough
    def test_a_cell_that_is_run_again_after_a_failure_goes_on(self, tmp_path):
        def fail(epoch, logs):
            if epoch:
                raise KeyboardInterrupt

        model, state = vae(), TrainingState(tmp_path, CONFIG)
        with pytest.raises(KeyboardInterrupt):
            fit(model, 3, state, [keras.callbacks.LambdaCallback(on_epoch_end=fail)])
        assert train(tmp_path, 3)[1].epoch == 3

    def test_of_two_the_one_that_trains_first_goes_on(self, tmp_path):
        first, second = TrainingState(tmp_path, CONFIG), TrainingState(tmp_path, CONFIG)
        model = vae()
        fit(model, 1, first)
        with pytest.raises(
            CheckpointError, match=r"state-000001.npz was written by another run after"
        ):
            fit(vae(), 1, second)
        fit(model, 2, first)
        assert files(tmp_path) == ["state-000001.npz", "state-000002.npz"]

    def test_a_checkpoint_of_another_training_is_not_replaced(self, tmp_path, unbroken):
        """As on a file system without locks."""
        parts = shutil.copytree(unbroken[0], tmp_path / "parts")
        state = TrainingState(parts, CONFIG)
        rewrite(parts / "state-000002.npz", lambda meta, arrays: meta | {"run": "another"})
        with pytest.raises(CheckpointError, match="was written by another run"):
            fit(vae(), 3, state)

    def test_a_folder_without_checkpoints_is_removed(self, tmp_path):
        state = TrainingState(tmp_path / "none")
        state.release()
        assert not (tmp_path / "none").exists()

    def test_a_place_that_cannot_be_written_to(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(OSError, match=r"Cannot write to the folder .*file/a \(.*: choose anot"):
            TrainingState(tmp_path / "file" / "a")


@pytest.mark.parametrize("directory", [1, b"parts", None])
def test_folders_of_other_types_are_refused(directory):
    with pytest.raises(
        TypeError, match=r"directory is (.*: expected a path|None: expected a value)"
    ):
        TrainingState(directory)
