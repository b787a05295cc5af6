"""Ink and its center, of images where both are plain."""

import numpy as np
import pytest

from keras_gen.data import Shapes
from keras_gen.metrics import mutual_information_gap
from keras_gen.workshop.baselines import ink_moments


def test_of_one_pixel_and_of_none():
    images = np.zeros((3, 5, 4, 1), "uint8")
    images[0, 4, 0] = 255
    images[1, 1:3, 1:3] = 51
    expected = [[1 / 20, 2.0, -1.5], [0.2 * 4 / 20, -0.5, 0.0], [0, 0, 0]]
    np.testing.assert_allclose(ink_moments(images), expected, atol=1e-12)


@pytest.mark.thorough
def test_they_know_the_size_and_the_place_of_shapes_and_nothing_else():
    """A gap of nearly 1 for three of five factors is a MIG that few learned codes reach."""
    shapes = Shapes(size=32, scales=4, orientations=8, positions=8, turn=0.25)
    images = shapes.source().arrays()
    values = shapes.factors.values(np.arange(len(images)))
    assert 0.4 < mutual_information_gap(ink_moments(images), values) < 0.65
