"""Evaluation during training, and the best model."""

import csv
import json
import os
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from all_tiny import TINY
from keras_gen.core import TrainingState, averaged_weights
from keras_gen.core.callbacks import Evaluation
from keras_gen.workshop.run.progress import write_history
from processes import tasks
from tiny import state

NAN = float("nan")


class Scripted:
    """Gives one value after the other, in epochs of one step, and remembers the weights it saw."""

    def __init__(self, *values):
        self.values, self.epochs, self.weights = values, [], {}

    def __call__(self, model):
        epoch = int(model.step.numpy())
        self.epochs.append(epoch)
        self.weights[epoch] = model.encoder.get_weights() + model.decoder.get_weights()
        return {"nll": self.values[epoch - 1], "steps": np.float32(epoch)}


def fit(*callbacks, epochs=4, **kwargs):
    tiny = TINY["VAE"]
    model = tiny.compiled()  # whose optimizer keeps averages
    model.run_eagerly = True
    model.fit(*tiny.data(4), verbose=0, epochs=epochs, callbacks=list(callbacks), **kwargs)
    return model


def resume(folder, *callbacks, epochs=4, tracked=False):
    checkpoints = TrainingState(folder, callbacks=callbacks if tracked else ())
    return fit(*callbacks, checkpoints, epochs=epochs, initial_epoch=checkpoints.epoch)


def record(path):
    with zipfile.ZipFile(path) as members:
        return json.loads(members.read("evaluation.json"))


def assert_holds(path, weights):
    copy = keras.saving.load_model(path)
    np.testing.assert_equal(copy.encoder.get_weights() + copy.decoder.get_weights(), weights)


class TestNumbers:
    @pytest.mark.thorough
    @pytest.mark.parametrize(("every", "epochs"), [(2, [1, 2, 4, 5]), (3, [1, 3, 5]), (9, [1, 5])])
    def test_in_the_first_every_nth_and_last_epoch(self, every, epochs):
        evaluate = Scripted(5.0, 4.0, 3.0, 2.0, 1.0)
        model = fit(Evaluation(evaluate, every), epochs=5)
        assert evaluate.epochs == epochs
        history = model.history.history
        assert set(history) == {*model.loss_names, "val_nll", "val_steps"}
        assert history["val_nll"] == [6.0 - epoch for epoch in epochs]
        assert history["val_steps"] == epochs and len(history["loss"]) == 5

    def test_with_averaged_weights_and_the_trained_ones_after(self):
        seen = {}

        def evaluate(model):
            seen["inside"] = state(model)
            return {}

        def after(epoch, logs):
            seen["trained"] = state(model)
            with averaged_weights(model):
                seen["averaged"] = state(model)

        model = TINY["VAE"].compiled()
        callbacks = [Evaluation(evaluate), keras.callbacks.LambdaCallback(on_epoch_end=after)]
        model.fit(*TINY["VAE"].data(4), batch_size=1, verbose=0, callbacks=callbacks)
        np.testing.assert_equal(seen["inside"], seen["averaged"])
        assert any((a != b).any() for a, b in zip(seen["inside"], seen["trained"], strict=True))

    @pytest.mark.thorough
    def test_does_not_change_the_training(self):
        tiny = TINY["VAE"]

        def evaluate(model):
            return model.evaluate(*tiny.data(3), return_dict=True, verbose=0)

        plain, evaluated = fit(), fit(Evaluation(evaluate))
        for variable, a, b in zip(
            plain.training_variables(), state(plain), state(evaluated), strict=True
        ):
            if variable.path != plain.evaluation_step.path:
                np.testing.assert_array_equal(a, b)
        names = [*plain.loss_names, *(f"val_{name}" for name in plain.loss_names)]
        assert sorted(evaluated.history.history) == sorted(names)
        for name, values in plain.history.history.items():
            assert evaluated.history.history[name] == values

    def test_csv_files(self, tmp_path):
        logger = keras.callbacks.CSVLogger(tmp_path / "keras.csv")
        checkpoints = TrainingState(tmp_path)
        fit(Evaluation(Scripted(4.0, 3.0, 2.0, 1.0), every=2), logger, checkpoints)
        write_history(tmp_path / "ours.csv", checkpoints.logs)
        for name, missing in (("keras.csv", "NA"), ("ours.csv", "")):
            with open(tmp_path / name, newline="") as file:
                rows = list(csv.DictReader(file))
            assert [row["val_nll"] for row in rows] == ["4.0", "3.0", missing, "1.0"]
            assert all(set(row) == set(rows[0]) and float(row["loss"]) for row in rows)


class TestBest:
    @pytest.mark.thorough
    @pytest.mark.parametrize(
        ("mode", "values", "epoch"),
        [
            ("min", [3.0, 1.0, 2.0, 1.0], 2),
            ("max", [NAN, NAN, -2.0, NAN], 3),
            ("min", [0.0, NAN, -1.0, 1.0], 3),
        ],
    )
    def test_is_kept_with_the_averaged_weights(self, tmp_path, mode, values, epoch):
        evaluate, path = Scripted(*values), tmp_path / "new" / "best.keras"
        evaluation = Evaluation(evaluate, best="nll", mode=mode, path=path)
        model = fit(evaluation)
        assert (evaluation.best_epoch, evaluation.best_value) == (epoch, values[epoch - 1])
        assert record(path) == dict(metric="nll", mode=mode, epoch=epoch, value=values[epoch - 1])
        assert_holds(path, evaluate.weights[epoch])
        assert (model.encoder.get_weights()[0] != evaluate.weights[epoch][0]).any()
        model.load_weights(path)
        np.testing.assert_array_equal(model.encoder.get_weights()[0], evaluate.weights[epoch][0])
        assert [file.name for file in path.parent.iterdir()] == ["best.keras"]

    @pytest.mark.thorough
    def test_another_training_starts_anew(self, tmp_path):
        path = tmp_path / "best.keras"
        evaluation = Evaluation(Scripted(1.0, 2.0), best="nll", path=path)
        fit(evaluation, epochs=2)
        evaluation.evaluate = Scripted(9.0, 8.0)
        fit(evaluation, epochs=2)
        assert record(path)["value"] == 8.0

    @pytest.mark.thorough
    @pytest.mark.parametrize("tracked", [False, True])
    def test_goes_on_in_a_resumed_training(self, tmp_path, tracked):
        path, values = tmp_path / "best.keras", (5.0, 3.0, 4.0, 2.0)

        def train(epochs):
            evaluation = Evaluation(Scripted(*values), best="nll", path=path)
            return resume(tmp_path, evaluation, epochs=epochs, tracked=tracked), evaluation

        train(2)
        assert record(path)["value"] == 3.0
        before = path.read_bytes()
        model, evaluation = train(3)
        assert path.read_bytes() == before
        assert (evaluation.best_value, evaluation.best_epoch) == (3.0, 2)
        assert model.history.history["val_nll"] == [5.0, 3.0, 4.0]
        train(4)
        assert record(path)["epoch"] == 4 and record(path)["value"] == 2.0

    @pytest.mark.thorough
    @pytest.mark.parametrize(
        "broken",
        ["missing", "damaged", "foreign", "pipe", "other metric", "[1]", "[" * 100_000,
         '{"metric": "nll", "mode": "min", "value": "x"}',
         '{"metric": "nll", "mode": "min", "value": NaN}'],
        ids=lambda broken: broken[:40],
    )  # fmt: skip
    def test_a_file_that_tells_nothing_is_replaced(self, tmp_path, broken):
        path = tmp_path / "best.keras"
        resume(tmp_path, Evaluation(Scripted(1.0), best="nll", path=path), epochs=1)
        if broken == "missing":
            path.unlink()
        elif broken == "damaged":
            path.write_bytes(path.read_bytes()[:-30])
        elif broken == "pipe":
            path.unlink()
            os.mkfifo(path)
        elif broken == "foreign":
            TINY["VAE"].compiled().save(path)
        elif broken != "other metric":
            with zipfile.ZipFile(path) as members:
                model = {name: members.read(name) for name in members.namelist()}
            with zipfile.ZipFile(path, "w") as members:
                for name, contents in (model | {"evaluation.json": broken}).items():
                    members.writestr(name, contents)
        metric = "steps" if broken == "other metric" else "nll"
        evaluate = Scripted(0.0, 7.0)
        resume(tmp_path, Evaluation(evaluate, best=metric, path=path), epochs=2)
        assert record(path)["metric"] == metric and record(path)["epoch"] == 2
        assert_holds(path, evaluate.weights[2])

    # Before a write the files are what they are after the one before it, so after is the last only.
    @pytest.mark.thorough
    @pytest.mark.parametrize(("number", "done"), [*((n, False) for n in range(6)), (5, True)])
    def test_a_kill_at_any_write(self, tmp_path, monkeypatch, number, done):
        """Every epoch writes the best and then a checkpoint; the repeated ones are all worse."""
        path, replace, left = tmp_path / "best.keras", os.replace, []

        def kill(source, target):
            if tmp_path not in Path(target).parents:  # a temporary copy of the model
                replace(source, target)
                return
            if len(left) == number and not done:
                raise KeyboardInterrupt
            replace(source, target)
            left.append(target)
            if len(left) == number + 1:
                raise KeyboardInterrupt

        first, second = Scripted(5.0, 4.0, 3.0), Scripted(8.0, 9.0, 9.0)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(os, "replace", kill)
            resume(tmp_path, Evaluation(first, best="nll", path=path), epochs=3)
        bests = [target for target in left if target == path]
        checkpoints = len(left) - len(bests)
        resume(tmp_path, Evaluation(second, best="nll", path=path), epochs=3)
        if checkpoints:
            epoch = len(bests)
            assert record(path)["value"] == first.values[epoch - 1]
            assert_holds(path, first.weights[epoch])
        else:  # nothing to go on with
            assert record(path)["value"] == 8.0
            assert_holds(path, second.weights[1])


def test_other_workers_evaluate_and_do_not_write(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", tasks(2)[1])
    evaluation = Evaluation(Scripted(2.0, 1.0), best="nll", path=tmp_path / "best.keras")
    model = fit(evaluation, epochs=2)
    assert model.history.history["val_nll"] == [2.0, 1.0]
    assert evaluation.best_value == 1.0 and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("found", [None, 1.0, "x", {"a": "x"}, {"a": [1, 2]}])
def test_what_is_no_dict_of_numbers_is_refused(found):
    with pytest.raises(TypeError, match=r"^evaluate returned .*: expected a dict of numbers\.$"):
        fit(Evaluation(lambda model: found), epochs=1)


def test_names_that_are_there_already():
    def evaluate(model):
        return {"loss": 1.0}

    images = TINY["VAE"].data(4)
    with pytest.raises(ValueError, match="already contain val_loss, from validation_data"):
        fit(Evaluation(evaluate), validation_data=images)
