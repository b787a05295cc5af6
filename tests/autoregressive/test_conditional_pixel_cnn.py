"""Classes and completions of PixelCNN, against the enumeration of all small images."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from causality import dependence
from keras_gen.autoregressive import ConditionalPixelCNN
from keras_gen.networks import gated_pixel_cnn, pixel_cnn

CLASSES = 3
IMAGES = np.array(list(itertools.product([0, 1], repeat=4)), "uint8").reshape(16, 2, 2, 1)


def randomized(network, rng, deviation=0.5):
    for weight in network.trainable_variables:
        weight.assign(weight + rng.normal(0, deviation, weight.shape))
    return network


@pytest.fixture
def model(rng):
    network = gated_pixel_cnn(
        (2, 2, 1), 1, 4, 1, first_kernel=3, kernel=3, levels=2, classes=CLASSES
    )
    return ConditionalPixelCNN(randomized(network, rng), CLASSES, "bernoulli")


def by_class(model):
    """p(x | class) of all images, [16, classes]."""
    levels = IMAGES.astype("float32")
    log_p = [model.log_prob(levels, label) for label in range(CLASSES)]
    return np.exp(np.stack(log_p, axis=1).astype("float64"))


def test_each_class_is_a_distribution_and_their_mean_is_the_marginal(model):
    p = by_class(model)
    np.testing.assert_allclose(p.sum(axis=0), 1, atol=1e-5)
    assert p.std(axis=1).max() > 1e-3
    levels = IMAGES.astype("float32")
    np.testing.assert_allclose(model.marginal_log_prob(levels), np.log(p.mean(axis=1)), atol=1e-5)


def test_classes_follow_by_bayes_rule(model):
    p = by_class(model)
    logits = tf.nn.softmax(model.classify(IMAGES.astype("float32"))).numpy()
    np.testing.assert_allclose(logits, p / p.sum(axis=1, keepdims=True), atol=1e-5)


@pytest.mark.thorough
def test_samples_of_a_class_are_as_frequent_as_they_are_probable(model):
    n = 4000
    p = by_class(model)[:, 1]
    samples = model.sample(n, seed=0, batch_size=n, label=1)
    assert set(np.unique(samples)) == {0, 255}
    counts = np.bincount((samples > 0).reshape(-1, 4) @ [8, 4, 2, 1], minlength=16)
    assert (np.abs(counts / n - p) < 4 * np.sqrt(p * (1 - p) / n)).all()
    any_class = model.sample(n, seed=0, batch_size=n)
    assert (any_class != samples).any()


@pytest.mark.thorough
def test_completions_keep_what_is_known_and_draw_the_rest_given_it(model):
    """The last two pixels, given the first two: against the enumeration."""
    n = 4000
    p = by_class(model)[:, 2].reshape(4, 4)
    image = np.array([1, 0, 0, 0], "float32").reshape(1, 2, 2, 1)
    missing = np.array([0, 0, 1, 1]).reshape(2, 2, 1)
    options = dict(seed=1, batch_size=n, labels=2)
    completed = model.complete(image, missing, n=n, **options)
    assert completed.shape == (1, n, 2, 2, 1)
    found = (completed[0].reshape(n, 4) > 0).astype(int)
    assert (found[:, :2] == [1, 0]).all()
    given = p[0b10] / p[0b10].sum()
    shares = np.bincount(found[:, 2:] @ [2, 1], minlength=4) / n
    assert (np.abs(shares - given) < 4 * np.sqrt(given * (1 - given) / n)).all()
    again = model.complete(image, missing, n=n, **options)
    np.testing.assert_array_equal(again, completed)
    # What stands in missing pixels does not matter, nor do they if none is missing.
    image[:, 1] = 1
    np.testing.assert_array_equal(model.complete(image, missing, n=n, **options), completed)
    np.testing.assert_array_equal(model.complete(image, 0 * missing, labels=2)[:, 0], image)


@pytest.mark.thorough
def test_completions_without_labels_are_of_random_classes(model):
    n = 4000
    image = np.zeros((1, 2, 2, 1), "float32")
    completed = model.complete(image, np.ones((2, 2, 1)), n=n, seed=1, batch_size=n)
    codes = (completed[0].reshape(n, 4) > 0) @ [8, 4, 2, 1]
    expected = by_class(model).mean(axis=1)  # over the classes
    shares = np.bincount(codes, minlength=16) / n
    assert (np.abs(shares - expected) < 4 * np.sqrt(expected * (1 - expected) / n)).all()


@pytest.mark.thorough
def test_a_pixel_before_the_known_ones_does_not_see_them(model):
    images = np.array([[0, 0, 0, 0], [0, 1, 1, 1]], "float32").reshape(2, 2, 2, 1)
    missing = np.array([1, 0, 0, 0]).reshape(2, 2, 1)
    seeds = np.full(2, 7)
    masks = np.broadcast_to(missing, (2, 2, 2, 1)).astype("uint8")
    filled = model.fill(images, masks, seeds, np.array([0, 0]))
    assert filled[0, 0, 0] == filled[1, 0, 0]


@pytest.mark.thorough
@pytest.mark.parametrize("channels", [1, 3])
def test_the_gated_network_has_no_blind_spot(channels, rng):
    """By gradient: every value depends on all before it, where a plain network misses some."""
    shape = (4, 5, channels)
    count = int(np.prod(shape))
    options = dict(outputs_per_value=1, filters=6, blocks=3, first_kernel=3, kernel=3, levels=2)
    seen = {}
    for build in (gated_pixel_cnn, pixel_cnn):
        network = randomized(build(shape, **options), rng, 0.3)
        found = dependence(network, rng.normal(size=(12, *shape)).astype("float32"))
        seen[build] = found.reshape(count, count)
        assert not np.triu(seen[build]).any()
    earlier = np.tril(np.ones((count, count), bool), -1)
    np.testing.assert_array_equal(seen[gated_pixel_cnn], earlier)
    assert (earlier & ~seen[pixel_cnn]).any()


def test_bad_masks_and_seeds_are_refused(model):
    image = np.zeros((1, 2, 2, 1), "float32")
    with pytest.raises(ValueError, match=r"The mask has shape \(3, 3, 1\): expected \(2, 2, 1\)"):
        model.complete(image, np.zeros((3, 3, 1)), labels=0)
    with pytest.raises(ValueError, match=r"n is .*: expected an integer of at least 1"):
        model.complete(image, np.zeros((2, 2, 1)), n=0, labels=0)
    with pytest.raises(ValueError, match="Seeds range from -1"):
        model.fill(image, np.zeros((1, 2, 2, 1), "uint8"), [-1], [0])
    with pytest.raises(ValueError, match="expected a multiple of 3, the number"):
        gated_pixel_cnn((4, 4, 3), 1, filters=4)
