"""Checkpoints: what they hold, how they break, and what a resumed training makes of them."""

import errno
import os
import shutil

import keras
import numpy as np
import pytest

from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.training import CheckpointError, TrainingState
from keras_gen.training import state as module
from keras_gen.vae import VAE
from processes import tasks

SHAPE = (2, 2, 1)
DATA = np.random.default_rng(0).integers(0, 256, (8, *SHAPE), "uint8")
CONFIG = {"batch_size": 4, "name": "tiny"}


def vae(hidden=3, optimizer=None):
    keras.utils.set_random_seed(1)
    encoder = mlp_encoder(SHAPE, latent_dim=1, hidden=(hidden,), heads=("mean", "log_variance"))
    model = VAE(encoder, mlp_decoder(SHAPE, latent_dim=1, hidden=(hidden,)), seed=2)
    model.compile(optimizer or keras.optimizers.Adam(0.01), run_eagerly=True)
    return model


def train(directory, epochs, callbacks=(), model=None, **kwargs):
    """Trains up to `epochs`, going on from what lies in the folder."""
    model = model or vae()
    state = TrainingState(directory, CONFIG, callbacks, **kwargs)
    model.fit(
        DATA, batch_size=4, shuffle=False, verbose=0, epochs=epochs,
        initial_epoch=state.epoch, callbacks=[*callbacks, state],
    )  # fmt: skip
    return model, state


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

    def test_arguments_of_callbacks_may_change(self, tmp_path):
        train(tmp_path, 2, [keras.callbacks.EarlyStopping("loss", patience=3)])
        train(tmp_path, 3, [later := keras.callbacks.EarlyStopping("loss", patience=7)])
        assert later.patience == 7

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

    @pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "no zip", "no meta"])
    def test_a_damaged_newest_one_gives_way_to_the_one_before(self, tmp_path, unbroken, damage):
        half, expected = unbroken
        parts = shutil.copytree(half, tmp_path / "parts")
        newest = parts / "state-000002.npz"
        content = bytearray(newest.read_bytes())
        if damage == "flipped":
            content[len(content) // 3] ^= 1
        if damage == "no meta":
            np.savez(newest, v00000=np.zeros(3))
        else:
            length = dict(cut=len(content) // 2, empty=0).get(damage, len(content))
            newest.write_bytes(b"text" * 99 if damage == "no zip" else content[:length])
        with pytest.warns(UserWarning, match=r"state-000002.npz is damaged \(.+\)") as warned:
            model, state = train(parts, 3)
        assert sum("damaged" in str(warning.message) for warning in warned) == 1
        assert state.epoch == 3
        np.testing.assert_equal(values(model), expected)

    def test_if_all_are_damaged_nothing_is_overwritten(self, tmp_path):
        train(tmp_path, 2)
        for path in tmp_path.iterdir():
            path.write_bytes(b"")
        with (
            pytest.warns(UserWarning, match="damaged"),
            pytest.raises(
                CheckpointError, match=r"None of the 2 checkpoints in .* move the folder"
            ),
        ):
            TrainingState(tmp_path, CONFIG)
        assert len(files(tmp_path)) == 2

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


class TestRefusals:
    def test_another_configuration_is_named(self, tmp_path):
        train(tmp_path, 1)
        with pytest.raises(CheckpointError) as error:
            TrainingState(tmp_path, {"batch_size": 8, "name": "tiny", "beta": 2})
        assert "batch_size=4 there and 8 here" in str(error.value)
        assert "beta=None there and 2 here" in str(error.value)
        assert "name=" not in str(error.value).split("configuration:")[1]

    def test_another_architecture(self, tmp_path):
        train(tmp_path, 1)
        with pytest.raises(
            CheckpointError, match=r"another model: .*\[4, 3\].* there and .*\[4, 5\]"
        ):
            train(tmp_path, 2, model=vae(hidden=5))

    def test_other_callbacks(self, tmp_path):
        train(tmp_path, 1)
        with pytest.raises(
            CheckpointError, match=r"callbacks \[\], but .* \['EarlyStopping'\] here"
        ):
            train(tmp_path, 2, [keras.callbacks.EarlyStopping("loss")])
