"""WaveGlow: its density by automatic differentiation, its condition, and sounds of any length."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.flows import WaveGlow
from keras_gen.networks import waveglow
from keras_gen.workshop.baselines import griffin_lim

HOP = 8


def randomized(seed=0, **options):
    """A tiny model whose weights are all random."""
    keras.utils.set_random_seed(0)
    sizes = dict(bands=3, groups=4, steps=3, early_every=1, early=1, filters=4, blocks=2)
    flow = waveglow(**sizes | options)
    random = np.random.default_rng(seed)
    for weight in flow.trainable_variables:
        weight.assign(weight + random.uniform(-0.3, 0.3, weight.shape))
    return WaveGlow(flow, bands=3, window=16, hop=HOP, rate=4000)


@pytest.fixture(scope="module")
def model():
    return randomized()


@pytest.fixture
def sounds(rng):
    return (0.3 * rng.normal(size=(2, 24, 1))).clip(-1, 1).astype("float32")


@pytest.mark.thorough
def test_the_density_is_the_change_of_variables(model, sounds):
    """Given the mel spectrogram: log N(z) + log |det dz/dx|, in units of the levels of int16."""
    frames = model.mel(sounds)
    condition = tf.repeat(frames, HOP // 4, axis=1)
    x = tf.constant(sounds[:, :, 0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        latents, log_det, _ = model.flow(x[..., None], condition=condition)
        z = tf.reshape(latents, [2, 24])
    expected = np.linalg.slogdet(tape.batch_jacobian(z, x).numpy())[1]
    np.testing.assert_allclose(log_det, expected, rtol=1e-4, atol=1e-4)
    log_p = -0.5 * (z.numpy() ** 2 + np.log(2 * np.pi)).sum(axis=1) + expected
    # Half a level or less changes little.
    np.testing.assert_allclose(model.log_prob(sounds), log_p - 24 * np.log(2**15), atol=0.05)


def test_sounds_come_back_from_their_latents(model, sounds):
    condition = tf.repeat(model.mel(sounds), HOP // 4, axis=1)
    latents, of_sounds, _ = model.flow(sounds, condition=condition)
    assert latents.shape == (2, 6, 4)
    found, log_det, _ = model.forward(tf.constant(sounds), 0.5)  # half a level changes little
    np.testing.assert_allclose(found, latents, atol=1e-3)
    np.testing.assert_allclose(log_det, of_sounds - 24 * np.log(2**15), atol=0.01)
    np.testing.assert_allclose(model.flow.inverse(latents, condition), sounds, atol=1e-5)
    assert np.abs(model.flow.inverse(latents, condition + 1) - sounds).max() > 1e-3


def test_channels_leave_early():
    """Of 8 channels 2 leave after 4 steps and 2 after 8: the paper's numbers."""
    flow = waveglow(bands=2, filters=2, blocks=1)
    assert flow.output_shape == (None, None, 8)
    sizes = [weight.shape[0] for weight in flow.trainable_variables if weight.name == "kernel"]
    rotations = [
        weight.shape
        for weight in flow.trainable_variables
        if weight.name == "kernel" and len(weight.shape) == 2 and weight.shape[0] == weight.shape[1]
    ]
    assert len(sizes) > len(rotations) == 12
    assert rotations == 4 * [(8, 8)] + 4 * [(6, 6)] + 4 * [(4, 4)]


def test_vocoding_takes_frames_of_any_number(model):
    for frames in (1, 5):
        mel = np.zeros([3, frames, 3], "float32")
        drawn = model.vocode(mel, np.array([0, 1, 0]))
        assert drawn.shape == (3, frames * HOP, 1) and drawn.dtype == np.float32
        np.testing.assert_allclose(drawn[0], drawn[2], atol=1e-6)
        assert np.abs(drawn[0] - drawn[1]).max() > 0


def test_at_temperature_0_seeds_say_nothing(model):
    cold = WaveGlow(model.flow, 3, window=16, hop=HOP, rate=4000, temperature=0.0)
    drawn = cold.vocode(np.zeros([2, 2, 3], "float32"), np.arange(2))
    np.testing.assert_allclose(drawn[0], drawn[1], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(hop=6), r"hop is 6: expected a hop that is a multiple of 4"),
        (dict(window=4), r"window is 4 and hop is 8"),
    ],
)
def test_frames_that_do_not_fit(model, change, message):
    with pytest.raises(ValueError, match=message):
        WaveGlow(model.flow, **dict(bands=3, window=16, hop=HOP, rate=4000) | change)


def test_sounds_of_parts_of_frames_are_refused(model):
    with pytest.raises(ValueError, match=r"20 samples: expected a multiple"):
        model.log_prob(np.zeros([1, 20, 1], "float32"))


def test_networks_that_are_too_small_are_refused():
    with pytest.raises(ValueError, match="steps is 0: expected an integer of at least 1"):
        waveglow(steps=0)
    with pytest.raises(ValueError, match=r"of which 0 remain"):
        waveglow(groups=4, steps=12, early=2)


def test_decibels_are_refused(model):
    """They would be taken as natural logarithms, eight times as loud and as quiet."""
    decibels = np.linspace(-80, 0, 6, dtype="float32").reshape(1, 2, 3)
    way_out = r"Mel frames range from -80 to 0: expected natural logarithms.*by 0\.1151"
    with pytest.raises(ValueError, match=way_out):
        model.vocode(decibels, 0)
    with pytest.raises(ValueError, match=way_out):
        griffin_lim(decibels, window=16, hop=8, rate=4000)
    assert model.vocode(0.1151 * decibels, 0).shape == (1, 2 * HOP, 1)
