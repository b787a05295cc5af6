"""What architectures share: sides that can be halved, and ways to double them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks.blocks import (
    conv,
    cropped,
    doubled,
    halved_sides,
    halvings,
    halvings_of_square,
)


@pytest.mark.parametrize("shape", [(28, 28, 1), (16, 32, 1), (4, 4, 1), (0, 0, 1), (24, 24, 3)])
def test_only_squares_of_powers_of_two_are_halved_to_4(shape):
    assert [halvings_of_square((side, side, 3)) for side in (8, 16, 32)] == [1, 2, 3]
    with pytest.raises(
        ValueError, match=f"{shape[0]}x{shape[1]} pixels: expected squares of 8, 16, 32"
    ):
        halvings_of_square(shape)


def test_halvings_leave_a_shorter_side_of_4_to_7():
    for side in range(8, 130):
        assert 4 <= side / 2 ** halvings((side, 2 * side)) < 8
        assert 8 <= 2 * side / 2 ** halvings((3 * side, 2 * side), smallest=8) < 16
    with pytest.raises(ValueError, match="32x7 pixels: expected sides of at least 8"):
        halvings((32, 7, 1))


def test_sides_that_cannot_be_halved():
    assert halved_sides((28, 12, 1), 2, "stages") == (7, 3)
    assert halved_sides((45, 37, 3), 3, "stages") == (6, 5)
    sentence = r"2 halving convolutions .* 3x32 pixels: .* sides of at least 4. Change stages"
    with pytest.raises(ValueError, match=sentence):
        halved_sides((3, 32, 3), 2, "stages")
    with pytest.raises(ValueError, match="0 halving convolutions"):
        halved_sides((28, 28, 1), 0, "stages")


def test_maps_are_cropped_to_their_center():
    maps = keras.Input((4, 5, 1))
    network = keras.Model(maps, cropped(maps, (2, 4)))
    values = np.arange(20.0).reshape(1, 4, 5, 1)
    np.testing.assert_array_equal(network(values), values[:, 1:3, :4])
    assert cropped(maps, (4, 5, 3)) is maps


def test_unknown_upsampling_is_refused():
    with pytest.raises(ValueError, match="'cubic': expected one of transposed, smoothed, resize"):
        doubled(keras.Input((8, 8, 3)), 2, "cubic")


@pytest.mark.parametrize("method", ["resize", "bilinear"])
def test_maps_of_any_size_are_interpolated_before_the_convolution(method):
    maps = keras.Input((None, None, 2))
    network = keras.Model(maps, doubled(maps, 2, method))
    center = np.zeros((3, 3, 2, 2))
    center[1, 1] = np.eye(2)
    network.set_weights([center])
    values = tf.random.normal([2, 5, 7, 2])
    kind = "nearest" if method == "resize" else "bilinear"
    expected = tf.image.resize(values, [10, 14], kind)
    np.testing.assert_allclose(network(values), expected, atol=1e-6)


def constant_map(layer):
    """What a layer that doubles the sides makes of a constant map, away from its borders."""
    inputs = keras.Input((8, 8, 3))
    network = keras.Model(inputs, layer(inputs))
    output = network(tf.ones([1, 8, 8, 3])).numpy()[0]
    assert output.shape[:2] == (16, 16)
    return output[4:-4, 4:-4], network.get_weights()[0]


class TestCheckerboards:
    """Odena et al. (2016): taps overlap unevenly where the stride does not divide the kernel."""

    def test_transposed_convolutions_of_three_taps_draw_them(self):
        found, kernel = constant_map(lambda x: doubled(x, 2, "transposed"))
        np.testing.assert_allclose(found[2:], found[:-2], atol=1e-6)
        np.testing.assert_allclose(found[:, 2:], found[:, :-2], atol=1e-6)
        # 1, 2, 2 and 4 taps reach the four kinds of pixels.
        taps = kernel.sum(axis=-1)
        sums = sorted(
            [taps[np.ix_(rows, columns)].sum(axis=(0, 1)) for rows in STEPS for columns in STEPS],
            key=lambda value: value[0],
        )
        block = sorted(found[:2, :2].reshape(4, 2), key=lambda value: value[0])
        np.testing.assert_allclose(block, sums, atol=1e-5)
        assert found.std(axis=(0, 1)).min() > 1e-2

    def test_of_four_equal_taps_do_not(self):
        def four(x):
            options = dict(strides=2, padding="same", initializer="ones")
            return conv(2, 4, layer=keras.layers.Conv2DTranspose, **options)(x)

        np.testing.assert_allclose(constant_map(four)[0], 4 * 3, rtol=1e-6)

    def test_of_three_equal_taps_do(self):
        def three(x):
            return doubled(x, 2, "transposed", initializer="ones")

        found = constant_map(three)[0][:2, :2, 0]
        assert sorted(found.ravel().tolist()) == [1 * 3, 2 * 3, 2 * 3, 4 * 3]

    @pytest.mark.parametrize("upsampling", ["resize", "smoothed"])
    def test_other_ways_draw_none(self, upsampling):
        found, _ = constant_map(lambda x: doubled(x, 2, upsampling))
        assert found.std() > 0  # between the channels
        np.testing.assert_allclose(found, np.broadcast_to(found[:1, :1], found.shape), atol=1e-6)

    def test_resizing_draws_none_at_the_borders_either(self):
        inputs = keras.Input((8, 8, 3))
        found = keras.Model(inputs, doubled(inputs, 2, "resize"))(tf.ones([1, 8, 8, 3])).numpy()
        np.testing.assert_allclose(found, np.broadcast_to(found[:, :1, :1], found.shape), atol=1e-6)


# The taps of a kernel of three that reach pixels of one kind, of stride 2: the outer two, or the
# middle one.
STEPS = ([0, 2], [1])
