"""The distance of spectrograms against numpy, and where its phases, scale and silence are known."""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import spectral_loss


def magnitudes(sound, window, floor):
    """Of one channel, `[frames, frequencies]`."""
    step, size = window // 5, 2 ** math.ceil(math.log2(window))
    padded = np.pad(sound, [0, window])
    frames = np.stack([padded[i : i + window] for i in range(0, len(sound), step)])
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    spectra = np.abs(np.fft.rfft(frames * hann, size)) * 4 / window
    return np.sqrt(spectra**2 + floor**2)


def expected(sounds, originals, windows, floor):
    losses = []
    for window in windows:
        found, wanted = (magnitudes(x, window, floor) for x in (sounds, originals))
        convergence = np.linalg.norm(wanted - found) / np.linalg.norm(wanted)
        losses.append(convergence + np.abs(np.log(wanted) - np.log(found)).mean())
    return np.mean(losses)


def test_is_the_papers(rng):
    x, y = rng.normal(0, 0.2, (2, 3, 160, 1)).astype("float32")
    for windows, floor in (((20, 50), 1e-3), ((32,), 0.3)):
        loss = spectral_loss(x, y, windows, floor).numpy()
        wanted = [expected(*pair, windows, floor) for pair in zip(x[..., 0], y[..., 0])]  # noqa: B905
        np.testing.assert_allclose(loss, wanted, rtol=1e-4)


def test_signs_do_not_count_and_scales_by_their_logarithm(rng):
    x = rng.normal(0, 0.2, (2, 800, 1)).astype("float32")
    np.testing.assert_array_equal(spectral_loss(x, x), [0, 0])
    np.testing.assert_allclose(spectral_loss(-x, x), [0, 0], atol=1e-5)
    for scale in (0.5, 3.0):
        loss = spectral_loss(scale * x, x, floor=1e-7)
        np.testing.assert_allclose(loss, abs(1 - scale) + abs(math.log(scale)), rtol=1e-3)


def test_each_channel_counts_by_itself(rng):
    x, y = rng.normal(0, 0.2, (2, 2, 160, 1)).astype("float32")
    both = spectral_loss(np.concatenate([x, x], -1), np.concatenate([y, y], -1))
    np.testing.assert_allclose(both, spectral_loss(x, y), rtol=1e-5)


@pytest.mark.thorough
def test_silence_has_a_gradient_that_is_finite(rng):
    silence, sound = (
        tf.zeros([1, 160, 1]),
        tf.constant(rng.normal(0, 0.2, (1, 160, 1)), tf.float32),
    )
    for x, y in ((silence, silence), (silence, sound), (sound, silence), (sound, sound)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = spectral_loss(x, y)
        assert np.isfinite(tape.gradient(loss, x)).all() and np.isfinite(loss).all()


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"shape \(1, 160, 1\) and originals \(1, 80, 1\)"):
        spectral_loss(tf.zeros([1, 160, 1]), tf.zeros([1, 80, 1]))
