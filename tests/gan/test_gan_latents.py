"""Truncated samples, paths, sums, and neighbors for a generator of one layer."""

import keras
import numpy as np
import pytest

from keras_gen.gan import GAN, ConditionalGAN
from keras_gen.networks import with_labels
from keras_gen.workshop.visualize import arithmetic, captioned, interpolations, sample_neighbors
from shared import levels

SHAPE = (1, 2, 1)  # of the images, whose two pixels are a tenth of the two latents


def linear(inputs, outputs=2):
    dense = keras.layers.Dense(outputs, use_bias=False)
    network = keras.Sequential([keras.Input((inputs,)), dense, keras.layers.Reshape(SHAPE)])
    dense.set_weights([np.eye(inputs, outputs) / 10 + np.arange(inputs)[:, None] // 2 / 20])
    return network


def critic(channels=1):
    layers = [keras.Input((*SHAPE[:2], channels)), keras.layers.Flatten(), keras.layers.Dense(1)]
    return keras.Sequential(layers)


@pytest.fixture
def model():
    return GAN(linear(2), critic())


@pytest.fixture
def conditional():
    """A generator whose images of class y are brighter by (2 + y) // 2 / 20."""
    return ConditionalGAN(with_labels(linear(5), 3), with_labels(critic(4), 3), classes=3)


def level(values):
    """Images of pixels in [-1, 1]."""
    values = levels(values)
    return values.reshape(*values.shape[:-1], *SHAPE).astype("uint8")


class TestSample:
    def test_truncates_the_latents(self, model, conditional):
        latents = model.draw_latents(50, seed=3)
        np.testing.assert_array_equal(model.sample(50, seed=3), model.generate(latents))
        np.testing.assert_array_equal(model.sample(50, seed=3, truncation=10), level(latents / 10))
        cut = model.truncate(latents, 0.5)
        assert np.abs(cut).max() <= 0.5 < np.abs(latents).max()
        np.testing.assert_array_equal(model.sample(50, seed=3, truncation=0.5), level(cut / 10))
        labels, latents = np.arange(50) % 3, conditional.draw_latents(50, seed=3)
        made = conditional.sample(50, seed=3, label=labels, truncation=0.5)
        expected = conditional.generate(conditional.truncate(latents, 0.5), labels)
        np.testing.assert_array_equal(made, expected)

    def test_without_truncation_there_is_none(self, model):
        assert len(np.unique(model.sample(200, seed=0, truncation=0), axis=0)) == 1
        spread = [model.sample(500, seed=0, truncation=t).std() for t in (0.1, 1, 2, 10)]
        assert spread == sorted(spread)

    @pytest.mark.parametrize("truncation", [-0.1, 11, float("nan")])
    def test_out_of_range_is_refused(self, model, truncation):
        message = r"^truncation is .*: expected a number in \[0, 10\]\.$"
        with pytest.raises(ValueError, match=message):
            model.sample(2, truncation=truncation)
        with pytest.raises(ValueError, match=message):
            model.truncate(np.zeros([1, 2]), truncation)


class TestInterpolate:
    ends = np.array([[1.0, 2.0], [4.0, 0.0]]), np.array([[-1.0, 0.0], [0.0, 4.0]])

    def test_on_lines_and_arcs(self, model):
        line = model.interpolate(*self.ends, steps=3)
        expected = np.stack([self.ends[0], sum(self.ends) / 2, self.ends[1]], axis=1) / 10
        np.testing.assert_array_equal(line, level(expected))
        arc = model.interpolate(*self.ends, steps=3, spherical=True)
        np.testing.assert_array_equal(arc[1, 1], level([0.4 / 2**0.5] * 2))
        drawn = interpolations(model, *self.ends, steps=3)
        np.testing.assert_array_equal(drawn, captioned(line, (), ["start", "", "end"]))

    def test_keeps_the_label(self, conditional):
        line = conditional.interpolate(*self.ends, steps=4, labels=[2, 0])
        for row, (a, b), label in zip(line, zip(*self.ends, strict=True), (2, 0), strict=True):
            points = a + np.linspace(0, 1, 4)[:, None] * (b - a)
            np.testing.assert_array_equal(row, level(points / 10 + (2 + label) // 2 / 20))
        drawn = interpolations(conditional, *self.ends, steps=4, labels=[2, 0])
        np.testing.assert_array_equal(drawn, captioned(line, (), ["start", "", "", "end"]))
        with pytest.raises(TypeError, match="labels"):
            conditional.interpolate(*self.ends)

    def test_bad_ends_are_refused(self, model):
        with pytest.raises(ValueError, match="steps is 1: expected an integer of at least 2"):
            model.interpolate(*self.ends, steps=1)
        with pytest.raises(ValueError, match=r"a has shape \(2, 2\), but b has shape \(1, 2\)"):
            model.interpolate(self.ends[0], self.ends[1][:1])
        with pytest.raises(ValueError, match=r"Latents have shape \(1, 3\): expected"):
            model.interpolate(np.zeros([1, 3]), np.zeros([1, 3]))


class TestArithmetic:
    def test_is_of_means(self, model):
        a, b, c = [[3, 1], [1, 3]], [[1, 0]], [[0, 4], [0, 2], [0, 0]]
        np.testing.assert_array_equal(model.latent_arithmetic(a, b, c), level([[0.1, 0.4]]))

    def test_has_noise_after_the_first(self, model):
        z = np.zeros([1, 2])
        made = model.latent_arithmetic(z, z, z, n=400, spread=5.0, seed=1)
        np.testing.assert_array_equal(made[0], level([0, 0]))
        pixels = made[1:].astype(int)
        assert np.abs(pixels - 127.5).max() <= 64 and (pixels.min() < 66) and (pixels.max() > 189)
        with pytest.raises(ValueError, match="n is 0: expected an integer of at least 1"):
            model.latent_arithmetic(z, z, z, n=0)

    def test_keeps_the_label_and_is_drawn(self, conditional):
        a, b, c = np.eye(2), np.ones([2, 2]), np.zeros([2, 2])
        made = conditional.latent_arithmetic(a, b, c, labels=2)
        np.testing.assert_array_equal(made, level([[-0.05 + 0.1] * 2]))
        drawn = arithmetic(conditional, a, b, c, labels=2)
        # The first image of the last row; before it stands the name.
        assert (drawn[-5] == made[0, -1, 0]).all(axis=-1).sum() > 50


class TestNeighbors:
    def test_are_the_nearest_first(self, model):
        training = level([[0.0, 0.0], [0.8, 0.8], [0.1, 0.0], [-0.9, 0.0]])
        found, distances = model.nearest_neighbors(level([[0.1, 0.0], [0.5, 0.5]]), training, k=2)
        np.testing.assert_array_equal(found[0], training[[2, 0]])
        np.testing.assert_array_equal(found[1, 0], training[1])
        assert distances.shape == (2, 2) and distances[0, 0] == 0
        assert distances[0, 1] == abs(int(training[2, 0, 0, 0]) - int(training[0, 0, 0, 0]))

    def test_stand_beside_the_samples(self, model, rng):
        training = rng.integers(0, 256, (20, *SHAPE), "uint8")
        drawn = sample_neighbors(model, training, n=3, k=2, seed=4)
        made = model.sample(3, seed=4)
        rows = np.concatenate([made[:, None], model.nearest_neighbors(made, training, 2)[0]], 1)
        expected = captioned(rows, (), ["sample", "nearest in training", ""])
        np.testing.assert_array_equal(drawn, expected)
