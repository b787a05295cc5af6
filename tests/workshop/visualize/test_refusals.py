"""Pictures that cannot be drawn are refused in one sentence."""

from types import SimpleNamespace

import numpy as np
import pytest

from all_tiny import TINY
from grid_cells import Plain
from keras_gen.networks import pixel_cnn
from keras_gen.workshop.visualize import (
    captioned,
    class_traversals,
    code_histogram,
    code_scatter,
    densities,
    figure,
    film_strip,
    filters,
    interpolations,
    line_plot,
    manifold,
    perturbations,
    planar_densities,
    point_strips,
    random_codes,
    roc_plot,
    seen_pixels,
    spectrograms,
    style_mixing,
    text_page,
    traversals,
    vector_fields,
)

ZEROS = np.zeros([2, 2])
GRAY = np.zeros([1, 2, 2, 1], "uint8")
SOUNDS = {"two": np.zeros([2, 1024, 1])}
FRAMES = {"one": np.zeros([20, 30, 3], "uint8")}
STYLED = SimpleNamespace(style=lambda latents: np.repeat(latents[:, None], 3, axis=1))
SHAPES = r"expected \[inputs, units\] with 4 inputs"
AT_LEAST_ONE_ROW = "for 2 titles: expected at least one row"
EACH_POINT = "one number per point of a line. The lines are a"
PLANAR = r"expected at least one row, each with points \[n, 2\]"


def tiny(name):
    return TINY[name].compiled()


def codes_of(panels, labels, **options):
    return code_scatter({"a": np.array(panels)}, np.array(labels), **options)


def line(xs, ys, **options):
    return line_plot({"a": (xs, ys)}, "x", "y", **options)


def titled(rows):
    return point_strips(rows, ["a", "b"], ZEROS)


REFUSED = [
    (lambda: captioned([], []), "rows contains no images: expected uint8"),
    (lambda: captioned([GRAY / 1.0], []), r"rows contains float64 \[1, 2, 2, 1\]: expected uint8"),
    (lambda: captioned([GRAY], ["a", "b"]), "There are 2 row_names for 1 rows"),
    (lambda: vector_fields({}, ["x", "y"]), "expected at least one"),
    (lambda: vector_fields({"a": (np.eye(3)[:, :2], ZEROS, ZEROS)}, "xy"),
     r"each with points \[n, 2\]"),
    (lambda: densities(None, ZEROS[0]), r"shape \(2,\): expected examples \[n, 1\]"),
    (lambda: interpolations(Plain(), ZEROS[:1], ZEROS),
     r"a has shape \(1, 2\), but b has shape \(2, 2\)"),
    (lambda: interpolations(Plain(), ZEROS, ZEROS, steps=1),
     "steps is 1: expected an integer of at least 2"),
    (lambda: traversals(Plain(), dimensions=[0, 2, -1]), r"\[2, -1\]: expected latents from 0 to"),
    (lambda: traversals(Plain(), np.zeros([1, 3])), r"shape \(1, 3\): expected \[n, 2\]"),
    (lambda: traversals(Plain(), ZEROS[0]), r"shape \(2,\): expected \[n, latents\] or images"),
    (lambda: traversals(Plain(), steps=1), "steps is 1: expected at least 2 steps, one for each"),
    (lambda: traversals(tiny("CycleGAN")),
     "CycleGAN has no decoder or generator for latents"),
    (lambda: perturbations(Plain(), ZEROS, steps=1), "steps is 1: expected at least 2"),
    (lambda: manifold(tiny("GAN")), "has 3 latents: expected 2 for a manifold"),
    (lambda: manifold(Plain(), side=0), "side is 0: expected at least 1"),
    (lambda: random_codes(Plain(), ZEROS[:1]), r"shape \(1, 2\): expected \[examples, latents\]"),
    (lambda: class_traversals(tiny("GumbelVAE"), np.zeros([1, 3], "int32"), [0, 3]),
     r"variables contains \[3\]: expected codes from 0 to 2"),
    (lambda: class_traversals(tiny("VAE"), np.zeros([1, 2], "int32")),
     r"VAE has no categorical codes .*: use traversals"),
    (lambda: planar_densities({}), PLANAR),
    (lambda: planar_densities({"a": (np.zeros([3, 1]), {"p": None})}), PLANAR),
    (lambda: planar_densities({"a": (np.zeros([3, 2]), {})}), PLANAR),
    (lambda: code_scatter({}, np.arange(2)), r"panels contains .* \{\}: expected at least one"),
    (lambda: codes_of([[0, 1, 2]] * 2, [0, 1]), r"codes \[2, 2\], one row per label"),
    (lambda: codes_of([[0, 1]], [0, 1]), r"codes \[2, 2\], one row per label"),
    (lambda: codes_of([[0, 1]], [0.5]), r"labels is float64 \[1\]"),
    (lambda: codes_of([[0, 1]], [-1]), "minimum -1: expected integers"),
    (lambda: codes_of([[0, 1]], [2], names=["x", "y"]), "2 names, but the largest label is 2"),
    (lambda: codes_of([[0, 1]], [3], colors=["r", "b"]), "2 colors, but the largest label is 3"),
    (lambda: filters(np.zeros(12), (2, 2, 1)), SHAPES),
    (lambda: filters(np.eye(3), (2, 2, 1)), SHAPES),
    (lambda: filters(np.zeros((3, 3, 3, 8)), (2, 2, 1)), SHAPES),
    (lambda: line_plot({}, "x", "y"), "lines is empty"),
    (lambda: line([1, 2], [1]), "'a' has 2 values of x, but 1 of y"),
    (lambda: line([1, 2], [1, 0], log_y=True), "'a' contains 0: expected positive numbers"),
    (lambda: line([1, 2], [1, 1], spreads={"b": [1, 1]}), EACH_POINT),
    (lambda: line([1, 2], [1, 1], spreads={"a": [1]}), EACH_POINT),
    (lambda: roc_plot({"a": ZEROS[0]}, ZEROS[0] > 0), "All values of positive are the same"),
    (lambda: code_histogram({}), "uses is empty, or all of its counts are 0"),
    (lambda: code_histogram({"codes": [0, 0]}), "uses is empty, or all of its counts are 0"),
    (lambda: seen_pixels(pixel_cnn((5, 6, 1), 1, filters=2, blocks=0), 5, 0),
     r"The pixel is \(5, 0\): expected a pixel in an image of 5x6"),
    (lambda: style_mixing(STYLED, ZEROS[:1, 0], ZEROS[:1, 0], 0), "layers is 0: expected 1 to 2"),
    (lambda: style_mixing(STYLED, ZEROS[:1, 0], ZEROS[:1, 0], 3), "layers is 3: expected 1 to 2"),
    (lambda: spectrograms(SOUNDS, ["a"]), "1 column_names for 2 columns"),
    (lambda: spectrograms(SOUNDS, ["a", "b", "c"]), "3 column_names for 2 columns"),
    (lambda: spectrograms({}), "expected at least one sound"),
    (lambda: titled({}), AT_LEAST_ONE_ROW),
    (lambda: titled({"one": [ZEROS]}), AT_LEAST_ONE_ROW),
    (lambda: titled({"one": [ZEROS, ZEROS[:, :1]]}), AT_LEAST_ONE_ROW),
    (lambda: film_strip({}, 3), "expected at least one frame"),
    (lambda: film_strip(FRAMES, 0), "expected at least one frame"),
    (lambda: figure(np.zeros([5, 11, 3], "uint8"), column_labels=["a", "b"]),
     "There are 2 column_labels, but 11 pixels"),
    (lambda: text_page([]), "texts is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "sentence"), REFUSED)
def test_mistakes_are_told(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
