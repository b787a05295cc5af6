"""Randomness that depends on seed, step, use and place in the global batch, and on nothing else."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from keras_gen.core import make_strategy, noise, stateless_seed

DRAWS = {"normal": noise.normal, "uniform": noise.uniform, "gumbel": noise.gumbel}


@pytest.mark.thorough
@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
@pytest.mark.parametrize("shape", ["list", "mixed", "tensor"])
def test_replicas_hold_slices_of_the_single_draw(draw, shape):
    strategy = make_strategy("mirrored")
    seed = stateless_seed(1, 2, "latents")

    @tf.function
    def step():
        x = tf.ensure_shape(tf.zeros([3, 4]), [3, 4])
        kinds = {"list": [3, 4], "mixed": [tf.shape(x)[0], 4], "tensor": tf.shape(x)}
        return draw(kinds[shape], seed)

    parts = strategy.experimental_local_results(strategy.run(step))
    expected = draw([6, 4], seed)  # a graph's logarithms may be rounded otherwise
    np.testing.assert_allclose(np.concatenate(parts), expected, rtol=1e-5, atol=1e-6)


def test_nothing_is_shared_between_uses_steps_seeds_and_examples():
    keys = [(seed, step, use) for seed in (0, 1) for step in (0, 1) for use in ("a", "b")]
    drawn = np.concatenate([noise.normal([50, 4], stateless_seed(*key)).numpy() for key in keys])
    assert len(np.unique(drawn)) == drawn.size
    # Neighboring seeds and steps are as good as far ones.
    correlation = np.corrcoef(drawn.reshape(len(keys), -1))
    assert np.abs(correlation - np.eye(len(keys))).max() < 5 / np.sqrt(200)


def test_the_same_key_draws_the_same():
    seed = stateless_seed(3, tf.constant(7, tf.int64), "latents")
    assert seed.dtype == tf.int64 and seed.shape == [2]
    np.testing.assert_array_equal(seed, stateless_seed(3, 7, "latents"))
    np.testing.assert_array_equal(noise.normal([5], seed), noise.normal([5], seed))


def test_moments():
    seed = stateless_seed(0, 0, "moments")
    normal = noise.normal([20_000], seed).numpy()
    uniform = noise.uniform([20_000], seed).numpy()
    assert stats.kstest(normal, "norm").pvalue > 0.01
    assert stats.kstest(uniform, "uniform").pvalue > 0.01
    assert uniform.min() >= 0 and uniform.max() < 1
    assert stats.kstest(noise.gumbel([20_000], seed).numpy(), "gumbel_r").pvalue > 0.01


def test_gumbel_noise_is_finite_where_the_uniform_is_zero(monkeypatch):
    monkeypatch.setattr(
        tf.random, "stateless_uniform", lambda shape, *_, minval, **__: tf.fill(shape, minval)
    )
    assert np.isfinite(noise.gumbel([3], stateless_seed(0, 0, "x"))).all()


def test_categories_are_as_frequent_as_the_softmax_says():
    n, logits = 20_000, np.array([[0.0, 1.0, -2.0], [2.0, -1.0, 2.0]], "float32")
    seed = stateless_seed(0, 0, "classes")
    drawn = noise.categorical(np.tile(logits, [n, 1, 1]), seed)
    assert drawn.shape == (n, 2) and drawn.dtype == tf.int32
    frequencies = (drawn.numpy()[..., None] == np.arange(3)).mean(axis=0)
    wanted = special.softmax(logits, axis=-1)
    assert (np.abs(frequencies - wanted) < 5 * np.sqrt(wanted * (1 - wanted) / n)).all()


def test_replicas_draw_the_categories_of_the_single_draw():
    strategy = make_strategy("mirrored")
    seed = stateless_seed(1, 2, "classes")
    row = tf.constant([[[0.0, 0.5, 1.0], [0.2, 0.1, 0.0]]])
    sizes = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant([40, 20][context.replica_id_in_sync_group])
    )
    step = tf.function(lambda size: noise.categorical(tf.tile(row, [size, 1, 1]), seed))
    parts = strategy.experimental_local_results(strategy.run(step, [sizes]))
    assert [len(part) for part in parts] == [40, 20]
    whole = noise.categorical(tf.tile(row, [60, 1, 1]), seed)
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_several_draws_of_an_example_are_slices_of_the_single_draw():
    seed = stateless_seed(1, 2, "latents")
    whole = noise.several(noise.normal, [6, 4], 5, seed)
    assert whole.shape == (5, 6, 4) and len(np.unique(whole)) == 120
    one = noise.several(noise.normal, [6, 4], None, seed)
    np.testing.assert_array_equal(one, noise.normal([6, 4], seed))
    strategy = make_strategy("mirrored")
    step = tf.function(lambda: noise.several(noise.normal, [3, 4], 5, seed))
    parts = strategy.experimental_local_results(strategy.run(step))
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_seeds_of_examples_are_their_own():
    """Of equal examples they are equal; the noise is standard normal, whatever is beside them."""
    x = np.random.default_rng(0).integers(0, 256, (64, 5)).astype("float32")
    x[1] = x[0]
    seed = noise.stateless_seed(0, 0, "score")
    seeds = noise.example_seeds(tf.constant(x), seed)
    assert len({tuple(each) for each in seeds.numpy()}) == 63
    drawn = noise.several(noise.normal, [64, 40], 3, seeds).numpy()
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])
    assert abs(drawn.mean()) < 0.05 and abs(drawn.std() - 1) < 0.05
    backwards = noise.example_seeds(tf.constant(x[::-1][:7]), seed)
    np.testing.assert_array_equal(backwards, seeds[::-1][:7])
    other = noise.folded(seeds, 1)
    assert (np.abs(noise.normal([64, 40], other) - drawn[0]).max(axis=1) > 0.1).all()


@functools.cache
def images_of_few_levels():
    """Distinct examples that differ in few bits, by what they are."""
    rng = np.random.default_rng(0)
    each = np.arange(20_000)
    classes = np.eye(142)
    return {
        "binary": rng.integers(0, 2, (20_000, 28, 28, 1)),
        "binary, in -1 and 1": 2.0 * rng.integers(0, 2, (20_000, 28, 28, 1)) - 1,
        "numbers in binary": each[:, None] >> np.arange(15) & 1,
        "one-hot rows": np.concatenate([classes[each // 142], classes[each % 142]], axis=1),
        "one value": (each[:, None] + 1) / 32768,
        "gray levels": rng.integers(0, 256, (20_000, 4, 4, 1)) / 127.5 - 1,
        "two gray levels": np.stack([each // 256, each % 256], axis=1),
        "order": np.argsort(rng.uniform(size=(20_000, 9)), axis=1),
    }


@pytest.mark.thorough
@pytest.mark.parametrize("kind", images_of_few_levels())
@pytest.mark.parametrize("jit_compile", [False, True])
def test_examples_of_few_levels_have_seeds_of_their_own(kind, jit_compile):
    """As many as there are different examples, in each fold and in all folds together."""
    x = images_of_few_levels()[kind].astype("float32")
    different = len(np.unique(x.reshape(len(x), -1), axis=0))
    key = stateless_seed(0, 0, "score")

    @tf.function(jit_compile=jit_compile)
    def seeds_of(x):
        seeds = noise.example_seeds(x, key)
        return tf.concat([seeds, *(noise.folded(seeds, number) for number in range(3))], axis=0)

    seeds = seeds_of(tf.constant(x)).numpy()
    assert len(np.unique(seeds[: len(x)], axis=0)) == different
    assert len(np.unique(seeds, axis=0)) == 4 * different


def test_equal_examples_have_equal_seeds_where_zero_has_a_sign():
    seeds = noise.example_seeds(tf.constant([[0.0, 1.0], [-0.0, 1.0]]), stateless_seed(0, 0, "x"))
    np.testing.assert_array_equal(seeds[0], seeds[1])


def test_the_noise_of_neighboring_examples_and_folds_is_uncorrelated():
    x = tf.constant(np.eye(60), tf.float32)
    seeds = noise.example_seeds(x, stateless_seed(0, 0, "score"))
    drawn = [noise.normal([60, 1000], each) for each in (seeds, noise.folded(seeds, 0))]
    correlation = np.corrcoef(tf.concat(drawn, axis=0))
    assert np.abs(correlation - np.eye(120)).max() < 6 / np.sqrt(1000)


def test_seeds_of_numbers_are_splitmix():
    """The first outputs of SplitMix64 for the seed 1234567, as published with its C code."""
    seeds = tf.constant([[1234567, 0]], tf.int64)
    found = [int(noise.folded(seeds, number)[0, 0]) % 2**64 for number in range(3)]
    assert found == [6457827717110365317, 3203168211198807973, 9817491932198370423]
