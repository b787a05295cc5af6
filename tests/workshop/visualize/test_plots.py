"""Images of numbers."""

import numpy as np
import pytest

from all_tiny import TINY
from grid_cells import where
from keras_gen.workshop.visualize import (
    code_histogram,
    code_scatter,
    filters,
    line_plot,
    roc_plot,
    unit_filters,
)

RED, BLUE = (214, 39, 40), (31, 119, 180)  # the colors of the labels 3 and 0 among four


def frame(image):
    """Returns the indices of the rows that are mostly dark, as in a frame."""
    return np.nonzero((image.max(axis=2) < 100).mean(axis=1) > 0.5)[0]


class TestCodeScatter:
    labels = np.repeat(np.arange(4), 50)

    def codes(self, seed=0):
        """Label 0 far below and on the left of label 3."""
        return np.random.default_rng(seed).normal(size=[200, 2]) + 10 * self.labels[:, None]

    def test_places_and_colors(self):
        drawn = code_scatter({"codes": self.codes()}, self.labels)
        assert drawn.dtype == np.uint8 and drawn.shape == (450, 600, 3)
        axes = drawn[:, :500]  # the legend is on the right
        low, high = where(axes, BLUE), where(axes, RED)
        assert len(low) > 100 and len(high) > 100
        assert high[:, 0].max() < low[:, 0].min() and low[:, 1].max() < high[:, 1].min()

    def test_colors_that_are_given(self):
        colors = ("tab:red", "black", "gray", "tab:blue")
        axes = code_scatter({"a": self.codes()}, self.labels, colors=colors)[:, :500]
        low, high = where(axes, RED), where(axes, BLUE)
        assert high[:, 0].max() < low[:, 0].min() and low[:, 1].max() < high[:, 1].min()


class TestFilters:
    def test_each_is_symmetric_around_gray(self):
        weights = np.array([[0.5, 0.0, -8.0], [-0.5, 0.0, 0.0], [0.25, 0.0, 4.0], [0, 0, 8.0]])
        sample_grid = filters(weights, (2, 2, 1))
        assert sample_grid.shape == (1000, 1000, 3) and sample_grid.dtype == np.uint8
        sample_grid = sample_grid[::100, ::100]
        assert sample_grid[2:4, 2:4, 0].tolist() == [[255, 0], [191, 128]]
        assert (sample_grid[2:4, 6:8] == 128).all()  # a unit that looks at nothing
        assert sample_grid[6:8, 2:4, 0].tolist() == [[0, 128], [191, 255]]

    def test_colors_and_number(self):
        weights = np.random.default_rng(0).normal(size=[12, 9])
        sample_grid = filters(weights, (2, 2, 3), n=4)
        assert sample_grid.shape == (1000, 1000, 3)
        sample_grid = sample_grid[::100, ::100]
        largest = np.abs(weights[:, 1]).max()
        expected = np.round(127.5 * (1 + weights[:, 1] / largest)).reshape(2, 2, 3)
        np.testing.assert_array_equal(sample_grid[2:4, 6:8], expected)

    def test_other_channels_stand_side_by_side(self):
        """Four of them too: a weight is no opacity."""
        weights = np.linspace(-1, 1, 16)[:, None]
        expected = np.round(127.5 * (1 + weights)).reshape(2, 2, 4)
        sample_grid = filters(weights, (2, 2, 4))
        scale = len(sample_grid) // 6
        sample_grid = sample_grid[::scale, ::scale]
        assert sample_grid.shape == (6, 12, 3)
        for channel in range(4):
            part = sample_grid[2:4, 2 + 2 * channel : 4 + 2 * channel, 0]
            np.testing.assert_allclose(part, expected[..., channel], atol=1)


class TestLinePlot:
    def test_powers_are_straight_on_logarithmic_scales(self):
        lines = {"a": ([1, 10, 100], [1.0, 10.0, 100.0])}
        straight = line_plot(lines, "x", "y", log_x=True, log_y=True)
        np.testing.assert_array_equal(straight, line_plot(lines, "x", "y", True, True))
        points = where(straight[60:], BLUE)
        slope, constant = np.polyfit(points[:, 1], points[:, 0], 1)
        assert np.abs(points[:, 0] - slope * points[:, 1] - constant).max() < 8
        bent = where(line_plot(lines, "x", "y", log_x=True)[60:], BLUE)
        slope, constant = np.polyfit(bent[:, 1], bent[:, 0], 1)
        assert np.abs(bent[:, 0] - slope * bent[:, 1] - constant).max() > 30

    def test_bars_reach_as_far_as_the_spreads(self):
        lines = {"a": ([1, 2], [1.0, 1.0]), "b": ([1, 2], [-1.0, 3.0])}
        pixels = [
            len(where(line_plot(lines, "x", "y", spreads={"a": [spread] * 2}), BLUE))
            for spread in (0.0, 0.5, 1.0, 1.5)
        ]
        longer = np.diff(pixels)
        assert longer[0] > 0
        np.testing.assert_allclose(longer[1:], longer[1], rtol=0.05)


def test_shows_what_is_detected_at_each_rate():
    # Of scores from 0 to 20, those that are to be detected lie 4.5 higher: with k false alarms
    # of 20 the limit is 20 - k, which 5 + k of 21 pass, or all of them.
    normal = np.arange(21.0)
    scores = {"shifted": np.r_[normal, normal + 4.5], "perfect": np.r_[normal, normal + 21]}
    scores["constant"] = np.zeros(42)
    positive = np.arange(42) >= 21
    rates = np.linspace(0, 1, 21)
    area = ((normal + 4.5)[:, None] > normal).mean()
    lines = {
        f"shifted ({area:.3f})": (rates, np.minimum(np.arange(21) + 5, 21) / 21),
        "perfect (1.000)": (rates, np.ones(21)),
        "constant (0.500)": (rates, rates),
    }
    expected = line_plot(lines, "false alarms (fraction)", "detected (fraction)")
    np.testing.assert_array_equal(roc_plot(scores, positive), expected)


def test_bars_fall_from_left_to_right():
    drawn = code_histogram({"codes": np.array([1, 0, 6, 3])})
    assert drawn.dtype == np.uint8 and drawn.shape == (450, 600, 3)
    bars = where(drawn, BLUE)
    heights = np.unique(bars[:, 1], return_counts=True)[1]
    assert (np.diff(heights) <= 3).all()  # but for the dashes of the line across
    # Uses of 6, 3, 1 and 0, whatever their order: the last quarter is empty.
    tall = [np.median(part) for part in np.array_split(heights, 3)]
    assert tall[0] / tall[1] == pytest.approx(2, rel=0.05)
    assert tall[0] / tall[2] == pytest.approx(6, rel=0.1)


def test_unit_filters_are_those_of_the_encoder():
    model = TINY["SparseAutoencoder"].compiled()
    kernel = model.encoder.get_weights()[0]
    wanted = filters(kernel, model.encoder.input_shape[1:])
    np.testing.assert_array_equal(unit_filters(model), wanted)
