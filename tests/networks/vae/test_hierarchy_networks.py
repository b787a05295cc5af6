"""Networks of VAEs with layers of latents."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import biva_networks, conv_biva_networks, ladder_networks
from keras_gen.networks.vae.hierarchy_networks import MINIMUM_VARIANCE


def dense(inputs, outputs):
    return inputs * outputs + outputs


@pytest.mark.thorough
def test_sizes_of_the_ladders_networks():
    """Sønderby et al. (2016): latents 64, 32, ..., two layers of 512, 256, ... units."""
    networks = ladder_networks()
    up = [dense(784, 512) + dense(512, 512) + 2 * dense(512, 64)]
    up.append(dense(512, 256) + dense(256, 256) + 2 * dense(256, 32))
    assert [n.count_params() for n in networks["bottom_up"][:2]] == up
    down = dense(32, 256) + dense(256, 256) + 2 * dense(256, 64)
    assert networks["top_down"][0].count_params() == down
    last = dense(64, 512) + dense(512, 512) + dense(512, 784)
    assert networks["decoder"].count_params() == last
    assert [len(networks[name]) for name in ("bottom_up", "top_down")] == [5, 4]


@pytest.mark.thorough
def test_shapes_of_bivas_networks():
    networks = biva_networks((4, 3, 2), latent_dims=(5, 4, 3), units=7, params_per_value=2)

    def shapes_of(tensors):
        return [tuple(tensor.shape[1:]) for tensor in tensors]

    shapes = {
        name: [shapes_of(tensors) for n in networks[name] for tensors in (n.inputs, n.outputs)]
        for name in ("bottom_up", "lateral", "top_down")
    }
    assert shapes["bottom_up"] == [
        [(4, 3, 2)], [(7,), (5,), (5,)], [(7,), (5,)], [(7,), (4,), (4,)], [(7,), (4,)],
        [(3,), (3,)],
    ]  # fmt: skip
    assert shapes["lateral"] == [
        [(7,), (7,)], [(5,), (5,)], [(7,), (7,)], [(4,), (4,)],
    ]  # fmt: skip
    assert shapes["top_down"] == [
        [(7,), (4,), (4,)], [(7,), (5,), (5,), (5,), (5,)], [(3,)], [(7,), (4,), (4,), (4,), (4,)],
    ]  # fmt: skip
    assert networks["decoder"].output_shape == (None, 4, 3, 4)


def test_shapes_of_convolutional_networks():
    networks = conv_biva_networks((8, 4, 1), latent_dims=(3, 2), filters=5)
    assert [tuple(t.shape[1:]) for t in networks["bottom_up"][0].outputs] == [
        (4, 2, 5), (4, 2, 3), (4, 2, 3),
    ]  # fmt: skip
    assert [tuple(t.shape[1:]) for t in networks["bottom_up"][1].outputs] == [(2, 1, 2)] * 2
    assert networks["top_down"][0].input_shape[1:] == (2, 1, 2)
    assert tuple(networks["top_down"][0].outputs[0].shape[1:]) == (4, 2, 5)
    assert networks["decoder"].output_shape == (None, 8, 4, 1)


@pytest.mark.thorough
def test_features_skip_a_network():
    """With all weights 0 the features that enter leave, through the ELU alone."""
    for build in (biva_networks, conv_biva_networks):
        networks = build((8, 8, 1), (3, 2, 2), 6)
        network = networks["top_down"][0]
        network.set_weights([0 * w for w in network.get_weights()])
        inputs = [tf.random.uniform([2, *t.shape[1:]]) for t in network.inputs]
        passed = network(inputs)[0].numpy()
        scale = passed.shape[1] // inputs[0].shape[1]
        expected = inputs[0].numpy()
        if scale > 1:
            expected = expected.repeat(scale, axis=1).repeat(scale, axis=2)
        np.testing.assert_allclose(passed, expected, rtol=1e-6)


@pytest.mark.thorough
@pytest.mark.parametrize("build", [biva_networks, ladder_networks])
def test_variances_are_about_1_at_the_start_and_never_0(build):
    sizes = dict(units=8) if build is biva_networks else dict(hidden=(8, 8))
    network = build((4, 4, 1), (3, 2), **sizes)["bottom_up"][-1]
    inputs = [tf.zeros([1, *t.shape[1:]]) for t in network.inputs]
    inputs = inputs if len(inputs) > 1 else inputs[0]
    np.testing.assert_allclose(network(inputs)[-1], 0, atol=1e-3)
    # The bias at which softplus is 1.
    for weight in network.weights:
        if np.allclose(weight, np.log(np.e - 1)):
            weight.assign(np.full(weight.shape, -1e3))
    np.testing.assert_allclose(network(inputs)[-1], np.log(MINIMUM_VARIANCE), rtol=1e-4)
