"""Two replicas, and two workers, train as one device: noise, losses, histories and averages."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from all_tiny import TINY
from forked import run_workers
from keras_gen.core import averaged_weights, make_strategy
from tiny import cheapest, core, difference, losses_of, players, state

EPOCHS = 2
# Two replicas add up in another order, and so round otherwise. Deep networks enlarge that in their
# images, and losses with a kink in their gradients, whose terms also cancel; not so in weights.
CLOSE = 1e-6
LOOSE = {"images": 1e-5, "momentum": 1e-4, "velocity": 1e-4}


def assert_equal(model, one, many):
    for path, share in difference(model, one, many).items():
        assert share < LOOSE.get(path.split("_")[-1].split("/")[-1], CLOSE), path


def assert_same_losses(one, many, names):
    assert set(one) == set(many) == set(names)
    for name, values in one.items():
        np.testing.assert_allclose(values, many[name], rtol=CLOSE, atol=CLOSE)


def fit(trained, *data, **kwargs):
    """The state and the losses after some epochs from the start."""
    data = data or (trained.data,)
    history = trained.reset().model.fit(*data, verbose=0, **dict(epochs=EPOCHS) | kwargs).history
    return state(trained.model), losses_of(history)


def test_two_replicas_equal_one(tiny, trained, mirrored):
    before = state(trained.model)
    assert difference(mirrored.model, before, state(mirrored.model)) == {}
    one, losses = trained.first
    two, losses_of_two = mirrored.first
    assert_equal(mirrored.model, one, two)
    assert_same_losses(losses, losses_of_two, mirrored.model.loss_names)
    assert mirrored.traced_at_first == 2 * tiny.traces
    assert len(difference(mirrored.model, before, one)) > len(before) / 2


@pytest.mark.parametrize("tiny", ["VAE", "GAN", "DANN"], indirect=True)
def test_two_replicas_evaluate_as_one(tiny, trained, mirrored):
    """DANN's step of evaluation reports fewer names than its step of training."""
    data = tiny.data(7)[:2]  # 4 and 3 images: the last are dealt 2 to 1
    one, two = (
        t.model.evaluate(*data, batch_size=4, return_dict=True, verbose=0)
        for t in (trained, mirrored)
    )
    assert_same_losses(one, two, tiny.evaluated or mirrored.model.loss_names)


@cheapest
def test_two_replicas_share_an_odd_last_batch(tiny, trained, mirrored):
    # 4 and 3 images: the last are dealt 2 to 1.
    data = tiny.data(7)
    one, losses = fit(trained, *data, batch_size=4, shuffle=False)
    two, losses_of_two = fit(mirrored, *data, batch_size=4, shuffle=False)
    assert_equal(mirrored.model, one, two)
    assert_same_losses(losses, losses_of_two, mirrored.model.loss_names)


@core
def test_averages_swap_on_every_replica(mirrored):
    model = mirrored.model
    model.fit(mirrored.data, verbose=0)
    name, networks = next(iter(players(model).items()))
    weights = [w.value for network in networks for w in network.trainable_variables]
    averages = [a.value for a in getattr(model, name)._model_variables_moving_average]
    before = state(model)
    with averaged_weights(model):
        for weight, average in zip(weights, averages, strict=True):
            for copy in weight.values:
                np.testing.assert_array_equal(copy.numpy(), average.values[0].numpy())
    assert difference(model, before, state(model)) == {}
    for variable in [*weights, *averages]:
        first, second = variable.values
        np.testing.assert_array_equal(first.numpy(), second.numpy())


@core
def test_a_file_of_two_replicas_is_loaded_on_one(tiny, mirrored, tmp_path):
    mirrored.model.fit(mirrored.data, verbose=0)
    mirrored.model.save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    assert difference(model, state(mirrored.model), state(model)) == {}
    np.testing.assert_array_equal(tiny.generate(mirrored.model), tiny.generate(model))


@cheapest
def test_keras_random_layers_are_refused_on_two_replicas(tiny):
    def noisy():
        model = tiny.build(3)
        name, network = next(iter(model.networks.items()))
        inputs = keras.Input(network.input_shape[1:])
        noised = keras.layers.GaussianNoise(0.1, name="same_for_all")(inputs)
        arguments = {n: getattr(model, n) for n in model.arguments()}
        return type(model)(**arguments | {name: keras.Model(inputs, network(noised))})

    with make_strategy("mirrored").scope():
        model = noisy()
        optimizers = {name: "adam" for name in players(model)}
        with pytest.raises(ValueError, match=r"'same_for_all'.*same random values"):
            model.compile(**optimizers)
    noisy().compile(**optimizers)


@pytest.mark.parametrize("option", [dict(jit_compile=True), dict(steps_per_execution=2)])
def test_what_is_for_one_device_is_refused_on_two_replicas(option):
    with make_strategy("mirrored").scope():
        model = TINY["VAE"].build(3)
        with pytest.raises(
            ValueError, match=r"with 2 replicas: Keras supports these arguments only on"
        ):
            model.compile(**option)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("option", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_two_replicas_clip_the_gradient_of_the_whole_batch(option, scaled):
    tiny = TINY["Autoencoder"]
    found = []
    for strategy in ("default", "mirrored"):
        keras.utils.set_random_seed(0)
        with make_strategy(strategy).scope():
            model = tiny.build(3)
            sgd = keras.optimizers.SGD(0.1, **{option: 0.01})
            model.compile(keras.optimizers.LossScaleOptimizer(sgd) if scaled else sgd)
        model.fit(*tiny.data(8), batch_size=4, epochs=2, shuffle=False, verbose=0)
        found.append(state(model))
    assert_equal(model, *found)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize(
    "option", [dict(gradient_accumulation_steps=2), dict(use_ema=True, ema_overwrite_frequency=2)]
)
def test_options_of_optimizers_for_one_device_are_refused_on_two_replicas(option, scaled):
    sgd = keras.optimizers.SGD(**option)
    name = list(option)[-1]
    with make_strategy("mirrored").scope():
        model = TINY["Autoencoder"].build(3)
        with pytest.raises(ValueError, match=rf"^optimizer has {name} 2 with 2 replicas: .*Leave"):
            model.compile(keras.optimizers.LossScaleOptimizer(sgd) if scaled else sgd)


@pytest.mark.parametrize("tiny", ["GAN"], indirect=True)
def test_two_workers_equal_one_process(trained, request, tmp_path):
    one, losses = fit(trained)
    name = request.node.callspec.params["tiny"]
    for worker in run_workers(Path(__file__).with_name("worker.py"), name, EPOCHS, tmp_path):
        assert worker.returncode == 0, worker.stderr[-3000:]
    for index in range(2):
        with np.load(tmp_path / f"{index}.npz") as file:
            states = [file[f"v{i}"] for i in range(len(file.files) - 1)]
            losses_of_worker = json.loads(str(file["losses"]))
        assert_equal(trained.model, one, states)
        assert_same_losses(losses, losses_of_worker, trained.model.loss_names)
