"""The way of samples from noise to data."""

import numpy as np
import tensorflow as tf

from diffusion_networks import best_network
from grid_cells import cells, rgb
from keras_gen.diffusion import DDPM, CosinePath
from keras_gen.workshop.visualize import emerging


def test_samples_emerge_from_noise(names):
    model = DDPM(best_network(CosinePath(), "v", (4, 4, 1)), "cosine", "v")
    found = cells(emerging(model, n=2, moments=3, steps=100, seed=5), 3)
    assert names["columns"] == ["t = 1.00", "t = 0.50", "t = 0.00"]
    latents = tf.random.stateless_normal([2, 4, 4, 1], [5, 0])
    np.testing.assert_array_equal(found[:, 0], rgb(model.restore(latents).numpy()))
    # At the end, what the same steps decode.
    np.testing.assert_array_equal(found[:, -1], rgb(model.decode(latents)))
    assert (found[:, 1] != found[:, 0]).any()
