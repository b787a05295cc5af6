"""Reflow, and how straight the paths of a flow are."""

import numpy as np
import pytest

from diffusion_networks import linear
from keras_gen.diffusion import FlowMatching, Reflow
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


@pytest.mark.slow
def test_one_step_is_enough_after_it():
    """Noise of any place goes to the nearer of two points; the teacher's one step to the middle."""
    points = np.array([[-2.0], [2.0]], "float32")
    teacher = FlowMatching.for_vectors(1, width=32, blocks=2, seed=0)
    teacher.compile("adam")
    teacher.fit(np.repeat(points, 256, axis=0), batch_size=64, epochs=60, verbose=0)
    latents = np.random.default_rng(0).normal(size=(4096, 1)).astype("float32")
    student = Reflow.for_vectors(1, width=32, blocks=2, seed=0)
    student.compile("adam")
    student.fit(teacher.decode(latents), latents, batch_size=64, epochs=15, verbose=0)
    drawn = [m.sample(500, seed=1, steps=1, solver="euler") for m in (teacher, student)]
    from_points = [np.median(np.abs(np.abs(each) - 2)) for each in drawn]
    assert from_points[1] < 0.3 < from_points[0]
    assert student.straightness(500) < 0.3 * teacher.straightness(500)


def test_pairs_and_the_path_are_no_arguments():
    with pytest.raises(TypeError, match="got pairing, which is always 'independent': leave it out"):
        Reflow(linear(1.0), data="vectors", pairing="optimal")
    with pytest.raises(TypeError, match="got probability_path, which is always StraightPath"):
        Reflow(linear(1.0), data="vectors", probability_path="cosine")
