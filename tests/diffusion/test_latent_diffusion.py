"""Diffusion of latents: that of `DDPM` between a coder's encoder and its decoder."""

import numpy as np
import pytest

from all_tiny import TINY
from keras_gen.diffusion import DDPM, CosinePath, LatentDiffusion
from keras_gen.diffusion.variational_bound import bound_nats
from keras_gen.networks import residual_decoder, residual_encoder, time_mlp, time_unet
from keras_gen.vae import VAE, VQVAE

SHAPE = (8, 8, 1)
SIZES = dict(latent_dim=3, filters=4, residual_filters=2)


def quantized():
    encoder, decoder = residual_encoder(SHAPE, **SIZES), residual_decoder(SHAPE, **SIZES)
    return VQVAE(encoder, decoder, codebook_size=4)


def continuous():
    return VAE.for_images(SHAPE, latent_dim=3, filters=(4,))


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (6, *SHAPE), dtype="uint8")


@pytest.mark.parametrize("build", [quantized, continuous])
def test_latents_have_deviation_1_and_lead_back_to_reconstructions(build, images):
    coder = build()
    model = LatentDiffusion.for_coder(coder, images, widths=(8,), width=8)
    x = model.edges["x"].prepare(images)
    latents = model.latents_of(x)
    assert np.std(latents) == pytest.approx(1, rel=1e-4)
    np.testing.assert_allclose(model.examples_of(latents), coder(x), atol=1e-5)


def test_latents_are_those_that_the_coder_encodes():
    coder = TINY["DocumentAutoencoder"].compiled()  # which scales counts before its encoder
    texts = ["apple apple milk", "bread"]
    model = LatentDiffusion(time_mlp((3,), width=8, blocks=1), coder, scale=2.0)
    found = model.latents_of(model.edges["x"].prepare(texts))
    np.testing.assert_allclose(2 * found, coder.encode(texts), rtol=1e-5)


def test_the_loss_and_the_bound_are_those_of_ddpm_with_latents_for_examples(images):
    network = time_mlp((3,), width=8, blocks=1)
    model = LatentDiffusion(network, continuous(), 0.5, "cosine", "v", 4, seed=4)
    alone = DDPM(network, CosinePath(), "v", 4, data="vectors", seed=4)
    x = model.edges["x"].prepare(images)
    mean, _ = model.coder.encode(images)
    latents = model.latents_of(x)
    np.testing.assert_allclose(latents, mean / 0.5, rtol=1e-5)
    loss = model.terms({"x": x})["denoising"]
    np.testing.assert_allclose(loss, alone.terms({"x": latents})["denoising"], rtol=1e-5)
    bound = bound_nats(alone, latents, model.score_seeds(x))
    np.testing.assert_allclose(model.nats(x), bound, rtol=1e-4)


def test_only_vectors_of_the_codebook_are_decoded(rng):
    coder = quantized()
    network = time_unet((2, 2, 3), widths=(8,), patch=1)
    model = LatentDiffusion(network, coder, scale=2.0)
    latents = rng.normal(size=(5, 2, 2, 3)).astype("float32")
    codebook = coder.embedded(np.arange(4)).numpy()
    distances = np.square(2.0 * latents[..., None, :] - codebook).sum(axis=-1)
    expected = coder.reconstructed(codebook[distances.argmin(axis=-1)])
    np.testing.assert_allclose(model.examples_of(latents), expected, atol=1e-5)


@pytest.mark.thorough
def test_the_coder_stays_as_it_is(images):
    model = LatentDiffusion.for_coder(quantized(), images, widths=(8,), prediction="v")
    before = [weight.numpy() for weight in model.coder.weights]
    model.compile()
    model.fit(images, batch_size=3, epochs=2, verbose=0)
    for weight, old in zip(model.coder.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert np.any(model.network.trainable_weights[-2].numpy())


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name", "ConditionalVAE ConditionalVQVAE GumbelVAE LadderVAE M2 StyleIdentityVAE VQVAE2".split()
)
def test_coders_with_conditions_or_without_latents_are_refused(name):
    coder = TINY[name].build(0)
    with pytest.raises(TypeError, match="expected an unconditional model with an encoder"):
        LatentDiffusion.for_coder(coder, TINY[name].data(2)[0])


def test_wrong_arguments(images):
    network = time_mlp((3,), width=8, blocks=1)
    with pytest.raises(TypeError, match="coder is 'network': expected an unconditional model"):
        LatentDiffusion(network, network)
    with pytest.raises(ValueError, match=r"shape \(3,\): expected \(2, 2, 3\)\."):
        LatentDiffusion(network, quantized())
    with pytest.raises(TypeError, match="LatentDiffusion lacks coder: add coder="):
        LatentDiffusion.for_vectors(3)
