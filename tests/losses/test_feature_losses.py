"""Distances in features and in spectra, by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import make_strategy
from keras_gen.losses import feature_distance, slope_ratio, spectral_loss


def numpy_distance(first, second):
    """Eq. (1) of Zhang et al., place by place."""
    total = np.zeros(len(first[0]))
    for a, b in zip(first, second, strict=True):
        a, b = (m / np.linalg.norm(m, axis=-1, keepdims=True) for m in (a, b))
        total += ((a - b) ** 2).sum(axis=-1).reshape(len(a), -1).mean(axis=1)
    return total


def test_is_the_formula(rng):
    maps = [[rng.normal(size=(3, 4, 5, 6)), rng.normal(size=(3, 7))] for _ in range(2)]
    np.testing.assert_allclose(feature_distance(*maps), numpy_distance(*maps), rtol=1e-5)
    alone = feature_distance(maps[0][0], maps[1][0])
    np.testing.assert_allclose(alone, numpy_distance(maps[0][:1], maps[1][:1]), rtol=1e-5)
    np.testing.assert_allclose(feature_distance(maps[0], maps[0]), np.zeros(3))


def test_maps_of_zeros_have_a_gradient():
    maps = tf.zeros([2, 3, 4])
    with tf.GradientTape() as tape:
        tape.watch(maps)
        distance = feature_distance(maps, tf.ones([2, 3, 4]))
    assert np.isfinite(tape.gradient(distance, maps)).all()


def test_the_ratio_of_slopes():
    slope, other = tf.constant([[3.0], [4.0]]), tf.constant([[0.0], [2.0]])
    assert float(slope_ratio(slope, other)) == pytest.approx(2.5, rel=1e-5)
    assert float(slope_ratio(slope, 0 * other)) == 1e4
    assert float(slope_ratio(slope, 0 * other, delta=0.5)) == pytest.approx(10.0)
    with tf.GradientTape() as tape:
        tape.watch([slope, other])
        ratio = slope_ratio(slope, other)
    assert tape.gradient(ratio, [slope, other]) == [None, None]


@pytest.mark.thorough
def test_the_ratio_is_of_all_replicas():
    """Parts of slopes that point apart: neither replica alone has the ratio of the sums."""
    strategy = make_strategy("mirrored")

    def run():
        index = tf.distribute.get_replica_context().replica_id_in_sync_group
        parts = tf.constant([[3.0, 0.0], [0.0, 4.0]]), tf.constant([[1.0, 1.0], [1.0, -1.0]])
        return slope_ratio(*(part[index] for part in parts))

    for ratio in strategy.experimental_local_results(strategy.run(tf.function(run))):
        assert float(ratio) == pytest.approx(2.5, rel=1e-5)


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
