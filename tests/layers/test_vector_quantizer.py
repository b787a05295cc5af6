"""The codebook: nearest codes, moving averages, restarts."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import cdist

from keras_gen.core import make_strategy, stateless_seed
from keras_gen.layers.vector_quantizer import VectorQuantizer

SEED = stateless_seed(0, 0, "restarts")


def normal(rng, *shape):
    return tf.constant(rng.normal(size=shape), tf.float32)


def quantizer(rng, codes=6, dim=3, **options):
    """One whose codes lie among latents of a Normal distribution."""
    layer = VectorQuantizer(codes, dim, **options)
    layer.codebook.assign(rng.normal(size=(codes, dim)))
    layer.sums.assign(layer.codebook * layer.counts[:, None])
    return layer


def state(layer):
    return [weight.numpy() for weight in layer.variables]


def test_codes_are_the_nearest(rng):
    layer, latents = quantizer(rng, codes=20), normal(rng, 5, 4, 2, 3)
    quantized, indices = layer(latents)
    distances = cdist(latents.numpy().reshape(-1, 3), layer.codebook.numpy())
    assert indices.dtype == tf.int32 and indices.shape == (5, 4, 2)
    np.testing.assert_array_equal(indices, distances.argmin(1).reshape(5, 4, 2))
    np.testing.assert_array_equal(quantized, layer.codebook.numpy()[indices])
    np.testing.assert_array_equal(quantized, layer.embed(indices))
    assert len(np.unique(indices)) > 5


@pytest.mark.parametrize("offsets", [[1e4], [1e6], [0.0, 1e4], [-1e5, 0.0, 1e5]])
def test_codes_far_from_0_are_the_nearest(rng, offsets):
    layer = quantizer(rng, codes=20)
    layer.codebook.assign(layer.codebook.numpy() + np.resize(offsets, [20, 1]))
    latents = normal(rng, 500, 3) + np.resize(offsets, [500, 1])
    distances = cdist(latents.numpy().astype(float), layer.codebook.numpy().astype(float))
    _, indices = layer(latents)
    found = distances[np.arange(500), indices.numpy()]
    np.testing.assert_allclose(found, distances.min(axis=1), rtol=1e-5)


def test_gradients_pass_straight_through(rng):
    layer, latents, weights = quantizer(rng), normal(rng, 5, 4, 3), normal(rng, 5, 4, 3)
    with tf.GradientTape() as tape:
        tape.watch(latents)
        loss = tf.reduce_sum(weights * layer(latents)[0])
    np.testing.assert_array_equal(tape.gradient(loss, latents), weights)
    assert layer.trainable_variables == []


def test_commitment_is_the_mean_squared_distance(rng):
    layer, latents = quantizer(rng), normal(rng, 5, 4, 2, 3)
    with tf.GradientTape() as tape:
        tape.watch(latents)
        _, indices = layer(latents)
        commitment = layer.commitment(latents, indices)
    difference = latents - layer.codebook.numpy()[indices]
    squares = np.sum(difference**2, axis=-1)
    np.testing.assert_allclose(commitment, squares.mean((1, 2)), rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(commitment, latents), difference / 4, rtol=1e-5)


def test_codes_that_a_loss_moves(rng):
    """The codebook's loss pulls codes alone, and the straight-through copy does not reach them."""
    layer, latents = VectorQuantizer(6, 3, update="loss"), normal(rng, 5, 4, 3)
    layer.codebook.assign(rng.normal(size=(6, 3)))
    (codebook,) = layer.trainable_variables
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([latents, codebook.value])
        quantized, indices = layer(latents)
        terms = layer.terms(latents, indices)
        through = tf.reduce_sum(quantized**2) + tf.reduce_sum(terms["commitment"])
    assert terms.keys() == {"codebook", "commitment", "perplexity"}
    np.testing.assert_array_equal(terms["codebook"], terms["commitment"])
    assert tape.gradient(through, codebook.value) is None
    assert tape.gradient(terms["codebook"], latents) is None
    chosen = np.eye(6)[indices.numpy()]
    pulls = np.einsum("npk,npd->kd", chosen, quantized - latents) * 2 / 4
    found = tf.convert_to_tensor(tape.gradient(terms["codebook"], codebook.value))
    np.testing.assert_allclose(found, pulls, atol=1e-5)
    assert np.abs(pulls).max() > 0.1


def test_after_a_loss_only_unused_codes_move(rng):
    layer, latents = (
        VectorQuantizer(6, 3, decay=0.9, dead_after=2, update="loss"),
        normal(rng, 8, 3),
    )
    places = np.full((6, 3), 1e3, "float32")
    places[:2] = [[0.5, 0, 0], [-0.5, 0, 0]]
    layer.codebook.assign(places)
    layer.counts.assign(np.ones(6))
    for step in range(2):
        np.testing.assert_array_equal(layer.codebook, places)
        _, indices = layer(latents)
        assert set(np.unique(indices)) == {0, 1}
        layer.after_update(latents, indices, stateless_seed(0, step, "restarts"))
    np.testing.assert_array_equal(layer.codebook[:2], places[:2])
    assert cdist(layer.codebook[2:], latents).min(axis=1).max() == 0


def test_perplexity_is_the_number_of_codes_in_even_use():
    layer = VectorQuantizer(7, 2)
    np.testing.assert_allclose(layer.perplexity(tf.range(14) % 7), 7, rtol=1e-6)
    np.testing.assert_allclose(layer.perplexity(tf.constant([[3, 3], [3, 3]])), 1)
    # Half and twice a quarter: entropy 1.5 log 2.
    np.testing.assert_allclose(layer.perplexity(tf.constant([0, 0, 1, 2])), 2**1.5, rtol=1e-6)


def test_averages_by_hand(rng):
    layer = quantizer(rng, decay=0.9, epsilon=0.01, dead_after=None)
    counts, sums = np.ones(6), layer.codebook.numpy().astype("float64")
    for _ in range(3):
        latents = rng.normal(size=(10, 2, 3)).astype("float32")
        _, indices = layer(latents)
        layer.after_update(latents, indices, SEED)
        for code in range(6):
            chosen = latents[indices.numpy() == code]
            counts[code] = 0.9 * counts[code] + 0.1 * len(chosen)
            sums[code] = 0.9 * sums[code] + 0.1 * chosen.sum(0)
        smoothed = (counts + 0.01) / (counts.sum() + 6 * 0.01) * counts.sum()
        np.testing.assert_allclose(layer.counts, counts, rtol=1e-5)
        np.testing.assert_allclose(layer.sums, sums, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(layer.codebook, sums / smoothed[:, None], rtol=1e-4, atol=1e-5)


def alone_at(layer, place):
    """Moves the first code to a place that all latents choose, and all others far away."""
    codes = np.full(layer.codebook.shape, 1e3, "float32")
    codes[0] = place
    layer.codebook.assign(codes)
    layer.counts.assign(np.ones(layer.codes))
    layer.sums.assign(codes)


def test_unused_codes_start_anew_at_latents_of_the_batch(rng):
    layer, latents = VectorQuantizer(6, 3, decay=0.9, dead_after=3), normal(rng, 8, 3)
    alone_at(layer, 0.0)
    for step in range(3):
        assert (layer.codebook.numpy()[1:] > 900).all()
        _, indices = layer(latents)
        assert (indices.numpy() == 0).all()
        layer.after_update(latents, indices, stateless_seed(0, step, "restarts"))
    distances = cdist(layer.codebook.numpy(), latents)
    np.testing.assert_allclose(distances[1:].min(axis=1), 0, atol=1e-4)
    assert len(np.unique(distances[1:].argmin(axis=1))) > 1
    np.testing.assert_array_equal(layer.counts[1:], 1)
    assert distances[0].min() > 0.1


def test_restarts_can_be_turned_off(rng):
    layer, latents = VectorQuantizer(6, 3, decay=0.5, dead_after=None), normal(rng, 8, 3)
    alone_at(layer, 0.0)
    for _ in range(4):
        layer.after_update(latents, layer(latents)[1], SEED)
    assert (layer.codebook.numpy()[1:] > 900).all()
    np.testing.assert_allclose(layer.counts[1:], 0.5**4)


def test_the_first_batch_initializes_what_it_does_not_use(rng):
    layer, latents = VectorQuantizer(5, 3), normal(rng, 30, 3) + 10
    _, indices = layer(latents)
    layer.after_update(latents, indices, SEED)
    used = np.unique(indices)
    assert len(used) < 5
    distances = cdist(layer.codebook.numpy(), latents).min(axis=1)
    np.testing.assert_allclose(np.delete(distances, used), 0, atol=1e-3)


def test_a_step_that_is_refused_changes_nothing(rng):
    layer = quantizer(rng, dead_after=1)

    @tf.function
    def step(latents):
        quantized, indices = layer(latents)
        with tf.control_dependencies([tf.debugging.check_numerics(quantized, "bad")]):
            layer.after_update(latents, indices, SEED)

    before = state(layer)
    with pytest.raises(tf.errors.InvalidArgumentError, match="bad"):
        step(tf.constant([[0.0, 1, np.nan], [1, 2, 3]]))
    for now, then in zip(state(layer), before, strict=True):
        np.testing.assert_array_equal(now, then)
    step(tf.constant([[0.0, 1, 2], [1, 2, 3]]))
    assert all((now != then).any() for now, then in zip(state(layer), before, strict=True))


@pytest.mark.thorough
def test_two_replicas_hold_one_codebook(rng):
    latents, strategy = normal(rng, 7, 2, 3), make_strategy("mirrored")
    layers = []
    for scope in (tf.distribute.get_strategy(), strategy):
        with scope.scope():
            # More codes than latents, so that some start anew.
            layers.append(VectorQuantizer(20, 3, decay=0.8, dead_after=2))
    alone, mirrored = layers
    alone.set_weights(mirrored.get_weights())

    @tf.function
    def step(layer, part, number):
        quantized, indices = layer(part)
        with tf.control_dependencies([tf.debugging.check_numerics(quantized, "bad")]):
            layer.after_update(part, indices, stateless_seed(0, number, "restarts"))
        return indices, layer.perplexity(indices)

    # 7 examples: 4 for one, 3 for the other.
    data = strategy.experimental_distribute_dataset(
        tf.data.Dataset.from_tensors(latents).rebatch(7).repeat(4)
    )
    for number, parts in enumerate(data):
        number = tf.constant(number)
        expected, perplexity = step(alone, latents, number)
        indices, perplexities = strategy.run(step, [mirrored, parts, number])
        indices = np.concatenate(strategy.experimental_local_results(indices))
        np.testing.assert_array_equal(indices, expected)
        for value in strategy.experimental_local_results(perplexities):
            np.testing.assert_allclose(value, perplexity, rtol=1e-6)
        for one, many in zip(state(alone), state(mirrored), strict=True):
            np.testing.assert_allclose(many, one, rtol=1e-5, atol=1e-6)
    for weight in mirrored.variables:
        first, second = (copy.numpy() for copy in weight.value.values)
        np.testing.assert_array_equal(first, second)
