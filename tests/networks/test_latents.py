"""Encoder and decoder of some of the latents."""

import keras
import numpy as np
import pytest

from keras_gen.networks import keep_latents, mlp_networks
from keras_gen.vae import VAE

KEPT = [3, 0]


@pytest.fixture
def networks():
    return mlp_networks((4, 3, 1), 5, (6,), heads=("mean", "log_variance"))


def test_the_others_are_zero(networks, rng):
    encoder, decoder = networks
    few = keep_latents(*networks, np.array(KEPT))
    x = rng.uniform(size=[7, 4, 3, 1]).astype("float32")
    for kept, all_of_them in zip(few[0](x), encoder(x), strict=True):
        np.testing.assert_array_equal(kept, np.asarray(all_of_them)[:, KEPT])
    latents = np.zeros([7, 5], "float32")
    latents[:, KEPT] = z = rng.normal(size=[7, 2])
    np.testing.assert_array_equal(few[1](z), decoder(latents))


def test_weights_are_shared(networks, rng):
    few = keep_latents(*networks, KEPT)
    for a, b in zip(networks, few, strict=True):
        assert all(w is v for w, v in zip(a.weights, b.weights, strict=True))
        assert (a.name, len(a.outputs)) == (b.name, len(b.outputs))


def test_a_model_of_them_is_trained_and_saved(networks, tmp_path, rng):
    model = VAE(*keep_latents(*networks, KEPT))
    model.compile()
    x = rng.uniform(size=[8, 4, 3, 1]).astype("float32")
    model.fit(x, batch_size=4, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(x), model.reconstruct(x))
    assert model.encode(x)[0].shape == (8, 2)


@pytest.mark.parametrize("kept", [[], [0, 5], [-1], [1, 1]])
def test_numbers_that_are_no_latents_are_refused(networks, kept):
    with pytest.raises(ValueError, match=r"expected one or more different numbers from 0 to 4"):
        keep_latents(*networks, kept)
