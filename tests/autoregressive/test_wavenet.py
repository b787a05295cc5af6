"""WaveNet: probabilities of all short sounds, samples of them, padding, speakers, and bad input."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.autoregressive import ConditionalWaveNet, WaveNet
from keras_gen.data import mu_law_waveform
from keras_gen.metrics import bits_per_live_value
from keras_gen.networks import pixel_cnn, wavenet


def network(levels=4, samples=None, **options):
    keras.utils.set_random_seed(0)
    found = wavenet(samples, levels, 4, 8, dilations=(1, 2), levels=levels, **options)
    for weight in found.trainable_variables:
        weight.assign(weight + tf.random.normal(weight.shape, stddev=0.7))
    return found


def sounds_of(levels, count):
    """The int16 samples in the middle of levels."""
    return np.round(mu_law_waveform(levels, count).numpy() * 32768).astype("int16")


def every_sound(count, samples):
    levels = np.array(list(itertools.product(range(count), repeat=samples)))[..., None]
    return sounds_of(levels, count)


def test_probabilities_of_all_sounds_sum_to_one():
    model = WaveNet(network(), levels=4, samples=4)
    probabilities = np.exp(model.log_prob(every_sound(4, 4)).astype("float64"))
    assert probabilities.sum() == pytest.approx(1, abs=1e-5) and probabilities.std() > 1e-3


@pytest.mark.thorough
def test_samples_are_as_frequent_as_probable():
    model = ConditionalWaveNet(network(2, classes=3), 3, levels=2, samples=3)
    sounds = every_sound(2, 3)
    drawn = model.sample(4000, seed=1, speaker=2, batch_size=4000)
    assert drawn.shape == (4000, 3, 1) and drawn.dtype == np.int16
    frequencies = (drawn[:, None] == sounds).all(axis=(2, 3)).mean(axis=0)
    of_all = [np.exp(model.log_prob(sounds, speaker)) for speaker in range(3)]
    np.testing.assert_allclose(frequencies, of_all[2], atol=0.03)
    assert max(np.abs(of_all[2] - of_all[n]).max() for n in (0, 1)) > 0.1
    # Without a speaker each is drawn as often.
    drawn = model.sample(4000, seed=1, batch_size=4000)
    frequencies = (drawn[:, None] == sounds).all(axis=(2, 3)).mean(axis=0)
    np.testing.assert_allclose(frequencies, np.mean(of_all, axis=0), atol=0.03)


def test_padding_counts_nothing(rng):
    model = WaveNet(network(), levels=4, samples=4)
    levels = rng.integers(0, 4, (3, 9, 1))
    sounds = sounds_of(levels, 4)
    nats = -model.log_prob(sounds)
    padded = np.pad(sounds, ((0, 0), (0, 7), (0, 0)))
    np.testing.assert_allclose(model.score(padded), nats, rtol=1e-5)
    # Before a sound, padding is the silence that the sound is given.
    padded = np.pad(sounds, ((0, 0), (5, 7), (0, 0)))
    prepared = model.edges["x"].prepare(padded)
    log_probs = tf.nn.log_softmax(model.network(np.where(prepared < 0, 2, prepared)))[:, 5:14]
    chosen = tf.gather(log_probs, levels[..., 0], batch_dims=2)
    expected = -tf.reduce_sum(chosen, axis=1)
    np.testing.assert_allclose(model.score(padded), expected, rtol=1e-5)
    bits = bits_per_live_value(model.score(padded), prepared.numpy())
    assert bits == pytest.approx(np.sum(expected) / 27 / np.log(2), rel=1e-5)


def test_levels_return_from_sounds_as_they_were(rng):
    """So that a sample has the probability that it was drawn with."""
    model = WaveNet(network(256), levels=256, samples=50)
    sounds = model.sample(2, seed=3)
    levels = model.edges["x"].prepare(sounds)
    np.testing.assert_array_equal(sounds_of(levels, 256), sounds)
    assert (levels.numpy() >= 0).all() and len(np.unique(levels)) > 5


BAD_SOUNDS = {
    "stereo": (np.ones([2, 5, 2], "int16"), "2 channels: expected 1"),
    "no channel": (np.ones([2, 5], "int16"), "Add the channel"),
    "empty": (np.ones([2, 0, 1], "int16"), "expected sizes of at least 1"),
    "integers": (np.ones([2, 5, 1], "int32"), "dtype int32: expected int16, or floats"),
    "loud": (np.full([2, 5, 1], 3.0, "float32"), "from 3 to 3: expected floats"),
}


@pytest.fixture(scope="module")
def shared():
    return WaveNet(network(), levels=4, samples=4)


@pytest.mark.parametrize("case", BAD_SOUNDS)
def test_bad_sounds_are_refused_in_one_sentence(case, shared):
    sounds, message = BAD_SOUNDS[case]
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        shared.log_prob(sounds)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


BAD_MODELS = {
    "two lengths": (lambda: WaveNet(network(samples=5), levels=4, samples=4), "accepts 5 samples"),
    "levels": (lambda: WaveNet(network(), levels=256, samples=4), "expected 256 parameters"),
    "odd levels": (lambda: WaveNet(network(5), levels=5, samples=4), "expected an even number"),
    "images": (
        lambda: WaveNet(pixel_cnn((4, 4, 1), 4, filters=2, blocks=1, levels=4), levels=4),
        "expected mono sound",
    ),
    "speakers": (
        lambda: ConditionalWaveNet(network(), 3, levels=4, samples=4), "has 1 input:"
    ),
}  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize("case", BAD_MODELS)
def test_networks_that_do_not_fit_are_refused(case):
    build, message = BAD_MODELS[case]
    with pytest.raises(ValueError, match=message):
        build()


def test_recordings_of_several_lengths_have_a_way_out():
    sounds = [np.full([length, 1], 0.5) for length in (4, 3)]
    model = WaveNet(network(), levels=4, samples=4)
    conditional = ConditionalWaveNet(network(2, classes=3), 3, levels=2, samples=3)
    model.compile()
    conditional.compile()
    for call in (
        lambda: model.fit(sounds, verbose=0),
        lambda: model.fit(np.array(sounds, object), verbose=0),
        lambda: model.evaluate(sounds, verbose=0),
        lambda: model.log_prob(sounds),
        lambda: conditional.fit(sounds, np.array([0, 1]), verbose=0),
    ):
        with pytest.raises(ValueError, match=r"have 3 to 4 samples: .* Pad them with zeros"):
            call()
