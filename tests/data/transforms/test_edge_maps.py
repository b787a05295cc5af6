"""Edges of shapes whose outlines are known."""

import numpy as np
import pytest

from keras_gen.data import edge_maps


def square(brightness):
    images = np.zeros([2, 24, 24, 1], "uint8")
    images[0, 6:18, 6:18] = brightness
    return images


def test_the_outline_of_a_square_is_one_pixel_wide():
    edges = edge_maps(square(200))
    assert edges.shape == (2, 24, 24, 1) and edges.dtype == np.uint8
    assert set(np.unique(edges)) == {0, 255} and not edges[1].any()
    across = np.flatnonzero(edges[0, 12, :, 0])
    assert len(across) == 2 and abs(across - [5.5, 17.5]).max() <= 0.5
    np.testing.assert_array_equal(edges[0, :, 12, 0] > 0, edges[0, 12, :, 0] > 0)


def test_flat_edges_are_none_unless_they_lead_to_steep_ones():
    assert not edge_maps(square(30)).any()
    faded = square(200).astype(float)
    faded[0, 6:18] *= np.linspace(0.3, 1, 12)[:, None, None]
    edges = edge_maps(np.repeat(faded.astype("uint8"), 3, axis=-1))
    assert edges[0, 8, :, 0].sum() == 2 * 255
    assert not edge_maps((0.3 * square(200)).astype("uint8")).any()


def test_floats_are_no_levels():
    with pytest.raises(ValueError, match="images must be uint8, 0 to 255, found float64"):
        edge_maps(square(200) / 255)
