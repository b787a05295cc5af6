"""The way of samples from noise to data."""

import numpy as np
import tensorflow as tf

from diffusion_networks import best_network
from grid_cells import cells, rgb
from keras_gen.diffusion import DDPM, CosinePath
from keras_gen.workshop.visualize import emerging, flowing, on_the_way


def test_samples_emerge_from_noise(names):
    model = DDPM(best_network(CosinePath(), "v", (4, 4, 1)), "cosine", "v")
    found = cells(emerging(model, n=2, moments=3, steps=100, seed=5), 3)
    assert names["columns"] == ["t = 1.00", "t = 0.50", "t = 0.00"]
    latents = tf.random.stateless_normal([2, 4, 4, 1], [5, 0])
    np.testing.assert_array_equal(found[:, 0], rgb(model.restore(latents).numpy()))
    # At the end, what the same steps decode.
    np.testing.assert_array_equal(found[:, -1], rgb(model.decode(latents)))
    assert (found[:, 1] != found[:, 0]).any()
    images, times = on_the_way(model, n=2, moments=3, steps=100, seed=5)
    np.testing.assert_array_equal(rgb(images), found)
    np.testing.assert_allclose(times, [1, 0.5, 0], atol=0.01)


def test_points_flow_from_noise_to_data():
    network = best_network(CosinePath(), "v", (2,))
    model = DDPM(network, "cosine", "v", data="vectors")
    frames = flowing({"one": model, "other": model}, n=50, moments=3, steps=4)
    assert frames.shape[0] == 3 and frames.dtype == np.uint8
    one, other = np.split(frames[:, 60:, :, :], 2, axis=2)  # below the titles
    np.testing.assert_array_equal(one, other)
    assert (one[0] != one[-1]).any() and (one < 255).any()
