"""Classifiers: the metrics' small one, the one on an encoder, and LeNet."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import (
    activation_maps,
    classifier_on,
    conv_classifier,
    lenet,
    mlp_encoder,
    normalized_lenet,
)


def images(n=3, side=17, channels=3):
    return np.random.default_rng(0).integers(0, 256, (n, side, side, channels), "uint8")


def test_any_size_of_image_and_linear_logits():
    network = conv_classifier(3, 2, widths=(4, 8))
    for side in (1, 17, 32):
        outputs = network(images(side=side))
        assert outputs["features"].shape == (3, 8) and outputs["logits"].shape == (3, 2)
        kernel, bias = network.layers[-1].get_weights()
        wanted = outputs["features"] @ kernel + bias
        np.testing.assert_allclose(outputs["logits"], wanted, atol=1e-5)


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_pooling_in_place_of_strides(pooling):
    network = conv_classifier(3, 2, widths=(4, 8), pooling=pooling)
    kinds = [type(layer) for layer in network.layers]
    wanted = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
    assert kinds.count(wanted[pooling]) == 2
    (first, *_) = [x for x in network.layers if isinstance(x, keras.layers.Conv2D)]
    assert first.strides == (1, 1)
    assert network(images(side=16))["features"].shape == (3, 8)
    # The maps for feature losses are those before pooling.
    maps = activation_maps(network)(images(side=16) / np.float32(127.5) - 1)
    assert [x.shape for x in maps] == [(3, 16, 16, 4), (3, 8, 8, 8)]


def test_levels_become_minus_one_to_one():
    network = conv_classifier(1, 2, widths=(4,))
    rescaled = keras.Model(network.input, network.layers[1].output)
    levels = np.array([0, 51, 255], "uint8").reshape(3, 1, 1, 1)
    np.testing.assert_allclose(np.ravel(rescaled(levels)), [-1, -0.6, 1], atol=1e-6)


def test_floats_are_not_rounded_to_levels():
    network, x = conv_classifier(3, 2, widths=(4,)), images()
    logits = network(x)["logits"]
    np.testing.assert_array_equal(network(x.astype("float32"))["logits"], logits)
    assert (network(x + 0.4)["logits"].numpy() != logits.numpy()).all()


def test_the_seed_decides_the_weights():
    first, again, other = (conv_classifier(seed=seed).get_weights() for seed in (1, 1, 2))
    for ours, theirs in zip(first, again, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (first[0] != other[0]).all()


def test_dropout_acts_in_training_and_on_the_logits_alone():
    network = conv_classifier(3, 2, widths=(64,), dropout=0.5)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False  # else it normalizes otherwise in training
    x = images()
    first, second = (network(x, training=True) for _ in range(2))
    assert (first["logits"].numpy() != second["logits"].numpy()).all()
    np.testing.assert_allclose(first["features"], network(x)["features"], rtol=1e-5)
    np.testing.assert_array_equal(network(x)["logits"], network(x)["logits"])


def test_float32_under_any_policy():
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = conv_classifier(dropout=0.1)
    assert {layer.compute_dtype for layer in network.layers[1:]} == {"float32"}


class TestOnAnEncoder:
    @pytest.mark.parametrize("heads", [("codes",), ("mean", "log_variance")])
    def test_starts_from_the_codes(self, heads):
        encoder = mlp_encoder((3, 3, 1), latent_dim=4, hidden=(5,), heads=heads)
        network = classifier_on(encoder, 2, data_range=(-1.0, 1.0))
        x = images(side=3, channels=1)
        codes = encoder(x / 127.5 - 1)
        kernel, bias = network.layers[-1].get_weights()
        wanted = (codes[0] if len(heads) > 1 else codes) @ kernel + bias
        np.testing.assert_allclose(network(x), wanted, rtol=1e-4, atol=1e-6)

    @pytest.mark.thorough
    def test_leaves_the_encoder_as_it_is(self):
        encoder = mlp_encoder((3, 3, 1), latent_dim=4, hidden=())
        before, network = encoder.get_weights(), classifier_on(encoder, 2)
        network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        network.fit(images(side=3, channels=1), np.array([0, 1, 1]), verbose=0)
        np.testing.assert_array_equal(encoder.get_weights()[0], before[0])
        assert (network.get_layer("encoder").get_weights()[0] != before[0]).any()

    def test_a_frozen_encoder_is_a_probe(self):
        network = classifier_on(mlp_encoder((3, 3, 1), 4, (5,), heads=("mean", "log_variance")), 2)
        network.get_layer("encoder").trainable = False
        assert [tuple(w.shape) for w in network.trainable_weights] == [(4, 2), (2,)]


def test_activation_maps_are_those_of_the_classifier(rng):
    classifier = conv_classifier(channels=1, widths=(3, 5), seed=2)
    images = rng.integers(0, 256, (2, 8, 8, 1), "uint8")
    scaled = images / 127.5 - 1
    inside = keras.Model(images_in := keras.Input((8, 8, 1), dtype="uint8"), classifier(images_in))
    for network in (classifier, inside):
        maps = activation_maps(network)(scaled.astype("float32"))
        assert [m.shape for m in maps] == [(2, 4, 4, 3), (2, 2, 2, 5)]
        features = np.mean(maps[-1], axis=(1, 2))
        np.testing.assert_allclose(features, classifier(images)["features"], atol=1e-5)
    with tf.GradientTape() as tape:
        tape.watch(value := tf.constant(scaled, tf.float32))
        total = tf.reduce_sum(activation_maps(classifier)(value)[-1])
    assert np.abs(tape.gradient(total, value)).max() > 0
    with pytest.raises(
        ValueError, match="0 layers that scale images and 0 ReLUs: expected the layers"
    ):
        activation_maps(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)], name="dense"))


def test_batch_normalization_takes_away_the_scale_of_the_inputs():
    encoder, _ = normalized_lenet((8, 8, 1), classes=3, filters=4, hidden=5)
    x = tf.random.stateless_normal([6, 8, 8, 1], [1, 2])
    found = encoder(x, training=True)
    np.testing.assert_allclose(encoder(7.0 * x, training=True), found, atol=1e-3)
    assert not np.allclose(encoder(7.0 * x, training=False), encoder(x, training=False))


@pytest.mark.parametrize("build", [lenet, normalized_lenet])
def test_features_are_not_negative_and_lines_classify_them(build, rng):
    encoder, classifier = build((17, 20, 3), classes=4, filters=2, hidden=6)
    features = encoder(rng.random((5, 17, 20, 3))).numpy()
    assert features.shape == (5, 6) and (features >= 0).all() and features.any()
    kernel, bias = classifier.get_weights()
    np.testing.assert_allclose(classifier(features), features @ kernel + bias, rtol=1e-5)
