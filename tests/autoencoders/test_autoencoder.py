"""The autoencoder against principal components, its scores and its signatures."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.linalg import subspace_angles

from all_tiny import TINY
from keras_gen.autoencoders import Autoencoder
from keras_gen.losses import Bernoulli
from keras_gen.networks import mlp_decoder, mlp_encoder


def linear(shape, codes):
    return (
        mlp_encoder(shape, latent_dim=codes, hidden=()),
        mlp_decoder(shape, latent_dim=codes, hidden=()),
    )


def test_linear_equals_principal_components():
    random = np.random.default_rng(0)
    directions = np.linalg.qr(random.normal(size=(12, 12)))[0]
    sizes = np.array([0.3, 0.2, 0.15] + [0.02] * 9)
    x = np.clip(random.normal(size=(256, 12)) * sizes @ directions.T, -1, 1).astype("float32")
    model = Autoencoder(*linear((12,), 3), likelihood="normal")
    model.compile(keras.optimizers.Adam(0.02), steps_per_execution=300)
    data = tf.data.Dataset.from_tensors(x).repeat()
    model.fit(data, epochs=1, steps_per_epoch=600, verbose=0)
    centered = x - x.mean(axis=0)
    components = np.linalg.svd(centered, full_matrices=False)[2][:3]
    learned = model.decoder.trainable_variables[0].numpy()
    assert np.degrees(subspace_angles(components.T, learned.T)).max() < 1
    best = np.square(centered - centered @ components.T @ components).sum(axis=1).mean()
    ours = np.square(x - model.reconstruct(x)).sum(axis=1).mean()
    assert ours == pytest.approx(best, rel=1e-2)


def test_score_is_the_negative_log_likelihood_of_the_reconstruction():
    networks = linear((2, 2, 1), 2)
    model = Autoencoder(*networks)
    images = np.random.default_rng(0).integers(0, 256, (5, 2, 2, 1), "uint8")
    logits = networks[1](networks[0](images / np.float32(255)))
    expected = -Bernoulli().log_prob(logits, images / 255)
    np.testing.assert_allclose(model.score(images, batch_size=2), expected, rtol=1e-5)
    assert model.threshold(images, 0.0) == pytest.approx(float(tf.reduce_min(expected)), rel=1e-5)
    with pytest.raises(ValueError, match="quantile is 2: it must lie between 0 and 1"):
        model.threshold(images, 2)


def test_interpolates_between_codes():
    model = TINY["Autoencoder"].build(0)
    a, b = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 4, 1), "uint8")
    line = model.interpolate(a, b, steps=5)
    assert line.shape == (3, 5, 4, 4, 1)
    np.testing.assert_array_equal(line[:, 0], model.reconstruct(a))
    np.testing.assert_array_equal(line[:, -1], model.reconstruct(b))
    middle = (model.encode(a) + model.encode(b)) / 2
    np.testing.assert_array_equal(line[:, 2], model.decode(middle))


def test_refuses_networks_that_do_not_fit():
    encoder, decoder = linear((4,), 2)[0], linear((4,), 3)[1]
    with pytest.raises(ValueError, match=r"\[\(2,\)\] and the decoder's input \(3,\)"):
        Autoencoder(encoder, decoder)
    with pytest.raises(ValueError, match="expected codes of the shape"):
        Autoencoder(mlp_encoder((4,), latent_dim=3, heads=("mean", "log_variance")), decoder)
