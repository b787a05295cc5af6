"""Networks of waveforms: sizes, what a latent sees, and what a class changes."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import wave_decoder, wave_encoder

SIX = dict(filters=(2,) * 6)


@pytest.mark.thorough
def test_six_convolutions_make_one_latent_of_64_samples():
    for samples in (64, 640):
        encoder = wave_encoder(samples, latent_dim=3, **SIX)
        decoder = wave_decoder(samples, latent_dim=3, classes=4, **SIX)
        assert encoder.output_shape == (None, samples // 64, 3)
        assert decoder.output_shape == (None, samples, 1)
        latents = encoder(np.zeros([2, samples, 1]))
        assert decoder([latents, tf.constant([0, 3])]).shape == (2, samples, 1)
    strided = [layer for layer in encoder.layers if getattr(layer, "strides", 0) == (2,)]
    assert [layer.kernel_size for layer in strided] == [(4,)] * 6


@pytest.mark.thorough
def test_a_latent_sees_190_samples(rng):
    """1 + 3 (1 + 2 + 4 + 8 + 16 + 32); by instance normalization it sees all of them."""
    x = tf.constant(rng.uniform(size=(1, 640, 1)), tf.float32)
    for normalization, seen in ((None, 190), ("instance", 640)):
        encoder = wave_encoder(640, latent_dim=1, **SIX, normalization=normalization)
        encoder.set_weights([np.abs(w) for w in encoder.get_weights()])  # so that no ReLU is 0
        with tf.GradientTape() as tape:
            tape.watch(x)
            latent = encoder(x)[0, 5, 0]
        (places,) = np.nonzero(tape.gradient(latent, x)[0, :, 0])
        assert len(places) == seen == np.ptp(places) + 1
        assert places[0] <= 320 and places[-1] >= 383


def test_instance_normalization_takes_out_the_scale(rng):
    encoder = wave_encoder(640, latent_dim=2, filters=(4, 4), normalization="instance")
    x = rng.normal(size=(1, 640, 1))
    np.testing.assert_allclose(encoder(100 * x), encoder(1000 * x), rtol=1e-3, atol=1e-4)
    plain = wave_encoder(640, latent_dim=2, filters=(4, 4))
    assert np.abs(plain(100 * x) - plain(1000 * x)).max() > 1


def test_the_decoder_depends_on_the_class(rng):
    decoder = wave_decoder(64, latent_dim=2, classes=3, filters=(4, 4))
    latents = np.repeat(rng.normal(size=(1, 16, 2)), 4, axis=0).astype("float32")
    sounds = decoder([latents, np.array([0, 1, 0, 2])]).numpy()
    np.testing.assert_array_equal(sounds[0], sounds[2])
    for other in (1, 3):
        assert np.abs(sounds[0] - sounds[other]).max() > 1e-4
    assert np.abs(sounds).max() <= 1


def test_sizes_that_cannot_be():
    for build in (wave_encoder, wave_decoder):
        with pytest.raises(ValueError, match=r"cannot take 100 samples: expected .* of 64 samples"):
            build(100, **SIX)
        with pytest.raises(ValueError, match="0 convolutions that halve"):
            build(64, filters=())
    with pytest.raises(ValueError, match="normalization is 'batch': expected 'instance' or None"):
        wave_encoder(64, normalization="batch")
