"""Styles that are mixed, truncated and measured, against their formulas."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import training_step
from keras_gen.core.capabilities import sampling_noise
from keras_gen.gan import StyleGAN
from keras_gen.losses import path_lengths
from keras_gen.networks import style_discriminator, style_generator, style_mapping

SHAPE, SIZES = (8, 8, 1), dict(filters=3, width=16)


def build(**kwargs):
    networks = (
        style_mapping(3, 4, depth=2, rate=0.1),
        style_generator(SHAPE, 4, **SIZES),
        style_discriminator(SHAPE, **SIZES),
    )
    return StyleGAN(*networks, **dict(path_every=2) | kwargs)


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (4, *SHAPE), "uint8")


@pytest.mark.parametrize("mixing", [0.0, 0.5, 1.0])
def test_styles_are_mixed_at_a_random_layer(mixing):
    model = build(mixing=mixing)
    latents, mixed, _ = model.sampled_noise("use", 400)
    styles = model.styled(latents, mixed).numpy()
    first, second = (model.mapping(latents[:, part]).numpy() for part in (0, 1))
    of_first = np.isclose(styles, first[:, None], atol=1e-6).all(axis=2)
    of_second = np.isclose(styles, second[:, None], atol=1e-6).all(axis=2)
    assert (of_first ^ of_second).all() and of_first[:, 0].all()
    # The first style up to a layer, the second from there on.
    counts = of_first.sum(axis=1)
    assert (of_first == (np.arange(4) < counts[:, None])).all()
    fraction = (counts < 4).mean()
    assert fraction == mixing if mixing in (0, 1) else abs(fraction - mixing) < 0.1
    if mixing == 1:
        np.testing.assert_allclose(np.bincount(counts)[1:4] / 400, 1 / 3, atol=0.1)


def test_truncation_is_a_line_through_the_mean_style(model):
    model.mean_style.assign([1.0, -1.0, 2.0, 0.0])
    noise = sampling_noise(model, 3, 1)
    mean, styles = model.mean_style.numpy(), model.mapping(noise["latents"]).numpy()
    for psi in (-1.0, 0.0, 0.7, 1.0):
        w = (mean + psi * (styles - mean))[:, None].repeat(4, axis=1)
        images = model.generator([tf.constant(w), noise["pixels"]])
        expected = model.restore(images).numpy()
        found = model.sample(3, seed=1, psi=psi)
        assert np.abs(found.astype(int) - expected).max() <= 1 and np.ptp(found) > 0
    np.testing.assert_array_equal(model.sample(3, seed=1), model.sample(3, seed=1, psi=1.0))
    for psi in (1.5, -2.0):
        with pytest.raises(ValueError, match=r"psi is .*: expected a number in \[-1, 1\]"):
            model.sample(3, psi=psi)


def test_the_means_follow_their_formulas(images):
    model = build()
    model.compile()
    means, paths = [np.zeros(4)], [0.0]
    for step in range(2):
        before = model.mean_path.numpy()
        with training_step(model):
            *styles, noise = model.sampled_noise("path", 4)
            y = model.normal("directions", [4, *SHAPE])
            z = model.normal("mean style", [4, 3])

        def generate(w, noise=noise):
            return model.generator([w, noise])

        expected = path_lengths(generate, model.styled(*styles), y).numpy().mean()
        # Eager steps: the discriminator comes first, and leaves the generator as it is.
        model.train_step((images,))
        due = step % 2 == 0
        paths.append(before + 0.01 * (expected - before) if due else before)
        assert model.mean_path.numpy() == pytest.approx(paths[-1], rel=1e-4)
        means.append(means[-1] + 0.005 * (model.mapping(z).numpy().mean(axis=0) - means[-1]))
        np.testing.assert_allclose(model.mean_style, means[-1], rtol=1e-3, atol=1e-6)
    assert paths[-1] > 0


def test_the_regularizer_counts_as_often_as_it_is_left_out(images):
    model = build(path_every=3)
    model.mean_path.assign(5.0)
    batch = model.prepare_batch((images,))
    for step, factor in ((2, 0), (3, 3)):
        model.step.assign(step)
        with training_step(model):
            terms = model.generator_terms(batch)
            *styles, noise = model.sampled_noise("path", 4)
            directions = model.normal("directions", [4, *SHAPE])
            total = model.weighted(terms)

        def generate(w, noise=noise):
            return model.generator([w, noise])

        lengths = path_lengths(generate, model.styled(*styles), directions)
        np.testing.assert_allclose(terms["path"], factor * (lengths - 5.0) ** 2, rtol=1e-4)
        np.testing.assert_allclose(terms["path_length"], lengths if factor else 5.0, rtol=1e-5)
        only = terms["adversarial"] + model.path_weight * terms["path"]
        np.testing.assert_allclose(total, only, rtol=1e-6)
    model.step.assign(1)
    assert np.all(model.generator_terms(batch)["path"] != 0)


def test_styles_come_out_and_go_in(model):
    latents = model.draw_latents(3, seed=1)
    styles = model.style(latents)
    assert styles.shape == (3, 4, 4) and np.ptp(styles, axis=1).max() == 0
    np.testing.assert_array_equal(model.synthesize(styles), model.generate(latents))
    mixed = np.concatenate([styles[:1, :2], styles[1:2, 2:]], axis=1)
    made = model.synthesize(mixed)[0]
    assert not np.array_equal(made, model.generate(latents)[0])
    assert not np.array_equal(made, model.generate(latents)[1])
