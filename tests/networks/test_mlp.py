"""Fully connected encoder and decoder."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import (
    linear_networks,
    mlp_decoder,
    mlp_encoder,
    mlp_networks,
    one_layer_networks,
    start_at_mean,
)


def test_computes_what_it_says():
    heads = ("mean", "log_variance")
    encoder = mlp_encoder((3,), latent_dim=2, hidden=(4,), activation="tanh", heads=heads)
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    w, b, w_mean, b_mean, w_var, b_var = encoder.get_weights()
    h = np.tanh(x @ w + b)
    mean, log_variance = encoder(x)
    np.testing.assert_allclose(mean, h @ w_mean + b_mean, atol=1e-5)
    np.testing.assert_allclose(log_variance, h @ w_var + b_var, atol=1e-5)


def test_dropout_is_of_the_inputs_in_training_alone():
    encoder = mlp_encoder((400,), latent_dim=1, hidden=(), dropout=0.2)
    encoder.set_weights([*encoder.get_weights()[:-2], np.ones([400, 1]), np.zeros(1)])
    x = tf.ones([50, 400])
    np.testing.assert_allclose(encoder(x), 400, rtol=1e-6)
    sums = encoder(x, training=True).numpy().ravel()
    kept = sums * 0.8  # each of those that are kept counts 1 / 0.8
    np.testing.assert_allclose(kept, kept.round(), atol=1e-2)
    assert np.abs(kept.mean() - 320) < 5 and np.abs(kept.std() - 8) < 4


def test_one_layer_each():
    encoder, decoder = one_layer_networks((2, 3, 1), latent_dim=9)
    x = np.random.default_rng(0).uniform(size=(4, 2, 3, 1)).astype("float32")
    kernel, bias = encoder.get_weights()
    codes = 1 / (1 + np.exp(-(x.reshape(4, 6) @ kernel + bias)))
    np.testing.assert_allclose(encoder(x), codes, rtol=1e-5)
    kernel, bias = decoder.get_weights()
    np.testing.assert_allclose(decoder(codes), (codes @ kernel + bias).reshape(x.shape), atol=1e-5)


def test_linear_networks_subtract_the_mean_and_add_it(tmp_path):
    mean = np.random.default_rng(0).normal(size=(2, 3, 1)).astype("float32")
    encoder, decoder = linear_networks(mean, latent_dim=2)
    x = np.random.default_rng(1).normal(size=(5, 2, 3, 1)).astype("float32")
    (down,), (up,) = encoder.get_weights(), decoder.get_weights()
    codes = (x - mean).reshape(5, 6) @ down
    np.testing.assert_allclose(encoder(x), codes, rtol=1e-5)
    wanted = (codes @ up).reshape(x.shape) + mean
    np.testing.assert_allclose(decoder(encoder(x)), wanted, rtol=1e-5, atol=1e-6)
    encoder.save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    np.testing.assert_array_equal(loaded(x), encoder(x))


def test_latents_may_have_a_shape():
    encoder, decoder = mlp_networks((4, 3, 1), (2, 5), hidden=(6,))
    assert encoder.output_shape == decoder.input_shape == (None, 2, 5)
    flat = mlp_encoder((4, 3, 1), 10, hidden=(6,))
    flat.set_weights(encoder.get_weights())
    x = np.random.default_rng(0).normal(size=(3, 4, 3, 1)).astype("float32")
    np.testing.assert_array_equal(encoder(x), np.reshape(flat(x), (3, 2, 5)))
    assert decoder(encoder(x)).shape == x.shape


def test_the_decoder_mirrors_the_encoder():
    options = dict(hidden=(30, 20), activation="relu", output_activation="sigmoid")
    encoder, decoder = mlp_networks((4, 3, 1), 5, **options)
    kernels = [[w.shape for w in n.get_weights() if w.ndim == 2] for n in (encoder, decoder)]
    assert kernels == [[(12, 30), (30, 20), (20, 5)], [(5, 20), (20, 30), (30, 12)]]
    x = np.random.default_rng(0).normal(size=(6, 4, 3, 1)).astype("float32")
    assert decoder(encoder(x)).shape == x.shape and (np.asarray(encoder(x)) > 0).all()


def test_logistic_layers_start_four_times_as_wide():
    for activation, usual in (("sigmoid", 4.0), ("tanh", 1.0)):
        sizes = dict(latent_dim=3, hidden=(300,), activation=activation)
        a, b = (mlp_encoder((400,), **sizes, **gain) for gain in ({}, {"gain": usual}))
        spread = np.std(a.get_weights()[0]) / np.std(b.get_weights()[0])
        assert spread == pytest.approx(1, abs=0.02)


def test_gain_widens_the_hidden_layers_initial_weights_only():
    options = dict(latent_dim=3, hidden=(400, 300))
    for build in (mlp_encoder, mlp_decoder):
        plain, wide = build((400,), **options), build((400,), gain=4.0, **options)
        kernels = [[w for w in network.get_weights() if w.ndim == 2] for network in (plain, wide)]
        spread = [np.std(b) / np.std(a) for a, b in zip(*kernels, strict=True)]
        np.testing.assert_allclose(spread[:2], 4.0, rtol=0.1)
        np.testing.assert_allclose(spread[2:], 1.0, rtol=0.1)


def test_output_gain_widens_the_heads_initial_weights_only():
    plain, wide = (
        mlp_encoder((400,), 300, (400,), heads=("a", "b"), output_gain=gain) for gain in (1.0, 4.0)
    )
    spread = [
        np.std(b) / np.std(a)
        for a, b in zip(plain.get_weights(), wide.get_weights(), strict=True)
        if a.ndim == 2
    ]
    np.testing.assert_allclose(spread, [1.0, 4.0, 4.0], rtol=0.05)


def test_a_decoder_starts_at_the_mean_of_its_images(rng):
    images = (rng.uniform(size=[40, 3, 2, 1]) < rng.uniform(size=[3, 2, 1])).astype("float32")
    images[:, 0, 0], images[:, 1, 1] = 0, 1  # whose logits would be infinite
    decoder = mlp_decoder((3, 2, 1), 5, (7,))
    before = decoder.get_weights()
    start_at_mean(decoder, images)
    of_nothing = tf.sigmoid(decoder(tf.zeros([1, 5])))[0].numpy()
    mean = images.mean(axis=0)
    inside = (mean > 0) & (mean < 1)
    np.testing.assert_allclose(of_nothing[inside], mean[inside], rtol=1e-5)
    np.testing.assert_allclose(of_nothing[[0, 1], [0, 1], 0], [0.001, 0.999], rtol=1e-4)
    for a, b in zip(before[:-1], decoder.get_weights()[:-1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_generator_starts_with_the_mean_in_its_range(rng):
    generator = mlp_decoder((3, 2, 1), 5, (4,), output_activation="tanh")
    images = rng.uniform(size=[10, 3, 2, 1])
    start_at_mean(generator, images)
    of_nothing = generator(tf.zeros([1, 5]))[0]
    np.testing.assert_allclose(of_nothing, 2 * images.mean(axis=0) - 1, rtol=1e-4, atol=1e-6)


def test_a_start_that_does_not_fit_is_refused(rng):
    with pytest.raises(ValueError, match="ends with relu: expected logits or"):
        relu = mlp_decoder((3, 2, 1), 5, output_activation="relu")
        start_at_mean(relu, np.zeros([4, 3, 2, 1]))
    decoder = mlp_decoder((3, 2, 1), 5, ())
    for values in ([0, 255], [-1, 1], [0, np.nan]):
        with pytest.raises(ValueError, match=r"expected values in \[0, 1\]|array of finite"):
            start_at_mean(decoder, rng.choice(values, [40, 3, 2, 1]))
    assert not decoder.get_weights()[-1].any()
