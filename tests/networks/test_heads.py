"""Networks with one more output."""

import numpy as np
import pytest

from keras_gen.networks import conv_encoder, mlp_encoder, with_head

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
