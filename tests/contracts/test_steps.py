"""Who updates whom, what seeds decide, averages, and how often a step is traced."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tiny import cheapest, difference, losses_of, optimizers, players, set_state, state, step


def weights(networks) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(w) for n in networks for w in n.trainable_variables]


@pytest.mark.quick
def test_an_optimizer_changes_its_own_networks_only(model):
    owners = players(model)
    for active in owners:
        rates = {name: 0.1 if name == active else 0.0 for name in owners}
        model.compile(**{n: keras.optimizers.SGD(rate) for n, rate in rates.items()})
        before = {name: [weights([n]) for n in nets] for name, nets in owners.items()}
        step(model)
        for name, networks in owners.items():
            trained = (pair for pair in zip(networks, before[name], strict=True) if pair[1])
            for network, old in trained:  # but for networks that start frozen
                moved = [
                    not np.array_equal(x, y) for x, y in zip(old, weights([network]), strict=True)
                ]
                assert any(moved) if name == active else not any(moved), (active, network.name)


def test_one_seed_gives_one_training_of_one_graph(tiny, trained):
    assert trained.traced_at_first == tiny.traces
    model, traces = trained.model, trained.traces
    losses = losses_of(model.fit(trained.data, verbose=0).history)
    first, first_losses = trained.first
    assert max(difference(model, first, state(model)).values(), default=0) < 1e-6
    assert set(losses) == set(model.loss_names)
    for name, values in losses.items():
        np.testing.assert_allclose(values, first_losses[name], rtol=1e-5)
    assert trained.traces == traces


def test_another_seed_gives_another_training(tiny, trained):
    other = tiny.compiled(seed=4)
    set_state(other, state(trained.model))
    for batch in trained.data:  # two: a history of images is filled before it draws
        other.train_step(batch if isinstance(batch, tuple) else (batch,))
    off = max(difference(other, trained.first[0], state(other)).values(), default=0.0)
    assert (off > 1e-5) == tiny.draws


def test_evaluation_repeats_itself_and_leaves_training_alone(tiny, trained):
    model = trained.model
    before = state(model)
    first = model.evaluate(trained.data, return_dict=True, verbose=0)
    changed = {path for path in difference(model, before, state(model))}
    networks = [w.path for n in model.networks.values() for w in n.variables]
    assert not changed & {"step", *networks} and model.step.numpy() == 0
    second = model.evaluate(trained.data, return_dict=True, verbose=0)
    assert set(first) == set(tiny.evaluated or model.loss_names)
    for name in first:
        np.testing.assert_allclose(first[name], second[name], rtol=1e-6)


def _as_array(samples):
    """Samples as an array, also those of a table."""
    if not isinstance(samples, dict):
        return samples
    return np.stack([values.astype(str) for values in samples.values()], axis=1)


def test_samples_follow_their_seed(trained):
    model = trained.model
    if not hasattr(model, "sample"):
        pytest.skip("translates, and does not sample")
    draws = [_as_array(model.sample(4, seed=seed)) for seed in (1, 1, 2, None, None)]
    np.testing.assert_array_equal(draws[0], draws[1])
    fewer = _as_array(model.sample(2, seed=1))
    if fewer.dtype.kind == "f":  # rounded otherwise in another batch
        np.testing.assert_allclose(draws[0][:2], fewer, rtol=1e-5, atol=1e-6)
    else:
        np.testing.assert_array_equal(draws[0][:2], fewer)
    for other in (draws[2], draws[3]):
        assert not np.array_equal(draws[0], other)
    assert not np.array_equal(draws[3], draws[4])
    assert not np.array_equal(draws[0][0], draws[0][1])


@cheapest
@pytest.mark.parametrize("option", [dict(steps_per_execution=2), dict(run_eagerly=True)])
def test_ways_to_run_a_step_agree(tiny, trained, option):
    trained.model.fit(trained.data, verbose=0)
    other = tiny.compiled()
    other.compile(**optimizers(other), **option)
    other.fit(trained.data, verbose=0)
    off = difference(other, state(trained.model), state(other))
    assert max(off.values(), default=0) < 1e-5


@pytest.mark.slow
@cheapest
def test_xla_runs_a_step(tiny, trained):
    model = tiny.compiled()
    model.compile(**optimizers(model), jit_compile=True)
    before = state(model)
    losses = model.fit(trained.data, verbose=0).history
    expected = trained.model.fit(trained.data, verbose=0).history
    for name, values in losses.items():
        # It draws other noise than TensorFlow's own kernels, so only the start agrees.
        np.testing.assert_allclose(values, expected[name], rtol=0.5, atol=0.5)
    assert model.step.numpy() == 2 and len(difference(model, before, state(model))) > 4


def test_generation_repeats_itself_and_traces_nothing_again(tiny, trained, monkeypatch):
    call = keras.layers.Layer.__call__
    traced = []

    def counting(layer, *args, **kwargs):
        if not tf.executing_eagerly():
            traced.append(layer.name)
        return call(layer, *args, **kwargs)

    images = tiny.generate(trained.model)
    assert len(np.unique(images)) > 1
    if hasattr(trained.model, "sample"):
        trained.model.sample(5)
    monkeypatch.setattr(keras.layers.Layer, "__call__", counting)
    np.testing.assert_array_equal(images, tiny.generate(trained.model))
    if hasattr(trained.model, "sample"):
        trained.model.sample(5)
    assert not traced
