"""VQGAN's eqs. (4) to (7) against numpy and finite differences, for networks of one layer."""

import keras
import numpy as np
import pytest

from keras_gen.core.schedules import Linear
from keras_gen.losses import Normal
from keras_gen.vae import VQGAN
from shared import losses_of, with_sgd

DATA, DIM, SCALE, RATE = 4, 2, 0.5, 0.01
BETA, FEATURE, ADVERSARIAL = 0.7, 0.3, 0.6
CODEBOOK = np.array([[0.5, 0.5], [-0.5, 0.6], [-0.4, -0.6], [0.6, -0.5]])
SIZES = {"encoder": (DATA, DIM), "decoder": (DIM, DATA), "critic": (DATA, 3), "features": (DATA, 3)}


@pytest.fixture
def weights(rng):
    """A kernel and an offset of each network."""
    found = {
        name: [rng.normal(0, 0.7, size), rng.normal(0, 0.3, size[1])]
        for name, size in SIZES.items()
    }
    kernel = [[1.0, 0.1], [-0.1, 0.8], [0.2, 0.0], [0.0, -0.2]]
    return found | {"encoder": [np.array(kernel), np.zeros(DIM)]}


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (12, DATA)).astype("float32")


def vq_gan(weights, rate=0.0, d_rate=0.0, **options):
    networks = []
    for name, (inputs, outputs) in SIZES.items():
        dense = keras.layers.Dense(outputs)
        networks.append(keras.Sequential([keras.Input((inputs,)), dense], name=name))
        networks[-1].set_weights(weights[name])
    weighting = dict(feature_weight=FEATURE, adversarial_weight=ADVERSARIAL, commitment_weight=BETA)
    model = VQGAN(
        *networks, likelihood=Normal(scale=SCALE), codebook_size=4, dead_after=None,
        **weighting | options,
    )  # fmt: skip
    model.quantizer.codebook.assign(CODEBOOK)
    if model.codebook_update == "average":
        model.quantizer.sums.assign(CODEBOOK * model.quantizer.counts.numpy()[:, None])
    return with_sgd(model, rate, d_rate)


def linear(weights, name, inputs):
    return inputs @ weights[name][0] + weights[name][1]


def means(weights, x, kernel=None):
    """The means of the terms, for another kernel of the decoder if it is given."""
    x = x.astype("float64")
    latents = linear(weights, "encoder", x)
    codes = CODEBOOK[np.linalg.norm(latents[:, None] - CODEBOOK, axis=-1).argmin(axis=1)]
    kernel = weights["decoder"][0] if kernel is None else kernel
    images = codes @ kernel + weights["decoder"][1]
    density = -0.5 * ((x - images) / SCALE) ** 2 - np.log(SCALE * np.sqrt(2 * np.pi))
    features = [linear(weights, "features", each) for each in (x, images)]
    features = [f / np.linalg.norm(f, axis=1, keepdims=True) for f in features]
    return {
        "reconstruction": -density.sum(axis=1).mean(),
        "feature": DATA * ((features[0] - features[1]) ** 2).sum(axis=1).mean(),
        "fooling": -linear(weights, "critic", images).mean(),
        "commitment": ((latents - codes) ** 2).sum(axis=1).mean(),
    }


def slope(weights, x, function):
    """The slope of a function of the terms' means by the decoder's kernel."""
    kernel, found = weights["decoder"][0], np.zeros((DIM, DATA))
    for place in np.ndindex(*found.shape):
        step = np.zeros_like(kernel)
        step[place] = 1e-5
        ends = [function(means(weights, x, kernel + sign * step)) for sign in (1, -1)]
        found[place] = (ends[0] - ends[1]) / 2e-5
    return found


def slopes(weights, x):
    """Of L_rec, with the distance in features, and of L_GAN."""
    rest = slope(weights, x, lambda m: m["reconstruction"] + FEATURE * m["feature"])
    return rest, slope(weights, x, lambda m: m["fooling"])


@pytest.mark.parametrize("training", [False, True])
def test_terms_of_the_loss(training, weights, x):
    rest, played = slopes(weights, x)
    ratio = np.linalg.norm(rest) / (np.linalg.norm(played) + 1e-6)  # eq. (7)
    expected = means(weights, x)
    expected = {
        "reconstruction_loss": expected["reconstruction"],
        "feature_loss": expected["feature"],
        "commitment_loss": expected["commitment"],
        "adversarial_loss": ratio * expected["fooling"],
        "adaptive_weight": ratio,
    }
    factors = (1.0, FEATURE, BETA, ADVERSARIAL)
    total = sum(f * v for f, v in zip(factors, list(expected.values())[:4], strict=True))
    logs = losses_of(vq_gan(weights), x, training=training)
    known = {name: logs[name] for name in ("loss", *expected)}
    assert known == pytest.approx({"loss": total, **expected}, rel=1e-3)
    assert ratio > 0.1 and logs.keys() >= {"d_loss", "d_accuracy"}


def test_the_step_holds_lambda(weights, x):
    """It goes along the slopes of the two losses, and not of their weight."""
    rest, played = slopes(weights, x)
    ratio = np.linalg.norm(rest) / np.linalg.norm(played)
    model = vq_gan(weights, RATE)
    losses_of(model, x, training=True)
    expected = weights["decoder"][0] - RATE * (rest + ADVERSARIAL * ratio * played)
    np.testing.assert_allclose(model.decoder.get_weights()[0], expected, atol=1e-5)
    assert np.abs(RATE * ratio * played).max() > 1e-3


def test_the_discriminators_step_is_on_the_new_reconstructions(weights, x):
    model = vq_gan(weights, RATE, d_rate=0.1, codebook_update="loss")
    codes = CODEBOOK[model.encode(x)]
    logs = losses_of(model, x, training=True)
    new = codes @ model.decoder.get_weights()[0] + model.decoder.get_weights()[1]
    real, fake = (linear(weights, "critic", each) for each in (x, new))
    hinge = np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()
    assert logs["d_loss"] == pytest.approx(hinge / 2, rel=1e-4)
    # The slope of the hinge by the kernel, for each of three logits.
    on_real, on_fake = (real < 1) / real.size, (fake > -1) / fake.size
    pulls = 0.5 * (new.T @ on_fake - x.T @ on_real)
    np.testing.assert_allclose(
        model.discriminator.get_weights()[0], weights["critic"][0] - 0.1 * pulls, atol=1e-5
    )


def test_without_its_additions_it_is_a_vq_vae(weights, x):
    model = vq_gan(weights, feature_weight=0.0, adversarial_weight=Linear(0.0, 1.0, steps=4))
    logs = losses_of(model, x, training=True)
    total = logs["reconstruction_loss"] + BETA * logs["commitment_loss"]
    assert logs["loss"] == pytest.approx(total, rel=1e-5)
    logs = losses_of(model, x, training=True)
    assert logs["loss"] == pytest.approx(
        logs["reconstruction_loss"] + BETA * logs["commitment_loss"]
        + 0.25 * logs["adversarial_loss"], rel=1e-4,
    )  # fmt: skip
