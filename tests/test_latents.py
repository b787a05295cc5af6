"""Paths against circles and lines, truncation against redrawn samples, and search against truth."""

import keras
import numpy as np
import pytest
from scipy import stats

from all_tiny import TINY
from keras_gen.autoencoders import Autoencoder
from keras_gen.data import Source
from keras_gen.gan import GAN, ConditionalGAN
from keras_gen.latents import great_circle, line, nearest_latents, path, slerp, truncated_normal
from keras_gen.networks import mlp_encoder


@pytest.mark.parametrize("path", [line, slerp])
def test_lead_from_the_start_to_the_end(path, rng):
    start, end = rng.normal(size=(2, 5, 4))
    np.testing.assert_allclose(path(start, end, 0.0), start, atol=1e-12)
    np.testing.assert_allclose(path(start, end, 1.0), end, atol=1e-12)
    # The way back is the way.
    np.testing.assert_allclose(path(start, end, 0.3), path(end, start, 0.7), atol=1e-12)


def test_slerp_of_equal_lengths_keeps_the_length_and_the_speed(rng):
    start, end = rng.normal(size=(2, 5, 4))
    start, end = (3 * z / np.linalg.norm(z, axis=1, keepdims=True) for z in (start, end))
    path = np.stack([slerp(start, end, t) for t in np.linspace(0, 1, 9)])
    np.testing.assert_allclose(np.linalg.norm(path, axis=-1), 3)
    steps = np.linalg.norm(np.diff(path, axis=0), axis=-1)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape))
    # The line is shorter in its middle.
    assert (np.linalg.norm(line(start, end, 0.5), axis=1) < 2.99).all()
    # Shoemake's formula.
    angle = np.arccos(np.sum(start * end, axis=1, keepdims=True) / 9)
    formula = (np.sin(0.75 * angle) * start + np.sin(0.25 * angle) * end) / np.sin(angle)
    np.testing.assert_allclose(slerp(start, end, 0.25), formula)


def test_slerp_of_unequal_lengths(rng):
    start, end = np.array([[1.0, 0.0]]), np.array([[0.0, 3.0]])
    np.testing.assert_allclose(slerp(start, end, 0.5), [[np.sqrt(2), np.sqrt(2)]])
    ray = slerp(start, 5 * start, 0.25)
    np.testing.assert_allclose(ray, 2 * start)


def test_large_latents_do_not_overflow():
    far = slerp(np.array([[1e200, 0]]), np.array([[0, 1e200]]), 0.5)
    np.testing.assert_allclose(far, np.sqrt(0.5) * 1e200, rtol=1e-6)


@pytest.mark.parametrize(
    ("start", "error", "sentence"),
    [
        ([[np.nan]], ValueError, "^a contains NaN or infinity: expected finite latents"),
        ([[1j]], TypeError, "^a has dtype complex128: expected real numbers"),
        ("a", TypeError, "^a has dtype <U1: expected real numbers"),
    ],
)
def test_paths_between_what_is_no_latent_are_refused(start, error, sentence):
    with pytest.raises(error, match=sentence):
        path(start, start, 3)


def test_between_no_pairs_are_no_points():
    for spherical in (False, True):
        nothing = np.zeros([0, 2, 3])
        assert path(nothing, nothing, 4, spherical).shape == (0, 4, 2, 3)


def test_no_one_great_circle():
    for end in (np.zeros([1, 2]), np.array([[-2.0, 0.0]])):
        with pytest.raises(ValueError, match="1 of 1 pairs of latents are not joined"):
            great_circle(np.array([[1.0, 0.0]]), end, 0.5)


class TestTruncatedNormal:
    @pytest.mark.parametrize("threshold", [0.2, 1.0, 2.0])
    def test_has_the_distribution_of_latents_that_are_redrawn(self, threshold, rng):
        drawn = rng.normal(size=(40_000, 1)).astype("float32")
        cut = truncated_normal(drawn, threshold).numpy()
        assert np.abs(cut).max() <= threshold
        # The critical value of p = 1e-4 is 0.011.
        assert stats.kstest(cut[:, 0], stats.truncnorm(-threshold, threshold).cdf)[0] < 0.011
        assert stats.kstest(np.clip(drawn[:, 0], -threshold, threshold), "norm")[0] > 0.011

    def test_keeps_order_and_quantiles(self):
        drawn = np.linspace(-4, 4, 101, dtype="float32")
        cut = truncated_normal(drawn, 0.7).numpy()
        expected = stats.truncnorm(-0.7, 0.7).ppf(stats.norm.cdf(drawn))
        np.testing.assert_allclose(cut, expected, atol=1e-5)

    def test_at_its_ends(self, rng):
        drawn = rng.normal(size=(5, 3)).astype("float32")
        np.testing.assert_array_equal(truncated_normal(drawn, 0.0), np.zeros([5, 3]))
        np.testing.assert_array_equal(truncated_normal(drawn, 10.0), drawn)
        assert np.isfinite(truncated_normal([-30.0, 30.0], 5.9)).all()


@pytest.fixture
def model():
    """A GAN of two latents, a tenth of which are two pixels."""
    dense = keras.layers.Dense(2, use_bias=False)
    network = keras.Sequential([keras.Input((2,)), dense, keras.layers.Reshape((1, 2, 1))])
    dense.set_weights([np.eye(2) / 10])
    layers = [keras.Input((1, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    return GAN(network, keras.Sequential(layers))


def test_finds_the_latents_that_made_the_images(model):
    latents = np.array([[0.5, -1.0], [2.0, 0.25], [0.0, 0.0]], "float32")
    images = model.generate(latents)
    found = nearest_latents(model, images, tries=1, steps=200)
    # A level of 256 is 0.08 of a latent's standard deviation here.
    np.testing.assert_allclose(found, latents, atol=0.05)


def test_finds_the_latents_of_any_model_that_decodes(model):
    autoencoder = Autoencoder(mlp_encoder((1, 2, 1), 2, (3,)), model.generator)
    latents = np.array([[0.5, -1.0], [2.0, 0.25]], "float32")
    found = nearest_latents(autoencoder, autoencoder.decode(latents), tries=1)
    np.testing.assert_allclose(found, latents, atol=0.1)


def test_finds_the_same_in_parts(model):
    images = model.sample(5, seed=1)
    whole = nearest_latents(model, images, tries=3, steps=20)
    parts = nearest_latents(model, images, tries=3, steps=20, batch_size=2)
    np.testing.assert_allclose(parts, whole, atol=1e-4)
    few = nearest_latents(model, Source(images).take(2), tries=3, steps=20)
    np.testing.assert_allclose(few, whole[:2], atol=1e-4)


def test_keeps_the_best_of_several_tries():
    """Waves of one latent: the way from most draws ends in a hollow beside the image."""
    waves = keras.layers.Lambda(
        lambda z: keras.ops.sin(3 * z) * keras.ops.exp(-keras.ops.square(z))
    )
    network = keras.Sequential([keras.Input((1,)), waves, keras.layers.Reshape((1, 1, 1))])
    judge = keras.Sequential([keras.Input((1, 1, 1)), keras.layers.Reshape((1,))])
    model = GAN(network, judge)
    images = np.full([8, 1, 1, 1], 210, "uint8")
    apart = []
    for tries in (1, 8):
        found = nearest_latents(model, images, tries=tries, steps=100, rate=0.02)
        apart.append(np.abs(model.generate(found).astype(int) - images).mean())
    assert apart[1] < 2 < apart[0]


def test_what_is_refused(model):
    with pytest.raises(ValueError, match="rate is 0: expected a positive number"):
        nearest_latents(model, model.sample(1), rate=0)
    conditional = ConditionalGAN.for_images((28, 28, 1), classes=3, latent_dim=2, filters=2)
    with pytest.raises(TypeError, match="The images of ConditionalGAN also depend on labels"):
        nearest_latents(conditional, np.zeros([1, 28, 28, 1], "uint8"))
    with pytest.raises(ValueError, match="images is empty: expected at least one image"):
        nearest_latents(model, model.sample(1)[:0])
    latents = np.ones([1, 2])
    with pytest.raises(ValueError, match="b is empty: expected at least one latent"):
        model.latent_arithmetic(latents, latents[:0], latents)


def test_a_model_without_encoder_names_the_search():
    model = TINY["GAN"].build(0)
    for name in ("encode", "reconstruct"):
        with pytest.raises(AttributeError, match=f"GAN has no {name} method, .*nearest_latents"):
            getattr(model, name)
        assert not hasattr(model, name)
    with pytest.raises(AttributeError, match="'GAN' object has no attribute 'enc'"):
        model.enc  # noqa: B018
