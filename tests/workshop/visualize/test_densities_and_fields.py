"""Images of games: what is drawn where, by its colors."""

import keras
import numpy as np

from grid_cells import where
from keras_gen.gan import GAN
from keras_gen.networks import mlp_decoder
from keras_gen.workshop.visualize import densities, vector_fields

BLUE, RED = (31, 119, 180), (214, 39, 40)


def test_a_path_ends_at_the_star_and_its_panel_goes_from_corner_to_corner():
    points = np.stack(np.meshgrid([-1.0, 1.0], [-1.0, 1.0]), axis=-1).reshape(-1, 2)
    arrows, path = np.ones((4, 2)), np.array([[-0.5, -0.5], [0.5, 0.5]])
    drawn = vector_fields({"a": (points, arrows, path)}, ["x", "y"])
    assert drawn.dtype == np.uint8 and drawn.shape[-1] == 3
    line, star = where(drawn, BLUE), where(drawn, RED)
    # It rises to the right, with the star at its upper right end.
    assert star[:, 1].mean() > line[:, 1].mean() and star[:, 0].mean() < line[:, 0].mean()
    turned = vector_fields({"a": (points, arrows, path[::-1])}, ["x", "y"])
    assert where(turned, RED)[:, 1].mean() < star[:, 1].mean() - 100
    two = vector_fields({"a": (points, arrows, path), "b": (points, arrows, path)}, ["x", "y"])
    assert two.shape[1] > 1.5 * drawn.shape[1]


def test_densities_show_data_model_and_what_d_says():
    generator = mlp_decoder((1,), latent_dim=1, hidden=())
    judge = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    judge.set_weights([np.zeros((1, 1)), np.full(1, 2.0)])
    model = GAN(generator, judge, data="vectors")
    data = np.random.default_rng(0).normal(2.0, 0.2, (2000, 1))
    images = {}
    for mean in (2.0, -2.0):
        generator.set_weights([np.full((1, 1), 0.2), np.full(1, mean)])
        images[mean] = densities(model, data, samples=500)
    # Apart, two colors stand for themselves; together, mostly for their mixture.
    assert (images[2.0] != images[-2.0]).any(axis=-1).sum() > 1000
    black = where(images[2.0], (0, 0, 0))
    rows, counts = np.unique(black[:, 0], return_counts=True)
    # The line of D lies at sigmoid(2) = 0.88 of an axis that ends above the density of 2.
    height = len(images[2.0])
    assert any(0.4 * height < row < 0.75 * height for row in rows[counts > 200])
