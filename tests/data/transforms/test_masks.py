"""Masks: how much is missing, where, and that nothing but the noise decides."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data.transforms.masks import centered_square, random_regions


def noise(n, cells=8, seed=1):
    return tf.random.stateless_uniform([n, cells, cells, 1], [0, seed])


@pytest.mark.parametrize(("side", "margin"), [(16, 0), (16, 4), (16, 7), (9, 2)])
def test_the_square_lies_in_the_middle(side, margin):
    square = centered_square(side, margin)
    expected = np.pad(np.ones([side - 2 * margin] * 2), margin)[None, ..., None]
    assert square.dtype == tf.float32
    np.testing.assert_array_equal(square, expected)


@pytest.mark.parametrize("fraction", [0, 0.25, 0.5, 0.75])
def test_the_fraction_is_exact_in_every_image(fraction):
    masks = random_regions(noise(20), 32, fraction)
    assert masks.shape == (20, 32, 32, 1) and masks.dtype == tf.float32
    assert (masks.numpy().mean(axis=(1, 2, 3)) == fraction).all()


def test_same_noise_same_mask_and_each_image_its_own():
    masks = random_regions(noise(20), 32).numpy()
    np.testing.assert_array_equal(masks, random_regions(noise(20), 32))
    np.testing.assert_array_equal(masks[3:5], random_regions(noise(20)[3:5], 32))
    assert len({mask.tobytes() for mask in masks}) == 20


def test_regions_are_where_the_noise_is_lowest():
    """As many cells as pixels: nothing is enlarged."""
    values = np.random.default_rng(0).permutation(64).reshape(1, 8, 8, 1).astype("float32")
    np.testing.assert_array_equal(random_regions(tf.constant(values), 8), values < 16)


def test_fewer_cells_make_larger_regions():
    def equal_neighbors(cells):
        masks = random_regions(noise(50, cells), 32).numpy()
        return (masks[:, 1:] == masks[:, :-1]).mean()

    # Of independent pixels 10 in 16 agree.
    assert equal_neighbors(4) > equal_neighbors(8) > 0.85 > 0.7 > equal_neighbors(32) > 0.55


def test_every_place_is_missing_at_times():
    assert (random_regions(noise(200), 32).numpy().max(axis=0) == 1).all()


@pytest.mark.parametrize("jit", [False, True])
def test_graphs_draw_the_same(jit):
    function = tf.function(lambda values: random_regions(values, 20), jit_compile=jit)
    np.testing.assert_array_equal(function(noise(5)), random_regions(noise(5), 20))
