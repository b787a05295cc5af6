"""All sixteen black and white images of 2x2 pixels: their probabilities, and samples of them."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.autoregressive import PixelCNN
from keras_gen.layers import MaskedConvolution
from keras_gen.losses import Categorical
from keras_gen.networks import pixel_cnn

IMAGES = np.array(list(itertools.product([0, 1], repeat=4)), "uint8").reshape(16, 2, 2, 1)
# Where a 3x3 kernel with mask A looks, and the pixels' places in their order.
SEEN = [(-1, -1), (-1, 0), (-1, 1), (0, -1)]
PLACES = [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.fixture
def kernel(rng):
    """What each pixel that is seen adds to the two logits, and the logits without."""
    return rng.normal(0, 1.5, (len(SEEN), 2)), np.array([-0.2, 0.1])


def masked(x, filters, mask="B"):
    options = dict(image_channels=x.shape[-1] if mask == "A" else 3)
    return MaskedConvolution(filters, 3 if mask == "A" else 1, mask, **options)(x)


def convolution(x):
    return keras.layers.Conv2D(2, 3, padding="same")(x)


def dense_between(x):
    """Mixes the maps of the three channels."""
    return masked(keras.layers.Dense(6)(masked(x, 6, "A")), 6)


def gate_of_halves(x):
    """Half of the maps of the three channels are all of the first and half of the second."""
    signal, gate = keras.ops.split(masked(x, 12, "A"), 2, axis=-1)
    return masked(keras.ops.tanh(signal) * keras.ops.sigmoid(gate), 6)


def gate_of_channels(x):
    """Causal: signal and gate come from two layers, each with its maps in the channels' order."""
    signal, gate = masked(x, 6, "A"), masked(x, 6, "A")
    return masked(keras.ops.tanh(signal) * keras.ops.sigmoid(gate), 6)


def embedded(x):
    """Causal, and of integers, by which there is no gradient."""
    return MaskedConvolution(2, 3, "A")(keras.layers.Embedding(2, 3)(x[..., 0]))


def network_of(function, shape, dtype="float32"):
    images = keras.Input(shape, dtype=dtype)
    return keras.Model(images, function(images))


def total(network, levels=2):
    """The sum of the probabilities of all images, without the checks of a PixelCNN."""
    shape = network.input_shape[1:]
    values = itertools.product(range(levels), repeat=int(np.prod(shape)))
    images = np.array(list(values), "uint8").reshape(-1, *shape)
    logits = network(tf.cast(images, network.inputs[0].dtype))
    log_p = Categorical(levels).log_prob(logits, tf.constant(images))
    return np.exp(log_p.numpy().astype("float64")).sum()


@pytest.mark.parametrize(
    "function, shape, of",
    [
        (convolution, (2, 2, 1), r"\(0, 0, 0\) depend on the value at \(1, 1, 0\)"),
        (convolution, (28, 28, 1), r"\(0, 0, 0\) depend on the value at \(1, 1, 0\)"),
        (dense_between, (1, 2, 3), r"\(0, 0, 0\) depend on the value at \(0, 0, 1\)"),
        (gate_of_halves, (1, 2, 3), r"\(0, 0, 0\) depend on the value at \(0, 0, 0\)"),
    ],
)
def test_networks_that_see_what_they_predict_are_refused(function, shape, of, rng):
    network = network_of(function, shape)
    with pytest.raises(
        ValueError, match=rf"not causal: its outputs for .* {of}.*pixel_cnn, or from"
    ):
        PixelCNN(network, Categorical(2))
    if np.prod(shape) < 10:
        network.set_weights([rng.normal(size=w.shape) for w in network.weights])
        assert abs(total(network) - 1) > 1e-3


def test_initial_zeros_do_not_hide_what_a_network_sees():
    layer = keras.layers.Conv2D(2, 1, kernel_initializer="zeros")
    with pytest.raises(ValueError, match="not causal"):
        PixelCNN(network_of(layer, (2, 2, 1)), Categorical(2))
    assert not np.any(layer.kernel)  # as it was


@pytest.mark.parametrize(
    "function, shape, dtype",
    [(gate_of_channels, (1, 2, 3), "float32"), (embedded, (2, 2, 1), "int32")],
)
def test_probabilities_of_other_causal_networks_sum_to_1(function, shape, dtype, rng):
    network = network_of(function, shape, dtype)
    PixelCNN(network, Categorical(2))
    network.set_weights([rng.normal(size=w.shape) for w in network.weights])
    assert total(network) == pytest.approx(1, abs=1e-5)


def single_layer(kernel):
    """A network that is one masked convolution; under the mask its kernel must not matter."""
    seen, bias = kernel
    images, layer = keras.Input((2, 2, 1)), MaskedConvolution(2, 3, "A")
    network = keras.Model(images, layer(images))
    values = np.tile([50.0, -50.0], (3, 3, 1, 1))
    for (row, column), logits in zip(SEEN, seen, strict=True):
        values[row + 1, column + 1, 0] = logits
    layer.set_weights([values, bias])
    return network


@pytest.fixture
def model(kernel):
    model = PixelCNN(single_layer(kernel), Categorical(2))
    model.compile(keras.optimizers.SGD(0.0))
    return model


def conditionals(kernel, image, temperature=1.0):
    """p(value | values before) of the four values in their order, [4, 2]."""
    seen, bias = kernel
    found = []
    for row, column in PLACES:
        logits = bias.copy()
        for (down, right), change in zip(SEEN, seen, strict=True):
            if (place := (row + down, column + right)) in PLACES:
                logits += change * image[*place, 0]
        found.append(np.exp(logits / temperature) / np.exp(logits / temperature).sum())
    return np.array(found)


def probabilities(kernel, temperature=1.0):
    """Eq. (1): the product of the conditionals, for all sixteen images."""
    return np.array([
        np.prod(conditionals(kernel, image, temperature)[range(4), image.ravel()])
        for image in IMAGES
    ])  # fmt: skip


def frequencies(samples):
    numbers = samples.reshape(-1, 4) @ [8, 4, 2, 1]
    return np.bincount(numbers, minlength=16) / len(samples)


def test_probabilities_are_products_of_the_conditionals(model, kernel):
    expected = probabilities(kernel)
    assert expected.sum() == pytest.approx(1) and expected.max() > 3 * expected.min()
    log_p = model.log_prob(IMAGES)
    np.testing.assert_allclose(log_p, np.log(expected), rtol=1e-4)
    np.testing.assert_allclose(model.score(IMAGES), -log_p, rtol=1e-6)
    for step in (model.test_step, model.train_step):
        model.reset_metrics()
        loss = float(step(tf.constant(IMAGES[[3, 5, 5]]))["loss"])
        assert loss == pytest.approx(-np.log(expected[[3, 5, 5]]).mean(), rel=1e-4)


@pytest.mark.thorough
@pytest.mark.parametrize("levels, channels", [(2, 1), (2, 3), (3, 1)])
def test_probabilities_of_all_images_sum_to_1(levels, channels, rng):
    """Of a deep network, of several channels, of more levels: each is a distribution."""
    shape = (1, 2, 3) if channels == 3 else (2, 2, 1)
    network = pixel_cnn(shape, levels, filters=4, blocks=1, first_kernel=3, levels=levels)
    for weight in network.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.3, weight.shape))
    values = itertools.product(range(levels), repeat=int(np.prod(shape)))
    images = np.array(list(values), "uint8").reshape(-1, *shape)
    log_p = PixelCNN(network, Categorical(levels)).log_prob(images).astype("float64")
    assert np.exp(log_p).sum() == pytest.approx(1, abs=1e-5)
    assert log_p.std() > 0.1


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_samples_are_as_frequent_as_they_are_probable(temperature, model, kernel):
    n = 4000
    samples = model.sample(n, seed=0, batch_size=n, temperature=temperature)
    assert samples.dtype == np.uint8 and samples.shape == (n, 2, 2, 1)
    expected = probabilities(kernel, temperature)
    deviations = np.sqrt(expected * (1 - expected) / n)
    assert (np.abs(frequencies(samples) - expected) < 4 * deviations).all()
    other = probabilities(kernel, 3 - temperature)
    assert (np.abs(other - expected) > 8 * deviations).any()


def test_the_lowest_temperature_takes_the_most_likely_path(model, kernel):
    path = np.zeros((2, 2, 1), "uint8")
    for number, place in enumerate(PLACES):
        path[place] = conditionals(kernel, path)[number].argmax()
    np.testing.assert_array_equal(model.sample(5, seed=0, temperature=1e-3), [path] * 5)
    assert 0 < path.sum() < 4


def test_known_pixels_stay_and_the_others_are_drawn(model):
    missing = np.array([[[0], [1]], [[1], [0]]], "uint8")
    found = model.complete(IMAGES[[9]], missing, n=200, seed=0)[0]  # 1 0, 0 1
    assert (found[:, [0, 1], [0, 1]] == 1).all()
    assert len(np.unique(found, axis=0)) == 4


def test_wrong_networks_and_values_are_refused(kernel, model):
    network = single_layer(kernel)
    message = r"returns \(2, 2, 2\) for values of shape \(2, 2, 1\): expected 3 parameters of"
    with pytest.raises(ValueError, match=message):
        PixelCNN(network, Categorical(3))
    for bad in (-0.1, 11.0):
        with pytest.raises(ValueError, match=r"a number in \[0\.001, 10\]"):
            model.sample(1, temperature=bad)
