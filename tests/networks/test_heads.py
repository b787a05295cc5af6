"""Networks with one more output, or another way to their own."""

import keras
import numpy as np
import pytest

from keras_gen.layers import MinibatchDiscrimination
from keras_gen.networks import conv_encoder, mlp_encoder, with_head, with_layer, with_projection

HEADS = dict(latent_dim=2, heads=("mean", "log_variance"))


@pytest.mark.parametrize("encoder", [
    lambda: mlp_encoder((4, 4, 1), hidden=(5,), **HEADS),
    lambda: conv_encoder((4, 4, 1), filters=(3,), **HEADS),
    lambda: mlp_encoder((4, 4, 1), latent_dim=2, hidden=(5,)),
])  # fmt: skip
def test_a_head_takes_what_the_first_output_takes(encoder, rng):
    network = encoder()
    headed = with_head(network, 3)
    assert headed.name == network.name
    x = rng.uniform(size=(2, 4, 4, 1)).astype("float32")
    *outputs, logits = headed(x)
    expected = network(x)
    for one, other in zip(outputs, expected if len(outputs) > 1 else [expected], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    assert logits.shape == (2, 3) and logits.dtype == "float32"
    layer = headed.get_layer("logits")
    assert layer.input is headed.get_layer(network.output_names[0]).input
    assert len(headed.trainable_weights) == len(network.trainable_weights) + 2


def test_a_second_head_of_one_name_is_refused():
    headed = with_head(mlp_encoder((4,), 2, hidden=()), 3)
    with pytest.raises(ValueError, match="'encoder' has a layer 'logits': choose another name"):
        with_head(headed, 2)
    assert len(with_head(headed, 2, "identity").outputs) == 3


def test_a_head_may_have_a_layer_of_its_own(rng):
    network = mlp_encoder((4,), 2, hidden=(5,))
    headed = with_head(network, 3, hidden=7)
    x = rng.normal(size=(6, 4)).astype("float32")
    np.testing.assert_allclose(headed(x)[0], network(x), rtol=1e-6)
    layer = headed.get_layer("logits")
    assert layer.kernel.shape == (7, 3) and headed(x)[1].shape == (6, 3)
    # A kernel and a bias of 7, and the scale and offset of a normalization.
    assert len(headed.trainable_weights) == len(network.trainable_weights) + 6


def judge(rng, values=4, features=5):
    network = mlp_encoder((values,), 1, hidden=(features,), name="judge")
    network.set_weights([rng.normal(size=w.shape) for w in network.weights])
    return network


def test_a_projection_adds_the_inner_product_with_the_class(rng, tmp_path):
    network = judge(rng)
    projecting = with_projection(network, 3)
    embedding = rng.normal(size=(3, 5))
    projecting.get_layer("projection").set_weights([embedding])
    x, labels = rng.normal(size=(4, 4)).astype("float32"), np.array([2, 0, 2, 1])
    kernel, bias = network.get_weights()[:2]
    phi = np.tanh(x @ kernel + bias)
    expected = network(x) + np.sum(phi * embedding[labels], axis=1, keepdims=True)
    np.testing.assert_allclose(projecting([x, labels]), expected, rtol=1e-4, atol=1e-5)
    assert projecting.name == "judge" and projecting.output_shape == (None, 1)
    projecting.save(tmp_path / "network.keras")
    copy = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(copy([x, labels]), projecting([x, labels]))
    with pytest.raises(ValueError, match=r"'encoder' makes .*: expected one logit of features"):
        with_projection(mlp_encoder((4,), 2, hidden=(5,)), 3)


def test_a_layer_is_put_before_the_last(rng):
    network = judge(rng)
    x = rng.normal(size=(6, 4)).astype("float32")
    widened = with_layer(network, MinibatchDiscrimination(features=2))
    assert widened.output_shape == (None, 1) and widened.name == "judge"
    *hidden, kernel, bias = widened.get_weights()[:2] + widened.get_weights()[-2:]
    np.testing.assert_array_equal(hidden[0], network.get_weights()[0])
    assert kernel.shape == (7, 1)
    layer = next(each for each in widened.layers if isinstance(each, MinibatchDiscrimination))
    phi = np.tanh(x @ hidden[0] + hidden[1]).astype("float32")
    np.testing.assert_allclose(widened(x), layer(phi) @ kernel + bias, rtol=1e-4, atol=1e-5)
