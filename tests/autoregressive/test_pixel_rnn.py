"""PixelRNN: the probabilities of all black and white images of 2x2 pixels, and samples of them."""

import itertools

import numpy as np
import pytest

from keras_gen.autoregressive import PixelRNN
from keras_gen.networks import pixel_rnn

IMAGES = np.array(list(itertools.product([0, 1], repeat=4)), "float32").reshape(16, 2, 2, 1)


@pytest.fixture(params=["row", "diagonal"])
def model(request, rng):
    network = pixel_rnn((2, 2, 1), 1, 3, blocks=1, kind=request.param, first_kernel=3, levels=2)
    for weight in network.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.4, weight.shape))
    model = PixelRNN(network, "bernoulli")
    model.compile()
    return model


@pytest.mark.thorough
def test_probabilities_of_all_images_sum_to_1_and_samples_follow_them(model):
    probabilities = np.exp(model.log_prob(IMAGES).astype("float64"))
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert probabilities.max() > 3 * probabilities.min()

    n = 4000
    samples = model.sample(n, seed=0, batch_size=n) > 0
    numbers = samples.reshape(-1, 4) @ [8, 4, 2, 1]
    deviations = np.sqrt(probabilities * (1 - probabilities) / n)
    assert (np.abs(np.bincount(numbers, minlength=16) / n - probabilities) < 4 * deviations).all()
