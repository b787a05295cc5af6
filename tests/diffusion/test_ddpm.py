"""DDPM's loss and bound against numpy and closed forms."""

import math
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import norm

from diffusion_networks import best_network
from keras_gen import diffusion
from keras_gen.core import training_step
from keras_gen.core.noise import normal
from keras_gen.diffusion import DDPM, ConditionalDDPM, CosinePath, LinearPath, variational_bound
from keras_gen.diffusion.variational_bound import (
    first_nats,
    last_divergence,
    log_prob_of_levels,
    parts_of_steps,
)
from keras_gen.networks import time_mlp
from shared import losses_of, step_noise

SHORT = LinearPath(steps=20, first=0.01, last=0.4)


def small(**options):
    network = time_mlp((3,), width=4, blocks=1, frequencies=0)
    return DDPM(network, SHORT, chain_steps=20, data="vectors", **options)


@pytest.mark.parametrize("prediction", ["noise", "example", "v"])
def test_the_loss_is_eq_14(rng, prediction):
    model = small(prediction=prediction, seed=4)
    x = rng.normal(size=(4, 3)).astype("float32")
    model.compile()
    t = np.ceil((np.arange(4) + step_noise(model, "times", [4], False, "uniform")) / 4 * 20) / 20
    noise = step_noise(model, "noise", [4, 3], False)
    alpha = np.cumprod(1 - np.linspace(0.01, 0.4, 20))[np.round(t * 20).astype(int) - 1, None]
    x_t = np.sqrt(alpha) * x + np.sqrt(1 - alpha) * noise
    v = np.sqrt(alpha) * noise - np.sqrt(1 - alpha) * x
    target = {"noise": noise, "example": x, "v": v}[prediction]
    output = model.network([x_t, t.astype("float32")]).numpy()
    expected = ((target - output) ** 2).mean()
    assert losses_of(model, x)["loss"] == pytest.approx(expected, rel=1e-4)


def test_the_times_of_a_batch_are_spread_evenly():
    model = small()
    with training_step(model):
        times = model.even_times(tf.zeros([10, 3])).numpy()
    np.testing.assert_array_equal(np.floor(times * 10), np.arange(10))


def mean_bound(variance, steps, x, draws=20_000, seed=0):
    """Mean and standard error of the bound of one example, by draws."""
    path = LinearPath(steps=steps, first=0.05, last=0.6)
    model = DDPM(
        best_network(path, "noise", (1,)), path, chain_steps=steps, variance=variance,
        data="vectors", seed=seed,
    )  # fmt: skip
    # One seed for all examples draws other noise for each, and all at once.
    model.score_seeds = lambda x: tf.constant([seed, 1], tf.int64)
    nats = model.nats(tf.fill([draws, 1], float(x))).numpy()
    return float(nats.mean()), float(nats.std()) / draws**0.5


@pytest.mark.filterwarnings("ignore:The ratio of example to noise")
@pytest.mark.parametrize("steps,x", [(2, 0.5), pytest.param(9, -1.7, marks=pytest.mark.thorough)])
def test_the_bound_of_normal_data_is_exact(steps, x):
    """E(L_0 + ... + L_T) is -log p(x) for each x, if variances are beta; else it is larger."""
    expected = 0.5 * x**2 + 0.5 * math.log(2 * math.pi)
    mean, error = mean_bound("beta", steps, x)
    assert mean == pytest.approx(expected, abs=4 * error) and error < 0.01
    too_narrow, error = mean_bound("beta_tilde", steps, x)
    assert too_narrow > expected + 4 * error


def test_parts_of_the_chain_hold_each_step_once():
    for steps in (1, 5, 16, 17, 19, 49, 999):
        ends = parts_of_steps(steps)
        assert ends[0] == 0 and ends[-1] == steps and len(ends) == min(16, steps) + 1
        assert (np.diff(ends) > 0).all()


def test_the_steps_of_a_part_are_drawn_evenly(monkeypatch):
    """So that the estimate is right on average: here for divergences that are the step."""
    monkeypatch.setattr(variational_bound, "divergence", lambda model, x, step, seeds: step)
    path = LinearPath(steps=40)
    model = DDPM(best_network(path, "noise", (1,)), path, chain_steps=40, data="vectors")
    seed = tf.constant([0, 1], tf.int64)  # of all examples, which draws other steps for each
    found = variational_bound.later_divergences(model, tf.zeros([4000, 1]), seed)
    error = np.std(found) / np.sqrt(4000)
    assert np.mean(found) == pytest.approx(sum(range(2, 41)), abs=4 * error) and error < 1


def test_one_score_varies_less_than_parts_of_equal_size_let_it():
    path = LinearPath()
    model = DDPM(best_network(path, "v", (1,)), path, prediction="v", data="vectors")
    model.score_seeds = lambda x: tf.constant([0, 1], tf.int64)
    nats = model.nats(tf.fill([2000, 1], 0.5)).numpy()
    assert nats.std() < 2.5  # with equal parts 7


def test_what_the_end_of_the_chain_costs():
    """L_T is about 1e-5 bits/dim of images in the paper."""
    model = DDPM(time_mlp((4, 4, 1), width=4, blocks=1))
    x = np.random.default_rng(0).uniform(-1, 1, (8, 4, 4, 1)).astype("float32")
    bits = last_divergence(model.probability_path, tf.constant(x)).numpy() / math.log(2) / 16
    assert 1e-6 < bits.mean() < 3e-5
    # KL(N(a x, 1 - a^2) || N(0, 1)) by hand.
    square = np.prod(1 - np.linspace(1e-4, 0.02, 1000))
    expected = 0.5 * (square * x**2 - square - np.log1p(-square)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(bits * math.log(2) * 16, expected, rtol=0.02)


def test_levels_have_the_mass_around_them():
    """Eq. (13), and all levels together have the mass 1."""
    levels = np.arange(256) / 127.5 - 1
    found = np.exp(log_prob_of_levels(levels.astype("float32"), 0.9, 0.1))
    assert found.sum() == pytest.approx(1, abs=1e-5)
    edges = np.concatenate([[-np.inf], levels[:-1] + 1 / 255, [np.inf]])
    expected = np.diff(norm.cdf(edges, 0.9, 0.1))
    likely = expected > 1e-6
    np.testing.assert_allclose(found[likely], expected[likely], rtol=0.02)


@pytest.mark.parametrize("black_level", [0, -51])
def test_predicted_images_are_clipped(rng, black_level):
    """And the noise follows from what is left of the example."""
    network = best_network(CosinePath(), "noise", (2, 2, 1))
    model = DDPM(network, "cosine", black_level=black_level)
    x_t = tf.constant(rng.normal(size=(5, 2, 2, 1)).astype("float32") * 9)
    t = tf.constant(0.5)
    parts = model.parts(x_t, t)
    alpha, sigma = model.probability_path.alpha(t), model.probability_path.sigma(t)
    black = -1 + black_level / 127.5
    np.testing.assert_allclose(parts.example, tf.clip_by_value(alpha * x_t, black, 1), atol=1e-4)
    np.testing.assert_allclose(alpha * parts.example + sigma * parts.noise, x_t, rtol=1e-4)


def test_black_that_is_trained_darker_has_the_mass_of_all_that_is_clipped():
    network = best_network(SHORT, "noise", (1, 1, 1))
    model = DDPM(network, SHORT, chain_steps=20, black_level=-12)
    x = model.prepare(np.zeros((3, 1, 1, 1), "uint8"))
    seeds = model.score_seeds(x)
    deviation = SHORT.sigma(tf.constant(1 / 20))
    x_1 = SHORT.at(tf.constant(1 / 20), x, normal(tf.shape(x), seeds))
    mean = model.parts(x_1, tf.fill([3], 1 / 20)).example[:, 0, 0, 0]
    expected = -norm.logcdf((-1 + 1 / 255 - mean) / deviation)
    np.testing.assert_allclose(first_nats(model, x, seeds), expected, rtol=1e-3)


LONG_CHAIN = """
import resource

import keras

from keras_gen import DDPM

points, times = keras.Input((32, 32, 3)), keras.Input(())
scaled = keras.layers.Conv2D(3, 1)(points) + times[:, None, None, None]
model = DDPM(keras.Model([points, times], scaled))


def peak():  # MiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


model.sample(256, seed=0, steps=2, solver="ancestral", batch_size=256)
before = peak()
model.sample(256, seed=0, steps=100, solver="ancestral", batch_size=256)
print(peak() - before)
"""


@pytest.mark.slow
def test_a_long_chain_takes_no_more_memory_than_a_short_one():
    """The noise of 100 steps, drawn before the first, would take 300 MiB."""
    done = subprocess.run(
        [sys.executable, "-c", LONG_CHAIN], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 100


def test_the_noise_of_vectors_on_the_cosine_path_is_warned_of():
    """Training led to samples of a thousand times the data's deviation."""
    with pytest.warns(UserWarning, match="CosinePath leaves 5e-05 of an example at its end"):
        DDPM.for_vectors(2, width=4, blocks=1, probability_path="cosine", prediction="noise")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert DDPM.for_vectors(2, width=4, blocks=1, probability_path="cosine").prediction == "v"
        DDPM.for_images((8, 8, 1), widths=(8,), probability_path="cosine")


def test_lines_between_the_codes_of_a_class(rng):
    network = time_mlp((2,), width=4, blocks=1, classes=3)
    model = ConditionalDDPM(network, classes=3, data="vectors")
    x, labels = rng.normal(size=(4, 2)).astype("float32"), np.array([0, 2])
    line = model.interpolate(x[:2], x[2:], steps=3, labels=labels)
    assert line.shape == (2, 3, 2)
    expected = model.decode(model.encode(x[:2], labels), labels)
    np.testing.assert_allclose(line[:, 0], expected, rtol=1e-3, atol=1e-4)


def test_guidance_leads_away_from_what_has_no_class(rng):
    """Eq. (6) of Ho & Salimans: (1 + w) e(x, c) - w e(x)."""
    network = time_mlp((2,), width=4, blocks=1, classes=3)
    model = ConditionalDDPM(network, classes=3, data="vectors")
    x, t = rng.normal(size=(4, 2)).astype("float32"), np.full(4, 0.3, "float32")
    labels = np.array([0, 1, 2, 0], "int32")
    with_label = network([x, t, labels])
    without = network([x, t, np.full(4, 3, "int32")])
    for guidance in (0.0, 2.0):
        found = model.network_output(x, t, tf.constant(labels), tf.constant(guidance))
        expected = (1 + guidance) * with_label - guidance * without
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.thorough
def test_samples_follow_the_guidance():
    network = time_mlp((2,), width=4, blocks=1, classes=3)
    model = ConditionalDDPM(network, classes=3, data="vectors")
    plain = model.sample(4, seed=1, label=2, steps=3)
    guided = model.sample(4, seed=1, label=2, steps=3, guidance=2.0)
    assert abs(plain - guided).max() > 1e-3


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["DDPM", "EDM", "FlowMatching", "ConditionalDDPM"])
def test_networks_may_end_in_half_precision(name, rng):
    """Keras' own layers do under a policy of mixed precision."""
    cls = getattr(diffusion, name)
    given = dict(labels=tf.constant([0, 1])) if name == "ConditionalDDPM" else {}
    network = time_mlp((5,), width=4, blocks=1, classes=2 if given else None)
    half = keras.layers.Activation("linear", dtype="bfloat16")(network.output)
    network = keras.Model(network.inputs, half)
    assert network.output.dtype == "bfloat16"
    model = cls(network, **(dict(classes=2) if given else {}), data="vectors")
    x = tf.constant(rng.normal(size=(2, 5)), tf.float32)
    with training_step(model):
        assert model.terms({"x": x, **given})["denoising"].dtype == tf.float32
    assert np.isfinite(model.sample(2, seed=1, steps=2)).all()
    t = tf.fill([2], 0.5)
    if given:
        assert model.network_output(x, t, given["labels"], 1.0).dtype == tf.float32
    elif name != "DDPM":
        assert model.velocity(x, tf.constant(0.5)).dtype == tf.float32


def test_some_examples_lose_their_label(rng):
    network = time_mlp((2,), width=4, blocks=1, classes=3)
    model = ConditionalDDPM(network, classes=3, data="vectors", unlabeled=0.25)
    seen = []
    model.network_output = lambda x_t, t, labels: seen.append(labels.numpy()) or tf.zeros_like(x_t)
    labels = tf.constant(np.arange(400) % 3)
    with training_step(model):
        model.terms({"x": tf.zeros([400, 2]), "labels": labels})
    lost = seen[0] == 3
    assert 0.15 < lost.mean() < 0.35
    np.testing.assert_array_equal(seen[0][~lost], labels.numpy()[~lost])


def test_what_is_refused():
    network = time_mlp((3,), width=4, blocks=1)
    for options, sentence in (
        (dict(probability_path="karras"), "KarrasPath ends at time 80: expected a path that"),
        (dict(chain_steps=10**9), "chain_steps is 1000000000: expected an integer from 2 to 10000"),
        (
            dict(probability_path="straight", data="vectors"),
            "StraightPath leaves 0e[+]00 of an example at its end",
        ),
        (dict(black_level=3), "black_level is 3: expected a number from -255 to 0"),
        (dict(data="vectors", black_level=-3), "black_level is -3, but the data are vectors"),
    ):
        with pytest.raises(ValueError, match=sentence):
            DDPM(network, **options)
    with pytest.raises(ValueError, match=r"has 2 inputs: expected 3 \(points times labels -> poin"):
        ConditionalDDPM(network, classes=3)
    conditional = time_mlp((3,), 4, 1, classes=2)
    with pytest.raises(ValueError, match="accepts labels from 0 to 2: expected labels from 0 to 5"):
        ConditionalDDPM(conditional, classes=5, data="vectors")
    unguided = ConditionalDDPM(conditional, classes=2, data="vectors", unlabeled=0)
    with pytest.raises(ValueError, match=r"guidance .* \[0, 0\], because nothing is trained"):
        unguided.sample(2, label=1, guidance=1.0)
