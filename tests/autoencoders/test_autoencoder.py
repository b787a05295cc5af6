"""The autoencoder against principal components, its scores and its signatures."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.linalg import subspace_angles

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
