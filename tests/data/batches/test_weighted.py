"""Streams drawn by weights: nothing runs ahead, they resume; and weights of known densities."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data.batches.weighted import inverse_density, weighted_stream
from keras_gen.data.source import Source
from keras_gen.vae.sampling_weights import SamplingWeights

SIZE = 20


def one_hot(position):
    return np.arange(SIZE) == position


def add_noise(batch, seed):
    return tf.cast(batch, tf.float32) + tf.random.stateless_uniform(batch.shape, seed)


@pytest.mark.thorough
@pytest.mark.parametrize("decode", [None, lambda x: x + 100])
@pytest.mark.parametrize("augment_batch", [None, lambda x, seed: x + 0])
def test_every_batch_is_drawn_when_it_is_asked_for(decode, augment_batch):
    """Also through maps of the user's, which TensorFlow would run ahead of time."""
    weights = SamplingWeights(SIZE)
    source = Source(np.arange(SIZE), decode=decode)
    stream = weighted_stream(source, weights, 3, augment_batch=augment_batch)
    stream = iter(stream.map(lambda x, drawn: (x + 1, drawn)))
    for position in range(SIZE):
        weights.assign(one_hot(position))
        x, drawn = next(stream)
        np.testing.assert_array_equal(x, [position + 1 + 100 * bool(decode)] * 3)
        np.testing.assert_array_equal(weights.fresh(drawn), [position] * 3)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "tensors",
    [
        np.arange(SIZE) * 2.0,
        (np.arange(SIZE) * 2.0, np.arange(SIZE)),
        {"x": np.arange(SIZE), "y": np.ones([SIZE, 2, 3], "uint8")},
    ],
)
@pytest.mark.parametrize("decode", [None, lambda example: example])
def test_the_draw_comes_last(tensors, decode):
    source = Source(tensors, decode=decode)
    stream = weighted_stream(source, SamplingWeights(SIZE), 4, seed=3)
    *example, drawn = next(iter(stream))
    example = tuple(example) if isinstance(tensors, tuple) else example[0]
    expected = tf.nest.map_structure(lambda tensor: tensor[drawn[:, 0].numpy()], tensors)
    tf.nest.map_structure(np.testing.assert_array_equal, example, expected)
    assert {spec.shape[0] for spec in tf.nest.flatten(stream.element_spec)} == {4}
    assert stream.cardinality() == tf.data.INFINITE_CARDINALITY


@pytest.mark.thorough
def test_seeds():
    source, weights = Source(np.arange(SIZE)), SamplingWeights(SIZE)

    def first(count=3, **arguments):
        stream = weighted_stream(source, weights, 8, **arguments).take(count)
        return np.array([x for x, _ in stream.as_numpy_iterator()])

    np.testing.assert_array_equal(first(seed=5), first(seed=5))
    assert not np.array_equal(first(seed=5), first(seed=6))
    three = first(seed=5)
    assert not np.array_equal(three[0], three[1])
    noisy = first(seed=5, augment_batch=add_noise)
    np.testing.assert_array_equal(np.floor(noisy), three)
    assert not np.array_equal(noisy[0] % 1, noisy[1] % 1)
    np.testing.assert_array_equal(noisy[2:], first(1, seed=5, start=2, augment_batch=add_noise))


@pytest.mark.thorough
def test_resumes_from_the_weights_and_the_number_of_batches():
    source = Source(np.arange(SIZE))

    def train(weights, steps, start=0):
        stream = weighted_stream(source, weights, 4, seed=1, start=start, augment_batch=add_noise)
        batches = []
        for x, drawn in stream.take(steps):
            weights.write(weights.fresh(drawn), tf.round(x) % 5)
            batches.append(x.numpy())
        return batches

    unbroken = SamplingWeights(SIZE)
    expected = train(unbroken, 12)
    before, after = SamplingWeights(SIZE), SamplingWeights(SIZE)
    batches = train(before, 7)
    after.set_weights(before.get_weights())
    np.testing.assert_array_equal(batches + train(after, 5, start=7), expected)
    np.testing.assert_array_equal(after.values, unbroken.values)
    # The weights matter, and not only the seed.
    assert not np.array_equal(train(SamplingWeights(SIZE), 5, start=7), expected[7:])


def test_weights_of_all_zeros_are_refused():
    weights = SamplingWeights(SIZE)
    stream = iter(weighted_stream(Source(np.arange(SIZE)), weights, 4))
    weights.write(tf.range(SIZE), tf.zeros([SIZE]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="sum of the sampling weights is"):
        next(stream)


class TestInverseDensity:
    def test_of_known_frequencies_it_is_the_inverse_density_with_the_smoothing(self):
        latents = np.repeat([0.0, 3.0, -1.0], [6, 3, 1])[:, None]
        weights = inverse_density(latents, alpha=0.2, bin_width=0.5)
        density = np.repeat([0.6, 0.3, 0.1], [6, 3, 1]) / 0.5
        expected = 1 / (density + 0.2)
        np.testing.assert_allclose(weights, expected / expected.mean(), rtol=1e-12)
        # Without smoothing every place is drawn equally often.
        weights = inverse_density(latents, alpha=0.0)
        np.testing.assert_allclose([weights[:6].sum(), weights[6:9].sum(), weights[9]], 10 / 3)

    def test_of_several_latents_it_is_the_product(self, rng):
        latents = rng.normal(size=(50, 3))
        factors = [inverse_density(column[:, None], 0.1) for column in latents.T]
        expected = np.prod(factors, axis=0)
        weights = inverse_density(latents, 0.1)
        np.testing.assert_allclose(weights, expected / expected.mean(), rtol=1e-10)

    def test_a_latent_that_hardly_varies_about_0_changes_nothing(self, rng):
        used, idle = rng.normal(size=(100, 1)), rng.normal(0, 0.01, (100, 1))
        both = np.concatenate([used, idle], axis=1)
        np.testing.assert_allclose(inverse_density(both, 0.1), inverse_density(used, 0.1))

    def test_many_latents_stay_in_the_range_of_floats(self, rng):
        weights = inverse_density(rng.normal(size=(20, 5000)), alpha=0.0)
        assert np.isfinite(weights).all() and weights.mean() == pytest.approx(1)
