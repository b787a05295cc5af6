"""A VQ-VAE of sounds with a linear decoder, whose bias is the speaker's: all is known of it."""

import keras
import numpy as np
import pytest

from keras_gen.losses import Normal, spectral_loss
from keras_gen.networks import wave_encoder, with_labels
from keras_gen.vae import ConditionalVQVAE
from shared import losses_of

SAMPLES, CODES, DIM, SPEAKERS = 16, 4, 2, 3
SCALE, BETA, SPECTRAL = 0.5, 0.7, 2.0


@pytest.fixture
def linear(rng):
    """W of the codes, V of the speakers."""
    return rng.normal(0, 0.2, (DIM, SAMPLES // CODES)), rng.normal(0, 0.1, (SPEAKERS, 4))


@pytest.fixture
def sounds(rng):
    return rng.uniform(-0.5, 0.5, (6, SAMPLES, 1)).astype("float32")


WHO = np.array([0, 1, 2, 0, 1, 2])


def model_of(linear, rate=0.0, **options):
    encoder = wave_encoder(SAMPLES, DIM, filters=(3, 3))
    plain = keras.Sequential(
        [
            keras.Input((CODES, DIM + SPEAKERS)),
            keras.layers.Dense(SAMPLES // CODES, use_bias=False),
            keras.layers.Reshape((SAMPLES, 1)),
        ]
    )
    plain.set_weights([np.concatenate(linear)])
    usual = dict(codebook_size=5, likelihood=Normal(scale=SCALE), commitment_weight=BETA)
    usual["spectral_weight"] = SPECTRAL
    decoder = with_labels(plain, SPEAKERS)
    model = ConditionalVQVAE(encoder, decoder, SPEAKERS, **usual | options)
    model.quantizer.codebook.assign(np.random.default_rng(1).normal(0, 0.1, (5, DIM)))
    model.compile(keras.optimizers.SGD(rate))
    return model


def said(model, linear, codes, who):
    """What the linear decoder makes of codes."""
    places = model.quantizer.codebook.numpy()[codes] @ linear[0] + linear[1][who][:, None]
    return places.reshape(len(codes), SAMPLES, 1)


def test_codes_are_decoded_by_their_speaker(linear, sounds):
    model = model_of(linear)
    codes = model.encode(sounds)
    latents = model.encoder(sounds).numpy()
    distances = np.linalg.norm(latents[:, :, None] - model.quantizer.codebook.numpy(), axis=-1)
    np.testing.assert_array_equal(codes, distances.argmin(axis=-1))
    assert np.issubdtype(codes.dtype, np.integer) and len(np.unique(codes)) > 1
    reconstructed = model.reconstruct(sounds, WHO)
    np.testing.assert_allclose(reconstructed, said(model, linear, codes, WHO), atol=1e-5)
    np.testing.assert_array_equal(model.convert(sounds, WHO), reconstructed)
    np.testing.assert_array_equal(model.decode(codes, WHO), reconstructed)
    others = (WHO + 1) % SPEAKERS
    change = np.tile((linear[1][others] - linear[1][WHO]), [1, CODES])[..., None]
    np.testing.assert_allclose(model.convert(sounds, others) - reconstructed, change, atol=1e-5)
    np.testing.assert_array_equal(model.convert(sounds, 2), model.convert(sounds, np.full(6, 2)))


@pytest.mark.parametrize("training", [False, True])
def test_terms_of_the_loss(training, linear, sounds):
    model = model_of(linear)
    codes = model.encode(sounds)
    outputs = said(model, linear, codes, WHO)
    nats = 0.5 * ((sounds - outputs) / SCALE) ** 2 + np.log(SCALE * np.sqrt(2 * np.pi))
    squares = (model.encoder(sounds) - model.quantizer.codebook.numpy()[codes]) ** 2
    used = np.bincount(codes.ravel(), minlength=5) / codes.size
    expected = {
        "reconstruction_loss": nats.sum(axis=(1, 2)).mean(),
        "spectral_loss": np.mean(spectral_loss(outputs.astype("float32"), sounds)),
        "commitment_loss": np.sum(squares, axis=-1).mean(),
        "perplexity": np.exp(-np.sum(used[used > 0] * np.log(used[used > 0]))),
    }
    weights = {"reconstruction_loss": 1, "spectral_loss": SPECTRAL, "commitment_loss": BETA}
    expected["loss"] = sum(weight * expected[name] for name, weight in weights.items())
    found = losses_of(model, sounds, WHO, training=training)
    assert found == pytest.approx(expected, rel=1e-4)


def test_the_score_is_the_mean_over_speakers(linear, sounds):
    model = model_of(linear)
    codes = model.encode(sounds)
    log_probs = []
    for speaker in range(SPEAKERS):
        outputs = said(model, linear, codes, np.full(6, speaker))
        density = -0.5 * ((sounds - outputs) / SCALE) ** 2 - np.log(SCALE * np.sqrt(2 * np.pi))
        log_probs.append(density.sum(axis=(1, 2)))
    expected = -np.log(np.mean(np.exp(log_probs), axis=0))
    np.testing.assert_allclose(model.score(sounds), expected, rtol=1e-4)


def test_silence_and_int16(linear, sounds):
    model = model_of(linear, rate=0.01)
    losses_of(model, np.zeros([4, SAMPLES, 1], "int16"), WHO[:4], training=True)
    assert all(np.isfinite(w.numpy()).all() for w in model.variables)
    whole = np.round(sounds * 2**15).astype("int16")
    np.testing.assert_array_equal(model.encode(whole), model.encode(whole / np.float32(2**15)))
