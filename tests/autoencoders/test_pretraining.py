"""Greedy layer-wise pretraining."""

import keras
import numpy as np
import pytest

from keras_gen.autoencoders import Autoencoder, DenoisingAutoencoder, pretrain_layers
from keras_gen.data import Source
from keras_gen.networks import mlp_decoder, mlp_encoder

SHAPE = (4, 4, 1)
IMAGES = np.random.default_rng(0).integers(0, 256, (12, *SHAPE), "uint8")


def deep(hidden=(6, 5), mirror=(5, 6), activation="sigmoid"):
    encoder = mlp_encoder(SHAPE, 3, hidden, activation)
    return Autoencoder(encoder, mlp_decoder(SHAPE, 3, mirror, activation), seed=2)


def kernels(network):
    return [x.get_weights() for x in network.layers if isinstance(x, keras.layers.Dense)]


def test_each_layer_learns_the_codes_of_those_before_and_is_installed():
    model, seen = deep(), []

    def train(layer, source, name):
        assert isinstance(layer, DenoisingAutoencoder) and layer.amount == 0.4 and layer.seed == 2
        # What "training" leaves behind: every layer has weights of its own.
        for network in (layer.encoder, layer.decoder):
            network.set_weights([w + len(seen) + 0.5 for w in network.get_weights()])
        seen.append((name, source.arrays(), layer))

    pretrain_layers(model, Source(IMAGES), train, amount=0.4)
    assert [name for name, _, _ in seen] == ["layer_1", "layer_2", "layer_3"]
    ups, downs = kernels(model.encoder), kernels(model.decoder)[::-1]
    for (_, _, layer), up, down in zip(seen, ups, downs, strict=True):
        for installed, network in ((up, layer.encoder), (down, layer.decoder)):
            for ours, theirs in zip(installed, network.get_weights(), strict=True):
                np.testing.assert_array_equal(ours, theirs)
    # By hand: the codes of the first layer are what the second learns.
    np.testing.assert_array_equal(seen[0][1], IMAGES)
    x = IMAGES.reshape(12, 16) / 255.0
    for (kernel, bias), (_, codes, _) in zip(ups[:2], seen[1:], strict=True):
        x = 1 / (1 + np.exp(-(x @ kernel + bias)))
        np.testing.assert_allclose(codes, x, rtol=1e-5)
    # The last layer's codes are linear, as the model's are.
    np.testing.assert_allclose(
        seen[2][2].encode(seen[2][1]), model.encode(IMAGES), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (dict(mirror=(6, 6)), r"expected mirrored networks"),
        (dict(mirror=(5,)), r"\(16, 6\), \(6, 5\), \(5, 3\)"),
        (dict(activation="relu"), "is not a sigmoid"),
    ],
)
def test_refuses_other_networks(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        pretrain_layers(deep(**options), Source(IMAGES), lambda *_: pytest.fail("trained"))
