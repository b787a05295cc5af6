import keras
import numpy as np
import pytest
from keras_gen.metrics.evaluation_networks.training import fit_logits


class Slope(keras.losses.Loss):
    """The labels times the logits: a gradient that the weights do not change."""

    def call(self, y_true, y_pred):
        return y_true * y_pred


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_each_batch_is_one_step_of_adamw_with_a_rate_along_a_cosine(steps):
    x = keras.Input((1,))
    y = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(x)
    model = keras.Model(x, {"features": x, "logits": y})
    seen = []

    def batches():
        for step in range(steps):
            seen.append(step)
            yield np.ones([4, 1], "float32"), np.ones([4, 1], "float32")

    fit_logits(model, Slope(), batches(), steps, learning_rate=0.01)
    # Adam's steps along a constant gradient have the length of the rate, and decay comes first.
    wanted = 1.0
    for rate in 0.01 * (1 + np.cos(np.pi * np.arange(steps) / steps)) / 2:
        wanted = wanted * (1 - 1e-3 * rate) - rate
    assert model.get_weights()[0].item() == pytest.approx(wanted, abs=1e-6)
    assert seen == list(range(steps))
