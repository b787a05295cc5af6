"""Fully connected encoder and decoder."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import mlp_decoder, mlp_encoder


def dense(inputs, outputs):
    return inputs * outputs + outputs


def test_sizes_of_the_papers_networks():
    """Burda et al. (2016): 784 - 200 - 200 - 50 and back."""
    hidden = dense(784, 200) + dense(200, 200)
    assert mlp_encoder().count_params() == hidden + 2 * dense(200, 50)
    assert mlp_decoder().count_params() == dense(50, 200) + dense(200, 200) + dense(200, 784)


def test_shapes():
    encoder = mlp_encoder((4, 6, 3), latents=2, hidden=(5,))
    outputs = encoder(tf.random.normal([7, 4, 6, 3]))
    assert [output.shape for output in outputs] == [(7, 2), (7, 2)]
    decoder = mlp_decoder((4, 6, 3), latents=2, hidden=(5, 4, 3))
    assert decoder(outputs[0]).shape == (7, 4, 6, 3)
    assert len(decoder.weights) == 2 * 4


def test_computes_what_it_says():
    encoder = mlp_encoder((3,), latents=2, hidden=(4,), activation="tanh")
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    w, b, w_mean, b_mean, w_var, b_var = encoder.get_weights()
    h = np.tanh(x @ w + b)
    mean, log_variance = encoder(x)
    np.testing.assert_allclose(mean, h @ w_mean + b_mean, atol=1e-5)
    np.testing.assert_allclose(log_variance, h @ w_var + b_var, atol=1e-5)


@pytest.mark.parametrize("build", [mlp_encoder, mlp_decoder])
def test_mixed_precision_gives_float32(build):
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = build((2, 2, 1), latents=3, hidden=(4,))
    outputs = tf.nest.flatten(network(tf.zeros([2, *network.input_shape[1:]])))
    assert {output.dtype for output in outputs} == {tf.float32}
    assert network.layers[-2].compute_dtype in ("bfloat16", "float32")
    assert any(layer.compute_dtype == "bfloat16" for layer in network.layers[1:])


def test_no_hidden_layer_is_linear():
    decoder = mlp_decoder((2,), latents=2, hidden=())
    a, b = tf.random.normal([3, 2]), tf.random.normal([3, 2])
    np.testing.assert_allclose(decoder(a + b) + decoder(0 * a), decoder(a) + decoder(b), atol=1e-5)
