"""Sounds of one length, of one level, in levels, and shifted."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data import (
    Source,
    fit_length,
    from_first_sound,
    mu_law_levels,
    mu_law_waveform,
    random_shift,
    to_peak,
)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [(5, [1, 2, 3, 4, 5]), (3, [2, 3, 4]), (2, [2, 3]), (8, [0, 1, 2, 3, 4, 5, 0, 0])],
)
def test_the_middle_stays(samples, expected):
    sound = np.arange(1, 6, dtype="int16")
    for shape in ((-1,), (-1, 1)):
        found = fit_length(sound.reshape(shape), samples)
        assert found.dtype == tf.int16
        np.testing.assert_array_equal(found, np.reshape(expected, shape))


def test_a_length_that_only_the_graph_knows():
    specs = [tf.TensorSpec([None], tf.int64)]
    fitted = tf.function(lambda x: fit_length(x, 3), input_signature=specs)
    assert fitted.get_concrete_function().output_shapes == (3,)
    np.testing.assert_array_equal(fitted(tf.range(7, dtype=tf.int64)), [2, 3, 4])


def test_all_sounds_get_one_peak():
    sounds = np.array([[1, -2, 0], [500, 250, -125]], "int64")[..., None]
    found = to_peak(sounds, peak=0.5)
    assert found.dtype == np.int16
    expected = [[2**13, -(2**14), 0], [2**14, 2**13, -(2**12)]]
    np.testing.assert_array_equal(found[..., 0], expected)
    np.testing.assert_array_equal(to_peak(np.array([[1.0, -1.0]]), 1.0), [[2**15 - 1, -(2**15)]])
    np.testing.assert_array_equal(to_peak(found / 2.0**15, 0.5), found)


def test_what_has_no_peak():
    for bad, shown in ((0.0, "0"), (np.nan, "nan"), (np.inf, "inf")):
        with pytest.raises(ValueError, match=f"Sound 1 .* maximum absolute value {shown}: ex"):
            to_peak(np.array([[1.0, 2.0], [bad, 0.0]]))
    for peak in (0.0, 1.1):
        with pytest.raises(ValueError, match=f"peak is {peak}: expected a fraction"):
            to_peak(np.ones([1, 2]), peak)


def test_shifts_are_even_and_filled_with_silence():
    sound = np.arange(1, 8, dtype="int16")[:, None]
    source = Source((np.repeat(sound[None], 400, axis=0), np.arange(400)))
    sounds, labels = next(iter(source.batches(400, seed=1, augment=random_shift(2))))
    np.testing.assert_array_equal(labels, np.arange(400))
    possible = [np.pad(sound, [[2, 2], [0, 0]])[i : i + 7] for i in range(5)]
    counts = [int((sounds.numpy() == p).all(axis=(1, 2)).sum()) for p in possible]
    assert sum(counts) == 400 and min(counts) > 50
    np.testing.assert_array_equal(random_shift(0)(tf.constant(sound), np.array([1, 2])), sound)
    with pytest.raises(ValueError, match="most is -1: expected an integer of at least 0"):
        random_shift(-1)


@pytest.mark.parametrize("levels", [2, 5, 256, 1024])
def test_mu_law_levels_are_equal_parts_of_the_companded_range(levels):
    x = np.linspace(-1, 1, 4001)
    companded = np.sign(x) * np.log1p((levels - 1) * np.abs(x)) / np.log(levels)
    found = mu_law_levels(x, levels).numpy()
    assert found.dtype == np.int32 and found.min() == 0 and found.max() == levels - 1
    exact = (companded + 1) / 2 * levels
    inside = np.abs(exact - np.round(exact)) > 1e-3  # what rounding cannot move
    np.testing.assert_array_equal(found[inside], np.floor(exact[inside]))
    np.testing.assert_array_equal(
        mu_law_levels(mu_law_waveform(range(levels), levels), levels), np.arange(levels)
    )


def test_the_error_of_mu_law_levels_is_bounded():
    """By half a level, which on the linear scale is no more than (1/mu + |x|) (256^(1/256) - 1)."""
    x = np.linspace(-1, 1, 20001)
    error = np.abs(mu_law_waveform(mu_law_levels(x)).numpy() - x)
    bound = (1 / 255 + np.abs(x)) * (256 ** (1 / 256) - 1)
    assert (error <= bound + 1e-6).all()
    assert (error / bound).max() > 0.95  # so the bound is tight


def test_mu_law_levels_of_integers_are_those_of_fractions():
    x = np.array([-(2**15), -300, 0, 3, 20_000], "int16")
    np.testing.assert_array_equal(mu_law_levels(x), mu_law_levels(x / 2**15))
    with pytest.raises(TypeError, match="Sounds have dtype int32: expected int16, or floats"):
        mu_law_levels(x.astype("int32"))


def test_borders_of_mu_law_levels():
    borders = mu_law_waveform(np.arange(255) + 0.5).numpy()
    np.testing.assert_array_equal(
        mu_law_levels(borders * 1.0001 + 1e-7 * (borders == 0))[128:], np.arange(129, 256)
    )
    assert borders[127] == 0
    np.testing.assert_allclose(borders, -borders[::-1], atol=1e-7)


def test_recordings_begin_with_their_first_sound():
    sounds = np.array([[0, 0, 3, 0, 4, 0, 0], [1, 2, 3, 4, 5, 6, 7], [0] * 7], "int16")[..., None]
    found = from_first_sound(sounds, 5)
    assert found.dtype == np.int16
    expected = [[3, 0, 4, 0, 0], [1, 2, 3, 4, 5], [0] * 5]
    np.testing.assert_array_equal(found[..., 0], expected)
    np.testing.assert_array_equal(from_first_sound(sounds[..., 0], 9)[0], [3, 0, 4] + [0] * 6)
