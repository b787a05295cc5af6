"""The debiasing VAE: whose loss has which terms, and which examples are drawn how often."""

import keras
import numpy as np
import pytest

import linear_vae
from keras_gen.data import inverse_density
from keras_gen.losses import Normal
from keras_gen.networks import mlp_decoder, mlp_encoder, with_head
from keras_gen.vae import DBVAE, VAE
from shared import losses_of, step_noise
from tiny import fresh_names

SHAPE, N = (3,), 12


def db_vae(rate=0.05, **options):
    fresh_names()
    keras.utils.set_random_seed(1)
    encoder = mlp_encoder(SHAPE, 2, hidden=(4,), heads=("mean", "log_variance"))
    options = dict(dataset_size=N, likelihood=Normal(scale=0.5)) | options
    model = DBVAE(with_head(encoder, 2), mlp_decoder(SHAPE, 2, hidden=()), **options)
    model.compile(keras.optimizers.SGD(rate))
    return model


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (N, *SHAPE)).astype("float32")


LABELS = np.arange(N) % 3 % 2  # 1 at every third


# The loss --------------------------------------------------------------------------------------


def test_the_terms_are_those_of_a_vae_for_positives_alone(x):
    model = db_vae(weight=3.0, beta=0.7)
    mean, log_variance, logits = (v.numpy() for v in model.encoder(x))
    noise = step_noise(model, "latents", [N, 2])
    z = mean + np.exp(log_variance / 2) * noise
    error = np.square(model.decoder(z) - x) / (2 * 0.25) + 0.5 * np.log(2 * np.pi * 0.25)
    reconstruction = (LABELS * error.sum(axis=1)).mean()
    kl = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum(axis=1)
    kl = (LABELS * kl).mean()
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classification = -np.log(chances[np.arange(N), LABELS]).mean()
    assert losses_of(model, x, LABELS, training=True) == pytest.approx(
        {
            "loss": reconstruction + 0.7 * kl + 3.0 * classification,
            "reconstruction_loss": reconstruction,
            "kl_loss": kl,
            "classification_loss": classification,
        },
        rel=1e-4,
    )


@pytest.mark.parametrize("positive", [0, 1])
def test_other_classes_teach_the_decoder_and_the_latents_nothing(x, positive):
    model = db_vae(rate=0.5, positive=positive)
    layers = [*model.encoder.layers, *model.decoder.layers]
    layers = {layer.name: layer for layer in layers if layer.weights}
    before = {name: layer.get_weights() for name, layer in layers.items()}
    terms = losses_of(model, x, np.full(N, 1 - positive), training=True)
    assert terms["reconstruction_loss"] == terms["kl_loss"] == 0
    moved = {
        name
        for name, layer in layers.items()
        if any((a != b).any() for a, b in zip(before[name], layer.get_weights(), strict=True))
    }
    assert moved == {"dense", "logits"}  # the layer that all heads share, and theirs


def test_an_example_without_a_label_teaches_nothing(x):
    model = db_vae(rate=0.5)
    before = model.encoder.get_weights()
    assert losses_of(model, x, np.full(N, -1), training=True)["loss"] == 0
    for one, other in zip(before, model.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_is_a_vae_of_its_latents(x):
    """Codes, densities, and samples equal the results of the VAE without the logits."""
    model = db_vae()
    vae = VAE(keras.Model(model.encoder.input, model.encoder.outputs[:2]), model.decoder,
              likelihood=Normal(scale=0.5))  # fmt: skip
    for one, other in zip(model.encode(x), vae.encode(x), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(model.log_prob(x), vae.log_prob(x), rtol=1e-5)
    np.testing.assert_array_equal(model.sample(3, seed=1), vae.sample(3, seed=1))
    np.testing.assert_allclose(model.classify(x), model.encoder(x)[2], rtol=1e-6)


# Resampling ------------------------------------------------------------------------------------


def test_weights_are_the_inverse_density_of_the_positives_means(x, rng):
    weights = linear_vae.random_weights(rng)
    encoder, decoder = linear_vae.networks(weights)
    logits = keras.layers.Dense(2)(encoder.input)
    encoder = keras.Model(encoder.input, [*encoder.outputs, logits])
    model = DBVAE(encoder, decoder, N, likelihood=Normal(scale=0.5), alpha=0.3, bin_width=0.2)
    model.reweigh(x, LABELS)
    found = model.sampling.values.numpy()
    np.testing.assert_array_equal(found[LABELS == 0], 1)
    means = (x @ weights[0] + weights[1])[LABELS == 1]
    np.testing.assert_allclose(found[LABELS == 1], inverse_density(means, 0.3, 0.2), rtol=1e-6)
    assert np.ptp(found[LABELS == 1]) > 0.1
    assert found[LABELS == 1].mean() == pytest.approx(1, rel=1e-6)
    for wrong in (None, "many", -1, LABELS[1:], LABELS * np.nan, LABELS[:, None], 0 * LABELS):
        with pytest.raises((TypeError, ValueError), match=r"labels .*(expected|must be)"):
            model.reweigh(x, wrong)
    for wrong in (None, "many", 2.5, x[1:]):
        with pytest.raises(
            (TypeError, ValueError), match=r"images.*(expected an array|an integer label for each)"
        ):
            model.reweigh(wrong, LABELS)


# Refusals --------------------------------------------------------------------------------------


def test_it_has_no_usual_networks():
    with pytest.raises(TypeError, match="DBVAE has no standard networks"):
        DBVAE.for_images((8, 8, 1))
