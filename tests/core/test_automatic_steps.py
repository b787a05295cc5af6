"""`steps_per_execution="auto"`: many steps per call where nothing is lost, with equal weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from all_tiny import TINY
from keras_gen.core import make_strategy
from keras_gen.core.callbacks import TimeLeft
from keras_gen.data import Source
from tiny import difference, state


class Calls(keras.callbacks.Callback):
    """Notes how many steps each call took, without listening to batches itself."""

    def on_train_begin(self, logs=None):
        function, self.steps, self.per_call = self.model.train_function, [], []

        def counted(iterator):
            before = int(self.model.step.numpy())
            logs = function(iterator)
            self.steps.append(int(self.model.step.numpy()) - before)
            self.per_call.append(self.model.steps_per_execution)
            return logs

        self.model.train_function = counted
        self.function = function

    def on_train_end(self, logs=None):
        self.model.train_function = self.function


def compiled(steps, tiny="VAE", **options):
    model = TINY[tiny].compiled()
    model.compile(steps_per_execution=steps, **options)
    return model


def fitted(model, *data, callbacks=(), **options):
    calls = Calls()
    history = model.fit(*data, callbacks=[calls, *callbacks], verbose=0, **options).history
    return calls.steps, history


def images(model, count):
    shape = model.edges["x"].shape
    return np.random.default_rng(0).integers(0, 256, (count, *shape), "uint8")


def test_runs_equal_those_of_single_steps():
    one, auto = compiled(1), compiled("auto")
    x = images(one, 8)
    assert fitted(one, x, batch_size=4, shuffle=False)[0] == [1, 1]
    assert fitted(auto, x, batch_size=4, shuffle=False)[0] == [2]
    assert max(difference(one, state(one), state(auto)).values(), default=0) < 1e-6


@pytest.mark.thorough
def test_longer_runs_equal_those_of_single_steps_and_resume_exactly(tmp_path):
    results = []
    for steps in (1, "auto"):
        model = compiled(steps)
        x = images(model, 25)
        found = [fitted(model, Source(x), batch_size=4, epochs=2, validation_data=x[:11])]
        # An endless stream, of which Keras would take more than the steps of an epoch.
        stream = Source(x).stream(3, seed=1)
        found.append(fitted(model, stream, steps_per_epoch=9, validation_data=stream,
                            validation_steps=3))  # fmt: skip
        found.append(fitted(model, x, batch_size=4, shuffle=False))  # a partial batch is last
        found.append(fitted(model, x[:4], batch_size=4, epochs=3, initial_epoch=1))
        evaluated = model.evaluate(stream, steps=2, verbose=0)
        results.append((model, found, evaluated))
    (one, singly, loss), (auto, together, same_loss) = results
    assert [calls for calls, _ in singly] == [[1] * 12, [1] * 9, [1] * 7, [1] * 2]
    assert [calls for calls, _ in together] == [[6, 6], [3, 3, 3], [7], [1, 1]]
    for (_, history), (_, same) in zip(singly, together, strict=True):
        for name, values in history.items():
            np.testing.assert_allclose(same[name], values, rtol=1e-5)
    np.testing.assert_allclose(same_loss, loss, rtol=1e-5)
    assert max(difference(one, state(one), state(auto)).values(), default=0) < 1e-6
    assert auto.step.numpy() == one.step.numpy() == 30 and auto.steps_per_execution == 1
    auto.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_compile_config()["steps_per_execution"] == "auto"
    x = images(loaded, 20)
    assert fitted(loaded, x, batch_size=4)[0] == [5]
    loaded.train_on_batch(x[:4])
    assert loaded.step.numpy() == 36 and fitted(loaded, x, batch_size=20)[0] == [1]


class Own(keras.callbacks.ModelCheckpoint):
    def on_train_batch_end(self, batch, logs=None):
        pass


def test_callbacks_of_batches_are_called_for_each(tmp_path):
    model = compiled("auto")
    x = images(model, 20)
    seen = []
    path = str(tmp_path / "{epoch}.weights.h5")
    each = [
        keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch)),
        keras.callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=2),
        Own(path, save_weights_only=True),
        keras.callbacks.TensorBoard(tmp_path, update_freq=1, write_graph=False),
    ]
    for callback in each:
        assert fitted(model, x, batch_size=4, callbacks=[callback])[0] == [1] * 5
    assert seen == [0, 1, 2, 3, 4]
    epochs = [
        TimeLeft(),
        keras.callbacks.ModelCheckpoint(path, save_weights_only=True),
        keras.callbacks.TensorBoard(tmp_path, write_graph=False),
        keras.callbacks.EarlyStopping("loss"),
    ]
    assert fitted(model, x, batch_size=4, callbacks=epochs)[0] == [5]


@pytest.mark.filterwarnings("ignore:Your input ran out of data")  # of Keras, after any such data
@pytest.mark.parametrize("data", ["generator", "unknown size", "eager"])
def test_single_steps_where_the_number_is_unknown_or_in_eager_mode(data):
    model = compiled("auto", run_eagerly=data == "eager")
    x = images(model, 8)
    given = {
        "generator": (batch for batch in np.split(x, 2)),
        "unknown size": tf.data.Dataset.from_tensor_slices(x).batch(4).filter(lambda x: True),
        "eager": Source(x).batches(4),
    }
    assert fitted(model, given[data])[0] == [1, 1]


def test_replicas_and_growing_networks_take_single_steps():
    with make_strategy("mirrored").scope():
        model = compiled("auto")
    assert fitted(model, images(model, 8), batch_size=4)[0] == [1, 1]
    model = compiled("auto", "ProgressiveGAN")
    assert model.steps_per_execution == 1 and model.get_compile_config()["steps_per_execution"] == 1


@pytest.mark.parametrize("name", ["VAE", "ProgressiveGAN"])
@pytest.mark.parametrize("steps", ["automatic", 0, 2.0, None])
def test_other_numbers_of_steps_are_refused(steps, name):
    sentence = r"steps_per_execution is .*: expected an integer"
    with pytest.raises((TypeError, ValueError), match=sentence):
        compiled(steps, name)
