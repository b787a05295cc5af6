"""Chains, gradients, and the buffer of EBM, against numpy, for energies with known slopes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gen
from keras_gen.core import NonFiniteLossError, training_step
from keras_gen.energy_based import EBM

STEP, TEMPERATURE, CLIP, ALPHA = 0.2, 0.5, 3.0, 0.1


def linear(width=2, **options):
    """E(x) = w x, whose slope is w everywhere, without noise on the data."""
    network = keras.Sequential([keras.Input((width,)), keras.layers.Dense(1, use_bias=False)])
    network.layers[0].kernel.assign(np.linspace(1.0, -4.0, width)[:, None])
    return made(network, **options)


def quadratic(variance, **options):
    """E(x) = x^2 / (2 variance)."""
    x = keras.Input((1,))
    network = keras.Model(x, keras.layers.Dense(1, use_bias=False)(keras.ops.square(x)))
    network.layers[-1].kernel.assign([[1 / (2 * variance)]])
    return made(network, **options)


def made(network, **options):
    defaults = dict(steps=1, step_size=STEP, temperature=TEMPERATURE, clip=CLIP, reset=0.0)
    defaults |= dict(buffer_size=8, magnitude=ALPHA, data_noise=0.0, data="vectors")
    return EBM(network, **defaults | options, seed=5)


def moved(model, start, noise):
    """One step of eq. (1) in numpy, for the linear energy."""
    w = model.network.layers[0].kernel.numpy()[:, 0]
    ends = start - STEP * np.clip(w, -CLIP, CLIP) + np.sqrt(2 * STEP * TEMPERATURE) * noise
    return np.clip(ends, -model.limit, model.limit)


@pytest.mark.parametrize("from_data", [0, 1])
def test_a_step_is_algorithm_1(from_data, rng):
    model = linear(from_data=from_data)
    model.compile(keras.optimizers.SGD(1.0))
    x = rng.normal(size=(4, 2)).astype("float32")
    before, w = model.buffer.numpy(), model.network.layers[0].kernel.numpy()
    with training_step(model):
        places, start = model.starts(tf.constant(x))
        noise = model.normal("chain", [4, 1, 2])[:, 0].numpy()
    places = places.numpy()
    assert len(set(places)) == 4
    np.testing.assert_array_equal(start, x if from_data else before[places])
    ends = moved(model, start.numpy(), noise)
    of_data, of_chains = x @ w, ends @ w
    report = model.train_step(x)
    np.testing.assert_allclose(report["contrast_loss"], np.mean(of_data - of_chains), rtol=1e-5)
    size = np.mean(of_data**2 + of_chains**2)
    np.testing.assert_allclose(report["magnitude_loss"], size, rtol=1e-5)
    # The mean gradient at the data minus that at the ends of the chains, and of the squares.
    slope = (x - ends).mean(axis=0) + 2 * ALPHA * (of_data * x + of_chains * ends).mean(axis=0)
    np.testing.assert_allclose(
        model.network.layers[0].kernel[:, 0], w[:, 0] - slope, rtol=1e-5, atol=1e-6
    )
    expected = before.copy()
    expected[places] = ends
    np.testing.assert_allclose(model.buffer, expected, rtol=1e-5, atol=1e-6)


def test_evaluation_leaves_the_buffer_alone(rng):
    model = linear()
    model.compile()
    before = model.buffer.numpy()
    model.evaluate(rng.normal(size=(8, 2)), batch_size=4, verbose=0)
    np.testing.assert_array_equal(model.buffer, before)


@pytest.mark.parametrize("variance", [1.0, 0.25])
@pytest.mark.parametrize("step_size", [0.2, 0.01])
def test_the_stationary_variance_of_chains(variance, step_size):
    """x' = a x + b z: exactly T s^2 / (1 - eta / (2 s^2)), above that of the density for T = 1.

    Contrastive divergence with one step is at rest where this variance is that of the data, so the
    energy and not the samples carries the bias: a^2 d + b^2 = d for data of variance d.
    """
    model = quadratic(variance, step_size=step_size, clip=100.0)
    a = float(model.chain(tf.ones([1, 1]), 1, lambda k: tf.zeros([1, 1]))[0, 0])
    b = float(model.chain(tf.zeros([1, 1]), 1, lambda k: tf.ones([1, 1]))[0, 0])
    expected = TEMPERATURE * variance / (1 - step_size / (2 * variance))
    np.testing.assert_allclose(b**2 / (1 - a**2), expected, rtol=1e-5)
    # Several steps are the same step repeated.
    draws = tf.constant([1.0, 0.1, 0.01])[:, None, None]
    three = model.chain(tf.ones([1, 1]), 3, lambda k: draws[k])
    np.testing.assert_allclose(three, [[a**3 + b * (a**2 + a / 10 + 1 / 100)]], rtol=1e-5)


def test_slopes_and_points_have_bounds():
    model = linear(steps=1, temperature=0.0, limit=1.5)
    found = model.chain(tf.constant([[0.0, 0.0], [-1.4, 1.4]]), 1, lambda k: tf.zeros([2, 2]))
    np.testing.assert_allclose(found, [[-STEP, CLIP * STEP], [-1.5, 1.5]], rtol=1e-6)
    # Examples outside count as examples on the border.
    np.testing.assert_array_equal(model.score([[9.0, 0.0]]), model.score([[1.5, 0.0]]))


def test_the_share_of_chains_that_start_from_noise():
    model = linear(reset=0.3, buffer_size=4000, limit=2.0)
    model.buffer.assign(np.full(model.buffer.shape, 7.0))
    with training_step(model):
        _, start = model.starts(tf.zeros([4000, 2]))
    fresh = start.numpy()[start.numpy()[:, 0] != 7.0]
    assert abs(len(fresh) / 4000 - 0.3) < 0.04  # 5 standard deviations
    assert np.abs(fresh).max() <= 2 and np.abs(fresh.mean(axis=0)).max() < 0.2
    np.testing.assert_allclose(fresh.var(axis=0), 4 / 3, rtol=0.1)


def test_samples_continue_different_chains_or_start_from_noise():
    model = linear(limit=2.0)
    assert np.abs(model.buffer.numpy()).max() <= 2  # the buffer starts as noise
    stored = {tuple(row) for row in model.buffer.numpy()}
    drawn = model.sample(8, seed=1, steps=0)
    assert {tuple(row) for row in drawn} == stored
    np.testing.assert_array_equal(model.sample(11, seed=1, steps=0, batch_size=3)[8:], drawn[:3])
    fresh = model.sample(8, seed=1, steps=0, start="noise")
    assert not stored & {tuple(row) for row in fresh}
    further = model.sample(8, seed=1, steps=1)
    drift = further - drawn + STEP * np.clip(model.network.layers[0].kernel.numpy()[:, 0], -3, 3)
    assert 0.1 < drift.std() < 1 and not np.array_equal(drift[0], drift[1])


def test_energies_that_diverge_end_the_training():
    model = linear()
    model.compile(keras.optimizers.SGD(1.0))
    model.network.layers[0].kernel.assign([[1e4], [1e4]])
    before, w = model.buffer.numpy(), model.network.layers[0].kernel.numpy()
    with pytest.raises(NonFiniteLossError):
        model.fit(np.full((4, 2), 3.0), batch_size=4, verbose=0)
    np.testing.assert_array_equal(model.buffer, before)
    np.testing.assert_array_equal(model.network.layers[0].kernel, w)


def test_refusals():
    two = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"shape \(None, 2\): expected energies .* one unit\.$"):
        EBM(two, data="vectors")
    for layer in (keras.layers.Dropout(0.5), keras.layers.BatchNormalization()):
        network = keras.Sequential([keras.Input((2,)), layer, keras.layers.Dense(1)])
        with pytest.raises(
            ValueError, match=f"layer '{layer.name}': expected an energy that depends"
        ):
            EBM(network, data="vectors")
    with pytest.raises(ValueError, match=r"buffer_size is 1000000 .* smaller buffer_size\.$"):
        EBM.for_images((32, 32, 3), filters=(2,), buffer_size=1_000_000)
    model = linear(buffer_size=3)
    model.compile()
    with pytest.raises(ValueError, match=r"batch of 4 is larger than the buffer of 3: increase"):
        model.fit(np.zeros((4, 2)), batch_size=4, verbose=0)


def test_the_default_learning_rate_for_images_is_the_papers():
    model = EBM.for_images((2, 2, 1), filters=(2,), buffer_size=1)
    rate = model.players()["optimizer"].optimizer().learning_rate
    np.testing.assert_allclose(rate.numpy(), 1e-4)


@pytest.mark.slow
def test_energies_of_vectors_approach_the_log_density(rng):
    keras.utils.set_random_seed(0)
    model = EBM.for_vectors(1, hidden=(32,), seed=1)
    model.compile()
    model.fit(3 + 2 * rng.normal(size=(20_000, 1)), batch_size=200, epochs=12, verbose=0)
    energies = model.score([[3.0], [1.0], [5.0], [7.0]])
    np.testing.assert_allclose(energies[1:] - energies[0], [0.5, 0.5, 2.0], atol=0.3)
    samples = model.sample(2000, seed=1, batch_size=2000)
    assert abs(samples.mean() - 3) < 0.4 and abs(samples.std() - 2) < 0.4


def test_a_buffer_that_is_not_finite_is_neither_loaded_nor_exported(tmp_path):
    model = linear(buffer_size=4)
    model.compile()
    model.buffer.assign(np.full(model.buffer.shape, np.nan))
    model.save(tmp_path / "model.keras")
    for call in (
        lambda: keras_gen.load(tmp_path / "model.keras"),
        lambda: model.export(tmp_path / "export"),
        lambda: model.fit(np.zeros((4, 2)), batch_size=4, verbose=0),
    ):
        with pytest.raises(NonFiniteLossError, match=r"buffer of \w+ is not finite: load a good"):
            call()
