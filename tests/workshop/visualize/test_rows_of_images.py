"""Rows of images above what a model makes of them."""

import numpy as np
import pytest

from all_tiny import TINY
from grid_cells import Plain, cells, gray, images, rgb
from keras_gen.workshop.visualize import (
    analogies,
    anomalies,
    denoised,
    image_rows,
    inpaintings,
    reconstructions,
    style_mixing,
    swaps,
    translation_grid,
    translations_below,
)


def test_image_rows_begin_each_set(names):
    rows = {"one": images(10, 20, 30), "g_loss": images(40, 50)}
    assert gray(image_rows(rows, columns=2), 2) == [[10, 20], [40, 50]]
    assert names["rows"] == ["one", "generator loss"]


def test_long_rows_go_on_below(names):
    rows = {"up": images(*range(14)), "down": images(*range(114, 100, -1))}
    drawn = gray(image_rows(rows), 7)
    assert drawn[0] == [0, 1, 2, 3, 4, 5, 6] and drawn[2] == [7, 8, 9, 10, 11, 12, 13]
    assert drawn[1][0] == 114 and drawn[3][-1] == 101
    assert names["rows"] == ["up", "down"] * 2


def test_translations_stand_below_their_images_however_many_rows(names):
    shown = translations_below(images(10, 20, 30, 40), images(11, 21, 31, 41), columns=2)
    assert gray(shown, 2) == [[10, 20], [11, 21], [30, 40], [31, 41]]
    assert names["rows"] == ["image", "translation"] * 2


def test_reconstructions_are_below_the_images():
    model, (digits,) = TINY["VAE"].compiled(), TINY["VAE"].data(5)
    found = cells(reconstructions(model, digits), 5)
    np.testing.assert_array_equal(found[0], rgb(digits))
    np.testing.assert_array_equal(found[1], rgb(model.reconstruct(digits)))


class Styles:
    """Two classes of latents that are gray values: the second is one brighter."""

    def analogies(self, values):
        return np.stack([values, values + 1], axis=1)


class TestAnalogies:
    def test_beside_the_images(self):
        model, (digits, _) = TINY["M2"].compiled(), TINY["M2"].data(5)
        found = cells(analogies(model, digits), 4)
        np.testing.assert_array_equal(found[:, 0], rgb(digits))
        np.testing.assert_array_equal(found[:, 1:], rgb(model.analogies(digits)))

    def test_of_the_latents_of_another_model(self):
        class Means(Plain):
            def encode(self, images):
                return super().encode(images), None

        # The class moves both latents, of which the first counts ten times.
        found = analogies(Styles(), images(111, 142), through=Means())
        assert gray(found, 3) == [[111, 111, 122], [142, 142, 153]]


def test_denoised():
    model, (digits,) = (
        TINY["DenoisingAutoencoder"].compiled(),
        TINY["DenoisingAutoencoder"].data(5),
    )
    found = cells(denoised(model, digits), 5)
    corrupted = model.corrupt(model.prepare(digits))
    assert (
        found.shape[0] == 3 and (np.asarray(corrupted) != np.asarray(model.prepare(digits))).any()
    )
    np.testing.assert_array_equal(found[0], rgb(digits))
    np.testing.assert_array_equal(found[1], rgb(model.restore(corrupted).numpy()))
    np.testing.assert_array_equal(found[2], rgb(model.restore(model(corrupted)).numpy()))


class Filling:
    """Fills what is missing with one level."""

    def __init__(self, level):
        self.level = level

    def inpaint(self, images, masks):
        return np.where(masks > 0, np.uint8(self.level), images)


def test_inpaintings(names):
    masks = np.array([1, 0]).reshape(2, 1, 1, 1)
    found = gray(inpaintings(images(10, 20), masks, Filling(30), no_game=Filling(40)), 2)
    assert found == [[10, 20], [128, 20], [30, 20], [40, 20]]
    assert names["rows"] == ["image", "given", "filled", "no game"]


class Scoring(Plain):
    """Anomalous is what is bright."""

    def score(self, images):
        return images[:, 0, 0, 0].astype("float32")


def test_anomalies_of_each_set(names):
    sets = {"a": images(120, 111, 145), "b": images(102, 101)}
    found = gray(anomalies(Scoring(), sets, n=2), 2)
    least, most = [[111, 120]] * 2, [[120, 145]] * 2
    assert found == [*least, *most, *[[101, 102]] * 4]
    assert names["rows"][2:5] == ["a, most anomalous", "reconstruction", "b, least anomalous"]


class Brighter:
    """Two directions: half of the way to white, and half of the way to black."""

    def directions(self):
        return {"up": None, "down": None}

    def translate(self, images, direction):
        return {"up": images // 2 + 128, "down": images // 2}[direction]


@pytest.mark.parametrize("paintings", [2, 5])
def test_layout_of_translations(names, paintings):
    x = np.stack([np.full([4, 6, 3], v, "uint8") for v in (10, 20)])
    y = np.stack([np.full([4, 6, 3], 100 + v, "uint8") for v in range(paintings)])
    sample_grid = translation_grid(Brighter(), x, y)
    assert (
        sample_grid.shape == (6 * (4 + 2) + 2, 2 * (6 + 2) + 2, 3) and sample_grid.dtype == np.uint8
    )
    cells = sample_grid[4::6, 4::8, 0][:6, :2]
    up, down = (lambda v: v // 2 + 128), (lambda v: v // 2)
    expected = [
        [10, 20],
        [up(10), up(20)],
        [down(up(10)), down(up(20))],
        [100, 101],
        [down(100), down(101)],
        [up(down(100)), up(down(101))],
    ]
    np.testing.assert_array_equal(cells, expected)
    assert names["rows"] == ["image", "up", "and back", "image", "down", "and back"]


class Mixing:
    """The tens of one and the ones of the other."""

    def swap(self, styles, identities):
        return styles // 10 * 10 + identities % 10


def test_swaps_have_the_style_of_the_row_and_the_identity_of_the_column(names):
    found = gray(swaps(Mixing(), images(30, 50), images(1, 2, 3)), 4)
    assert found == [[255, 1, 2, 3], [30, 31, 32, 33], [50, 51, 52, 53]]
    assert names == {"rows": ["identity", "", ""], "columns": ["style", "", "", ""]}


class Styled:
    """A latent is a gray value, which is the style of three layers; an image is their sum."""

    def style(self, latents):
        return np.repeat(latents[:, None], 3, axis=1)

    def synthesize(self, styles):
        return styles.sum(axis=1).astype("uint8").reshape(-1, 1, 1, 1)

    def generate(self, latents):
        return self.synthesize(self.style(latents))


def test_mixed_styles_have_the_coarse_layers_of_the_row():
    rows, columns = np.array([[10.0], [20.0]]), np.array([[1.0], [2.0]])
    found = gray(style_mixing(Styled(), rows, columns, layers=2), 3)
    assert found == [[255, 3, 6], [30, 21, 22], [60, 41, 42]]
