"""Networks that know the time: shapes, and what their outputs depend on."""

import keras
import numpy as np
import pytest

from keras_gen.networks import time_mlp, time_unet


def moved(network):
    """The network with other weights, since some start at 0."""
    rng = np.random.default_rng(0)
    network.set_weights([w + 0.1 * rng.normal(size=w.shape) for w in network.get_weights()])
    return network


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["unet", "mlp"])
def test_outputs_depend_on_points_time_and_label(rng, kind):
    keras.utils.set_random_seed(0)
    if kind == "unet":
        network = time_unet((8, 4, 3), widths=(8, 16), groups=4, classes=2)
        still = network([np.ones((1, 8, 4, 3)), np.ones(1), np.zeros(1, "int32")])
        assert abs(still).numpy().max() == 0
    else:
        network = time_mlp((8, 4, 3), width=8, blocks=1, classes=2)
    network = moved(network)
    x = rng.normal(size=(1, 8, 4, 3)).astype("float32")
    outputs = []
    for scale, time, label in ((1, 0.5, 0), (2, 0.5, 0), (1, 0.6, 0), (1, 0.5, 2)):
        inputs = [scale * x, np.full(1, time, "float32"), np.full(1, label, "int32")]
        outputs.append(network(inputs).numpy())
    assert all(output.shape == (1, 8, 4, 3) for output in outputs)
    for other in outputs[1:]:
        assert abs(other - outputs[0]).max() > 1e-3
    copy = keras.Model.from_config(network.get_config())
    copy.set_weights(network.get_weights())
    np.testing.assert_allclose(copy(inputs), outputs[-1], atol=1e-5)


def test_convolutions_alone_may_have_lower_precision():
    """Elementwise operations are slower in it on CPUs."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = time_unet((4, 4, 1), widths=(8,))
    for layer in network.layers:
        if "conv" in layer.name:
            assert layer.compute_dtype == "bfloat16"
        elif not layer.name.startswith(("input", "dense", "activation", "pixel_shuffle")):
            assert layer.compute_dtype == "float32", layer.name
    assert network.output.dtype == "float32"
