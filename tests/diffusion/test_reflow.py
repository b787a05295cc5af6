"""Reflow, and how straight the paths of a flow are."""

import numpy as np
import pytest

from diffusion_networks import linear
from keras_gen.diffusion import Reflow
from keras_gen.networks import time_mlp
from shared import losses_of, step_noise


def test_the_loss_is_that_of_lines_between_pairs(rng):
    network = time_mlp((3,), width=4, blocks=1)
    model = Reflow(network, data="vectors", seed=4)
    model.compile()
    x, latents = rng.normal(size=(2, 4, 3)).astype("float32")
    t = (np.arange(4) + step_noise(model, "times", [4], False, "uniform")) / 4
    x_t = x + t[:, None] * (latents - x)
    output = network([x_t, t.astype("float32")]).numpy()
    expected = ((latents - x - output) ** 2).mean()
    assert losses_of(model, x, latents)["loss"] == pytest.approx(expected, rel=1e-4)


def test_pairs_and_the_path_are_no_arguments():
    with pytest.raises(
        TypeError, match="does not accept pairing, which is always 'independent': leave it out"
    ):
        Reflow(linear(1.0), data="vectors", pairing="optimal")
    with pytest.raises(
        TypeError, match="does not accept probability_path, which is always StraightPath"
    ):
        Reflow(linear(1.0), data="vectors", probability_path="cosine")
