"""A whole run, on a toy."""

import csv
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import processes
from keras_gen.core import averaged_weights
from keras_gen.environment import NO_OFFLINE_SAMPLE
from keras_gen.files.images import read_image
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.serving import exported
from keras_gen.vae import VAE
from keras_gen.workshop.run import RunSettings, devices, run_recipe
from keras_gen.workshop.run import run as module
from keras_gen.workshop.run.flags import OF_RUN, PLACES
from keras_gen.workshop.visualize import samples
from shared import samples_of

# One recipe is run by the quick tests; here small runs are.
pytestmark = pytest.mark.thorough

IMAGES = np.arange(48, dtype="uint8").reshape(12, 2, 2, 1)


def history(folder="run"):
    with open(Path(folder) / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def event_steps(folder="run"):
    return processes.event_steps(folder, "epoch_loss")


def metadata_data(toy):
    return list(exported.read_metadata(toy.exported)["data"])


def compiled_vae(latent_dim, rate=1e-3):
    shape = (2, 2, 1)
    encoder = mlp_encoder(shape, latent_dim, (3,), heads=("mean", "log_variance"))
    model = VAE(encoder, mlp_decoder(shape, latent_dim, (3,)))
    model.compile(keras.optimizers.Adam(rate))
    return model


class Stop(keras.callbacks.Callback):
    """Ends the process' run at the end of an epoch, before it is saved."""

    def __init__(self, epoch, error):
        super().__init__()
        self.error, self.at = error, epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.at and self.error:
            raise self.error


def interrupt(toy, epoch, *flags):
    """Ends a run in the folder `run` after an epoch, before that is saved."""
    toy.callbacks = [Stop(epoch, KeyboardInterrupt())]
    end = toy("--output", "run", *flags)
    toy.callbacks = [Stop(None, None)]
    return end


class TestData:
    def test_an_offline_sample_is_refused_where_figures_are_compared(
        self, toy, capsys, monkeypatch
    ):
        toy.warning = "Using a small offline sample instead of the real data, because no network"
        monkeypatch.setenv(NO_OFFLINE_SAMPLE, "1")
        said = toy.fails(capsys)
        assert f"{toy.warning} Published results can be compared only on the published data" in said

    def test_a_smoke_run_takes_the_first_examples(self, toy, capsys, monkeypatch):
        monkeypatch.setattr("keras_gen.workshop.run.run.SMOKE_EXAMPLES", 3)
        toy.fails(capsys, "--preset", "smoke", "--batch-size", "100")
        assert toy.run.data["train"] == "3 examples: toys"
        toy.fails(capsys, "--preset", "cpu", "--batch-size", "100")
        assert toy.run.data["train"] == "12 examples: toys"


class TestWhole:
    def test_writes_everything(self, toy, capsys):
        toy.warning = "Using a small offline sample instead of the real data, because no network"
        assert toy("--output", "run", "--seed", "5") == 0
        folder = Path("run")
        assert sorted(path.name for path in folder.iterdir()) == [
            "checkpoints", "config.json", "elapsed.json", "export", "history.csv", "losses.png",
            "metrics.json", "progress.gif", "sample_grid.png", "samples", "tensorboard",
        ]  # fmt: skip
        config = json.loads((folder / "config.json").read_text())
        assert config == toy.run.settings.as_json() | {"run": toy.run.id, "recipe": "toy"}
        assert [row["epoch"] for row in history()] == ["1", "2", "3"]
        assert set(history()[0]) == {"epoch", "loss", "reconstruction_loss", "kl_loss"}
        assert event_steps() == [0, 1, 2]
        for epoch in (1, 2, 3):
            sample_grid = read_image(folder / "samples" / f"epoch-{epoch:04d}.png")
            assert sample_grid.shape == (1000, 1000, 3)
        assert read_image(folder / "losses.png").std() > 0
        metrics = json.loads((folder / "metrics.json").read_text())
        assert metrics["score"] == 0.5 and metrics["steps"] == 6 and metrics["seed"] == 5
        assert metrics["policy"] == "float32" and metrics["minutes"] >= 0
        assert toy.exported == Path("run/export/toy/1")
        metadata = exported.read_metadata(toy.exported)
        for place in (*PLACES, *OF_RUN):
            del config[place]
        assert metadata["config"] == config and metadata["metrics"] == metrics
        model = exported.load(toy.exported.parent)
        assert model("sample", seed=1, n=2)["images"].shape == (2, 2, 2, 1)
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == (
            "toy, preset smoke, seed 5, on toys: train 12 examples, test 4 examples"
        )
        assert lines[1].startswith("writing images and metrics to run; device: ")
        assert lines.count(toy.warning) == 2 and lines.index(toy.warning) < 5
        draw = "sample: keras-gen sample run/export/toy -n 64 --seed 0 -o samples.png"
        assert lines[-1] == draw
        assert metadata_data(toy) == ["name", "train", "test"]
        assert len(lines) <= 25
        assert "files in run: losses.png, progress.gif, sample_grid.png, metrics.json" in lines
        assert any("are meaningless" in line for line in lines)
        assert not any(line.startswith("  score") for line in lines)

    def test_every_preset_exports_into_its_folder_unless_told_otherwise(self, toy, capsys):
        assert toy("--preset", "cpu", "--output", "run") == 0
        out = capsys.readouterr().out
        assert "are meaningless" not in out and "\n  score: 0.5\n" in out
        assert toy.exported == Path("run/export/toy/1") and not Path("saved_models").exists()
        assert out.splitlines()[-1].startswith("sample: keras-gen sample run/export/toy -n 64")
        assert toy("--preset", "cpu", "--export", "saved_models") == 0
        assert toy.exported == Path("saved_models/toy/1")
        last = capsys.readouterr().out.splitlines()[-1]
        assert last.startswith("sample: keras-gen sample saved_models/toy -n 64")

    def test_prints_a_line_an_epoch_into_files(self, toy, capsys):
        toy("--output", "run")
        out = capsys.readouterr().out
        assert "\r" not in out and "\x1b" not in out and "\b" not in out
        lines = out.splitlines()
        first = lines.index("training: 3 epochs of 2 steps, batch size 4") + 1
        assert lines[first].startswith("  epoch 1 of 3, loss ") and lines[first].endswith(" left")
        assert lines[first + 1] == "  image: run/samples/epoch-0001.png"

    def test_on_two_replicas(self, toy, capsys):
        toy.eager = False
        assert toy("--output", "one", "--strategy", "default") == 0
        assert toy("--output", "two", "--strategy", "mirrored") == 0
        assert "MirroredStrategy with 2 replicas" in capsys.readouterr().out
        for one, two in zip(history("one"), history("two"), strict=True):
            np.testing.assert_allclose(float(one["loss"]), float(two["loss"]), rtol=1e-5)
        model = exported.load(toy.exported)
        assert model("sample", seed=1, n=2)["images"].shape == (2, 2, 2, 1)

    def test_a_batch_that_replicas_cannot_share(self, toy, capsys):
        said = toy.fails(capsys, "--strategy", "mirrored", "--batch-size", "3")
        assert "--batch-size is 3: expected a multiple of 2, to share it evenly" in said

    def test_auto_takes_one_gpu_for_such_a_batch(self, toy, capsys, monkeypatch):
        make = module.make_strategy
        monkeypatch.setattr(
            module, "make_strategy", lambda name: make("mirrored" if name == "auto" else name)
        )
        assert toy("--output", "run", "--batch-size", "3") == 0
        assert (
            "using only one of 2 GPUs, because --batch-size is 3, which" in capsys.readouterr().out
        )
        assert toy.run.strategy.num_replicas_in_sync == 1


class TestMeasuring:
    """The export is written before anything is measured."""

    NOTE = (
        "the trained model is exported to run/export/toy/1, and its weights are in "
        "run/checkpoints/state-000003.npz; evaluate it with python recipes/toy.py --resume "
        "--output run"
    )

    @pytest.mark.parametrize("error", [ValueError("too few"), KeyboardInterrupt(), KeyError("a")])
    def test_a_failure_loses_nothing_and_is_made_up_for(self, toy, capsys, error):
        def fail(model):
            raise error

        toy.evaluate, good = fail, toy.evaluate
        if isinstance(error, KeyError):  # of the code: nothing is hidden
            with pytest.raises(KeyError) as found:
                toy("--output", "run")
            assert found.value.__notes__ == [f"Nothing is lost: {self.NOTE}."]
        elif isinstance(error, KeyboardInterrupt):
            assert toy("--output", "run") == f"\ninterrupted: {self.NOTE}"
        else:
            said = toy.fails(capsys, "--output", "run")
            assert said.startswith(f"error: too few. Nothing is lost: {self.NOTE}. (set the env")
        path = Path("run/export/toy/1")
        there = exported.read_metadata(path)["metrics"]
        assert there["steps"] == 6 and "score" not in there
        assert len(exported.load(path.parent)("sample", seed=1, n=2)["images"]) == 2
        assert not Path("run/metrics.json").exists()

        toy.evaluate = good
        assert toy("--output", "run", "--resume") == 0
        metrics = json.loads(Path("run/metrics.json").read_text())
        assert exported.read_metadata(path)["metrics"] == metrics and metrics["score"] == 0.5
        assert [p.name for p in path.parent.iterdir()] == ["1"]

    def test_the_export_changes_no_random_number(self, toy, monkeypatch):
        found = []

        def evaluate(model):
            layer = keras.layers.Dense(3)
            layer.build([None, 2])
            found.append(layer.get_weights()[0].tolist())
            return {"score": 1.0}

        toy.evaluate = evaluate
        assert toy("--output", "run") == 0

        def consuming(*_, **__):
            keras.layers.Dense(3).build([None, 2])
            return toy.exported

        monkeypatch.setattr(module, "export", consuming)
        assert toy("--output", "again") == 0
        assert found[0] == found[1]

    def test_an_interrupt_before_the_training_leaves_nothing_to_resume(self, toy):
        def interrupt(run, source):
            raise KeyboardInterrupt

        toy.before = interrupt
        end = "\ninterrupted: nothing has been trained yet; rerun the same command"
        assert toy("--output", "run") == end

    @pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()])
    def test_an_export_that_breaks_off_leaves_no_half_one_and_is_made_up_for(
        self, toy, capsys, monkeypatch, error
    ):
        def broken(*_, **__):
            raise error

        with monkeypatch.context() as patched:
            patched.setattr("keras_gen.serving.export.drop_hints", broken)
            end = toy("--output", "run")
        again = "resume with python recipes/toy.py --resume --output run"
        said = capsys.readouterr().err if end == 1 else end
        if isinstance(error, OSError):
            assert "run/export/toy" in said and "(No space left): free some space" in said
            assert f". Nothing is lost: {again}." in said
        else:
            assert said == f"\ninterrupted: {again}"
        assert not list(Path("run/export").rglob("*"))
        assert toy("--output", "run", "--resume") == 0
        assert toy.exported == Path("run/export/toy/1")


class TestOwnData:
    def test_too_few_examples_are_refused_before_anything_is_built(self, toy, capsys):
        toy.needed = dict(train=20, test=10)
        said = toy.fails(capsys, "--images", "mine")
        assert "toys: found 12 training and 4 held-out examples, but expected at least 20" in said
        assert "Provide at least 50 images, or lower --batch-size." in said
        assert toy.model is None
        toy.needed = dict(test=5)
        assert "at least 1 and 5. Choose smaller settings." in toy.fails(capsys)

    def test_the_published_model_is_not_compared_with(self, toy, monkeypatch):
        monkeypatch.setattr(module, "versions", lambda folder: {1: folder / "1"})
        loaded = []
        monkeypatch.setattr(module, "load", lambda folder: loaded.append(folder.name))
        toy.before = lambda run, source: run.published_export()
        toy("--output", "a")
        toy("--output", "b", "--images", "mine")
        assert loaded == ["toy"]


class TestResume:
    def test_a_run_of_another_recipe_is_refused(self, toy, capsys):
        interrupt(toy, 2)
        config = json.loads(Path("run/config.json").read_text())
        Path("run/config.json").write_text(json.dumps(config | {"recipe": "other"}))
        capsys.readouterr()
        said = toy.fails(capsys, "--output", "run", "--resume")
        assert (
            "run contains a run of other, but this recipe is toy: resume the run with its own rec"
            in said
        )
        Path("run/config.json").write_text(json.dumps(config | {"run": 5}))
        said = toy.fails(capsys, "--output", "run", "--resume")
        assert "run contains a run with the identifier 5: expected text. Restore its con" in said

    def test_equals_the_unbroken_run(self, toy, capsys):
        assert toy("--output", "whole") == 0
        whole = [np.asarray(v) for v in toy.model.training_variables()]
        for epoch in (0, 2):  # before the first checkpoint, and before the last
            argv = ["--resume"] if Path("run/config.json").exists() else []
            end = interrupt(toy, epoch, *argv)
            again = "resume with python recipes/toy.py --resume --output run"
            assert end == f"\ninterrupted: {again}"
        assert toy("--output", "run", "--resume") == 0
        assert "resuming after epoch 2 from run/checkpoints/state-000002.npz" in (
            capsys.readouterr().out
        )
        np.testing.assert_equal([np.asarray(v) for v in toy.model.training_variables()], whole)
        assert history("run") == history("whole")
        assert event_steps("run") == [0, 1, 2]
        assert len(list(Path("run/samples").iterdir())) == 3

    def test_minutes_are_those_of_all_processes(self, toy):
        interrupt(toy, 2)
        assert json.loads(Path("run/elapsed.json").read_text()).keys() == {"minutes"}
        Path("run/elapsed.json").write_text('{"minutes": 600}')
        assert toy("--output", "run", "--resume") == 0
        assert 600 <= json.loads(Path("run/metrics.json").read_text())["minutes"] < 660

    def test_an_export_is_written_once(self, toy, monkeypatch):
        """Also if the run was interrupted between the export and the metrics, its last file."""
        write = module.write_json

        def interrupted(path, value):
            if path.name == "metrics.json":
                raise KeyboardInterrupt
            write(path, value)

        monkeypatch.setattr(module, "write_json", interrupted)
        assert "interrupted" in toy("--output", "run", "--export", "models")
        monkeypatch.setattr(module, "write_json", write)
        assert toy("--output", "run", "--resume") == 0
        assert toy.exported == Path("models/toy/1") and Path("run/metrics.json").exists()
        assert toy("--output", "again", "--export", "models") == 0
        assert toy.exported == Path("models/toy/2")

    def test_lost_checkpoints_are_missed(self, toy, capsys):
        interrupt(toy, 2)
        shutil.rmtree("run/checkpoints")
        said = toy.fails(capsys, "--output", "run", "--resume")
        assert "run contains losses up to epoch 2, but no checkpoint: restore checkpoints/" in said

    def test_after_the_last_checkpoint_only_the_end_is_done(self, toy, capsys):
        """As when the process was killed just after it, before the history was written."""

        def fail(model):
            raise ValueError("no room for metrics")

        toy.evaluate, good = fail, toy.evaluate
        assert "no room for metrics" in toy.fails(capsys, "--output", "run")
        whole = history()
        Path("run/history.csv").unlink()
        toy.evaluate = good
        assert toy("--resume", "--output", "run") == 0
        assert "  epoch" not in capsys.readouterr().out
        assert history() == whole and len(whole) == 3
        assert json.loads(Path("run/metrics.json").read_text())["steps"] == 6

    def test_a_stopped_training_stays_stopped(self, toy, capsys):
        def stopping():
            return [keras.callbacks.EarlyStopping("loss", min_delta=1e6, patience=1)]

        toy.callbacks, good = stopping(), toy.evaluate
        toy.evaluate = lambda model: 1 / 0
        with pytest.raises(ZeroDivisionError):
            toy("--output", "run")
        toy.callbacks, toy.evaluate = stopping(), good
        assert toy("--output", "run", "--resume") == 0
        assert len(history()) == 2

    def test_another_precision_of_this_machine_is_refused(self, toy, capsys, monkeypatch):
        monkeypatch.setattr(devices, "_computes_bfloat16", lambda: True)
        interrupt(toy, 1, "--mixed-precision", "auto")
        capsys.readouterr()
        monkeypatch.setattr(devices, "_computes_bfloat16", lambda: False)
        said = toy.fails(capsys, "--output", "run", "--mixed-precision", "auto", "--resume")
        assert "policy is 'mixed_bfloat16' in the checkpoint and 'float32' now" in said

    @pytest.mark.parametrize("images", [IMAGES[:8], IMAGES[::-1]])
    def test_other_data_are_refused(self, toy, capsys, images):
        toy.images = IMAGES
        interrupt(toy, 1)
        toy.images = images
        capsys.readouterr()
        said = toy.fails(capsys, "--output", "run", "--resume")
        there, here = (f"'{len(x)} examples: toys, checksum" for x in (IMAGES, images))
        assert f"train is {there}" in said and f"in the checkpoint and {here}" in said
        assert not Path("run/metrics.json").exists()


class TestMoreEpochs:
    """A run of two epochs trains on, to four."""

    flags = ("--output", "run", "--resume", "--epochs", "4")

    @pytest.mark.parametrize("finished", [True, False])
    def test_equals_a_run_begun_with_them(self, toy, capsys, finished):
        assert toy("--output", "whole", "--epochs", "4") == 0
        whole = [np.asarray(v) for v in toy.model.training_variables()]
        toy.callbacks = [] if finished else [Stop(1, KeyboardInterrupt())]
        toy("--output", "run", "--epochs", "2")
        toy.callbacks = [] if finished else [Stop(None, None)]
        assert toy(*self.flags) == 0
        assert "results differ from those" not in capsys.readouterr().out
        np.testing.assert_equal([np.asarray(v) for v in toy.model.training_variables()], whole)
        assert history("run") == history("whole") and event_steps("run") == [0, 1, 2, 3]
        assert json.loads(Path("run/config.json").read_text())["epochs"] == 4
        assert json.loads(Path("run/metrics.json").read_text())["steps"] == 8
        # What was finished is kept.
        assert toy.exported == Path(f"run/export/toy/{2 if finished else 1}")
        steps = [
            json.loads(p.read_text())["steps"] for p in Path("run").glob("metrics-2-epochs.json")
        ]
        assert steps == [4] * finished

    def test_schedules_go_on_by_the_new_number_which_is_said(self, toy, capsys):
        toy.rate = lambda run: run.in_halves(0.5)
        assert toy("--output", "run", "--epochs", "2") == 0
        assert "results differ from those" not in capsys.readouterr().out
        # Interrupted before a checkpoint with the new number.
        toy.callbacks = [Stop(2, KeyboardInterrupt())]
        toy(*self.flags)
        toy.callbacks = []
        assert toy("--output", "run", "--resume") == 0
        said = (
            "results differ from the results of a run started with --epochs 4, because these "
            "settings "
            "depend on the number of epochs: optimizer.learning_rate.constant_steps, "
            "optimizer.learning_rate.decay_steps"
        )
        # Of each process, at the start and at the end.
        assert capsys.readouterr().out.splitlines().count(said) == 3
        assert float(toy.model.optimizer.learning_rate) == 0 and len(history()) == 4

    def test_sweeps_are_measured_again_and_a_part_of_as_many_epochs_is_not(self, toy, capsys):
        measured = []

        def before(run, source):
            run.fit(toy.build(run), lambda start: source.stream(4, 9, start), part="p", epochs=1)
            measured.append(run.once("sum", lambda: {"epochs": run.settings.epochs}))

        toy.before = before
        assert toy("--output", "run", "--epochs", "2") == 0
        capsys.readouterr()
        assert toy(*self.flags) == 0
        out = capsys.readouterr().out
        assert "from run/p/checkpoints/state-000001.npz" in out and "Epoch 1/1" not in out
        assert measured == [{"epochs": 2}, {"epochs": 4}]
        names = sorted(path.name for path in Path("run").glob("measured*"))
        assert names == ["measured", "measured-2-epochs"]

    def test_fewer_or_as_many_are_refused(self, toy, capsys):
        assert toy("--output", "run", "--epochs", "2") == 0
        assert "finished run: choose another --output, or add --resume and a larger" in toy.fails(
            capsys, "--output", "run"
        )
        for flags in ((), ("--epochs", "2")):
            said = toy.fails(capsys, "--output", "run", "--resume", *flags)
            assert "run contains a finished run of 2 epochs: pass a larger --epochs" in said
        assert toy("--output", "run", "--resume", "--epochs", "1") == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert (
            "--epochs is 2 in that run, but 1 here. Leave the flags out (only --epochs may be"
            in said
        )
        assert Path("run/metrics.json").exists()


class TestValidation:
    """The toy's score falls by one with every step, of which an epoch has two."""

    def begin(self, toy, *callbacks):
        def score(model):
            return {"score": 10.0 - int(model.step.numpy())}

        toy.validation, toy.callbacks = dict(validate=score, best="score"), callbacks

    def test_in_all_records(self, toy, capsys):
        self.begin(toy)
        assert toy("--output", "run", "--epochs", "5", "--validate-every", "3") == 0
        assert [row["val_score"] for row in history()] == ["8.0", "", "4.0", "", "0.0"]
        (path,) = Path("run/tensorboard/validation").glob("events*")
        events = tf.compat.v1.train.summary_iterator(str(path))
        values = [(event.step, value.tag) for event in events for value in event.summary.value]
        assert [v for v in values if v[1] == "epoch_score"] == [
            (step, "epoch_score") for step in (0, 2, 4)
        ]
        out = capsys.readouterr().out
        assert "val_score 8," in out
        assert "best val_score: 0 after epoch 5, saved in run/best.keras" in out
        model = keras.saving.load_model("run/best.keras")
        np.testing.assert_array_equal(model.sample(3, seed=1), toy.model.sample(3, seed=1))

    def test_a_resumed_run_equals_the_unbroken_one(self, toy, capsys):
        self.begin(toy, Stop(None, None))
        flags = ("--epochs", "4", "--validate-every", "2")
        assert toy("--output", "whole", *flags) == 0
        self.begin(toy, Stop(2, KeyboardInterrupt()))
        toy("--output", "run", *flags)
        self.begin(toy, Stop(None, None))
        assert toy("--output", "run", "--resume") == 0
        assert history("run") == history("whole")
        assert "best val_score: 2 after epoch 4" in capsys.readouterr().out


def test_a_part_has_a_folder_of_its_own_and_is_trained_once(toy, capsys):
    parts = []

    def before(run, source):
        parts.append(toy.build(run))
        run.fit(parts[-1], lambda start: source.stream(4, 9, start), part="other", epochs=2)

    toy.before, toy.callbacks = before, [Stop(1, KeyboardInterrupt())]
    toy("--output", "run")
    assert "training other: 2 epochs of 2 steps, batch size 4" in capsys.readouterr().out
    assert [row["epoch"] for row in history("run/other")] == ["1", "2"]
    assert event_steps("run/other") == [0, 1] and len(history("run")) == 1
    toy.callbacks = [Stop(None, None)]
    assert toy("--output", "run", "--resume") == 0
    # The part was read and not trained again, and the run tells of the main model.
    out = capsys.readouterr().out
    assert "from run/other/checkpoints/state-000002.npz" in out and "  epoch 1 of 2" not in out
    first, again = ([np.asarray(v) for v in m.training_variables()] for m in parts)
    np.testing.assert_equal(again, first)
    assert json.loads(Path("run/metrics.json").read_text())["steps"] == 6
    assert len(history("run")) == 3


class TestEvaluation:
    def test_is_of_the_averages_and_the_grid_and_the_export_too(self, toy):
        """With momentum 0.5 they are neither the first nor the last weights."""
        seen = []
        toy.evaluate = lambda model: seen.append(model.decoder.get_weights()) or {"score": 1.0}
        assert toy("--output", "run", "--ema", "0.5") == 0
        trained = toy.model.decoder.get_weights()
        with averaged_weights(toy.model):
            average, grid = toy.model.decoder.get_weights(), samples(toy.model, 4)
            latents = np.ones([3, 1], "float32")
            decoded = toy.model.decode(latents)
        np.testing.assert_equal(seen[0], average)
        assert any((a != b).any() for a, b in zip(average, trained, strict=True))
        np.testing.assert_array_equal(read_image("run/sample_grid.png"), grid)
        served = exported.load(toy.exported)("decode", latents=latents)
        np.testing.assert_array_equal(served["images"], decoded)

    def test_weights_of_an_export_are_measured_as_those_of_the_training(self, toy, capsys):
        latents = np.ones([3, 1], "float32")
        toy.evaluate = lambda model: {"score": float(model.decode(latents).mean())}
        assert toy("--output", "run", "--seed", "5", "--ema", "0.5") == 0
        first = json.loads(Path("run/metrics.json").read_text())
        sampled = toy.model.sample(3, seed=1)
        again = ("--output", "again", "--seed", "5", "--ema", "0.5", "--weights", "run/export/toy")
        assert toy(*again) == 0
        assert "evaluating the weights of run/export/toy/1" in capsys.readouterr().out
        assert json.loads(Path("again/metrics.json").read_text()) == first
        assert exported.read_metadata(toy.exported)["config"]["seed"] == 5
        np.testing.assert_array_equal(
            read_image("again/sample_grid.png"), read_image("run/sample_grid.png")
        )
        assert int(toy.model.step) == json.loads(Path("again/metrics.json").read_text())["steps"]
        # The trained weights are none of the averages that were exported.
        assert (exported.load(toy.exported)("sample", seed=1, n=3)["images"] != sampled).any()

    def test_logs_of_the_training_are_given_and_none_without_one(self, toy):
        runs = []
        toy.build = lambda run: runs.append(run) or compiled_vae(latent_dim=1)
        assert toy("--output", "run") == 0
        epochs, losses = runs[-1].logged("loss")
        assert epochs == [1, 2, 3] and losses == [float(row["loss"]) for row in history("run")]
        assert runs[-1].logged("unknown") == ([], [])
        assert toy("--output", "again", "--weights", "run/export/toy") == 0
        assert runs[-1].logged("loss") == ([], [])

    def test_weights_of_another_model_are_refused(self, toy, capsys):
        assert toy("--output", "run") == 0
        toy.build = lambda run: compiled_vae(latent_dim=2)
        error = toy.fails(capsys, "--output", "again", "--weights", "run/export/toy")
        assert (
            "run/export/toy/1 contains 4 weights" in error
            and "build the model with the same arguments as the exported model" in error
        )

    def test_a_run_starts_from_the_weights_of_an_export_and_resumes_from_its_own(self, toy, capsys):
        """With a rate of 0 they stay, where nothing else sets them."""
        assert toy("--output", "run", "--seed", "5") == 0
        exported_weights = toy.model.decoder.get_weights()
        toy.build = lambda run: compiled_vae(latent_dim=1, rate=0.0)
        assert toy("--output", "again", "--start-from", "run/export/toy") == 0
        assert "starting with the weights of run/export/toy" in capsys.readouterr().out
        np.testing.assert_equal(toy.model.decoder.get_weights(), exported_weights)
        shutil.rmtree("run")
        assert toy("--output", "again", "--resume", "--epochs", "4") == 0
        np.testing.assert_equal(toy.model.decoder.get_weights(), exported_weights)

    def test_rates_fall_in_the_second_half_of_a_part_too(self, toy):
        assert toy("--output", "run", "--epochs", "4") == 0  # of two steps
        rate, short = toy.run.in_halves(0.5), toy.run.in_halves(0.5, epochs=1)
        assert [float(rate(step)) for step in (0, 4, 6, 8)] == [0.5, 0.5, 0.25, 0.0]
        assert [float(short(step)) for step in (0, 1, 2)] == [0.5, 0.5, 0.0]
        often = toy.run.in_halves(0.5, updates=3)
        assert [float(often(step)) for step in (0, 12, 18, 24)] == [0.5, 0.5, 0.25, 0.0]


def test_a_recipe_is_named_and_described_by_its_file(here, capsys):
    def main(run, s):
        assert run.name == "test_run" and s.epochs == 3

    presets = {"smoke": dict(epochs=3), "cpu": {}, "paper": {}}
    run_recipe(main, RunSettings, presets, ["--preset", "smoke", "--output", "run"])
    with pytest.raises(SystemExit):
        run_recipe(main, RunSettings, presets, ["--help"])
    assert __doc__ in capsys.readouterr().out


def test_a_run_writes_sounds(toy, here):
    sounds = np.arange(6, dtype="int16").reshape(2, 3, 1)

    def write(run, source):
        run.write_sounds("said", sounds, 8000)
        raise SystemExit(7)  # before anything is trained

    toy.before = write
    assert toy("--output", "run") == 7
    np.testing.assert_array_equal(samples_of(here / "run" / "said.wav", 8000), range(6))
