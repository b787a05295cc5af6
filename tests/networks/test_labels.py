"""Labels as further channels: what the network then sees, against numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import m2_networks, with_codes, with_labels

CLASSES = 3
LABELS = tf.constant([2, 0, 2, 1])
ONE_HOT = np.eye(CLASSES)[LABELS.numpy()]


def test_labels_stand_beside_vectors(rng):
    dense = keras.layers.Dense(2)
    network = with_labels(keras.Sequential([keras.Input((4 + CLASSES,)), dense]), CLASSES)
    kernel, bias = rng.normal(size=(4 + CLASSES, 2)), rng.normal(size=2)
    dense.set_weights([kernel, bias])
    x = rng.normal(size=(4, 4)).astype("float32")
    expected = np.concatenate([x, ONE_HOT], axis=1) @ kernel + bias
    np.testing.assert_allclose(network([tf.constant(x), LABELS]), expected, rtol=1e-5, atol=1e-6)


def test_labels_stand_at_every_pixel(rng):
    convolution = keras.layers.Conv2D(2, 2)
    network = with_labels(
        keras.Sequential([keras.Input((3, 2, 1 + CLASSES)), convolution]), CLASSES
    )
    kernel, bias = rng.normal(size=(2, 2, 1 + CLASSES, 2)), rng.normal(size=2)
    convolution.set_weights([kernel, bias])
    x = rng.normal(size=(4, 3, 2, 1)).astype("float32")
    maps = np.broadcast_to(ONE_HOT[:, None, None], (4, 3, 2, CLASSES))
    both = np.concatenate([x, maps], axis=-1)
    rows = [np.einsum("nhwc,hwcf->nf", both[:, row : row + 2], kernel) for row in range(2)]
    expected = np.stack(rows, axis=1)[:, :, None] + bias
    np.testing.assert_allclose(network([tf.constant(x), LABELS]), expected, rtol=1e-4, atol=1e-5)


def test_it_takes_images_and_integers_and_keeps_name_and_weights():
    inner = keras.Sequential([keras.Input((5, 5, 7)), keras.layers.Dense(1)], name="judge")
    network = with_labels(inner, 4)
    assert [i.shape for i in network.inputs] == [(None, 5, 5, 3), (None,)]
    assert network.inputs[1].dtype == "int32" and network.output_shape == (None, 5, 5, 1)
    assert network.name == "judge" and with_labels(inner, 4, name="other").name == "other"
    assert all(a is b for a, b in zip(network.weights, inner.weights, strict=True))


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_file_holds_it(policy, tmp_path, rng):
    keras.config.set_dtype_policy(policy)
    network = with_labels(
        keras.Sequential([keras.Input((2 + CLASSES,)), keras.layers.Dense(2)]), CLASSES
    )
    network.save(tmp_path / "network.keras")
    keras.config.set_dtype_policy("float32")
    copy = keras.saving.load_model(tmp_path / "network.keras")
    x = tf.constant(rng.normal(size=(4, 2)), tf.float32)
    outputs = network([x, LABELS])
    np.testing.assert_array_equal(copy([x, LABELS]), outputs)
    assert np.abs(outputs - network([x, tf.roll(LABELS, 1, 0)])).max() > 0.01


def test_images_are_flattened_for_a_network_of_vectors(rng):
    dense = keras.layers.Dense(2)
    inner = keras.Sequential([keras.Input((6 + CLASSES,)), dense], name="flat")
    network = with_labels(inner, CLASSES, shape=(3, 2, 1))
    x = rng.normal(size=(4, 3, 2, 1)).astype("float32")
    expected = inner(np.concatenate([x.reshape(4, 6), ONE_HOT], axis=1).astype("float32"))
    np.testing.assert_allclose(network([tf.constant(x), LABELS]), expected, rtol=1e-5, atol=1e-6)
    message = r"'flat' takes \(9,\): build it for the 8 values of \(4, 2, 1\) and 3 classes\."
    with pytest.raises(ValueError, match=message):
        with_labels(inner, CLASSES, shape=(4, 2, 1))


def test_networks_of_m2_fit_each_other():
    encoder, decoder, classifier = m2_networks((4, 2, 1), 3, 5, (6, 7), "relu", params_per_value=2)
    assert [i.shape[1:] for i in encoder.inputs] == [(4, 2, 1), ()]
    assert [o.shape[1:] for o in encoder.outputs] == [(5,), (5,)]
    assert [i.shape[1:] for i in decoder.inputs] == [(5,), ()]
    assert decoder.output_shape[1:] == (4, 2, 2) and classifier.output_shape == (None, 3)
    names = [network.name for network in (encoder, decoder, classifier)]
    assert names == ["encoder", "decoder", "classifier"]


def test_weights_of_m2_start_near_zero_if_asked():
    near, usual = (
        np.concatenate([w.ravel() for n in networks for w in n.get_weights() if w.ndim == 2])
        for networks in (m2_networks((300,), 3), m2_networks((300,), 3, deviation=None))
    )
    assert np.std(near) == pytest.approx(0.001, rel=0.02) and abs(near.mean()) < 1e-5
    assert np.std(usual) > 0.03
    biases = [w for n in m2_networks((9,), 3) for w in n.get_weights() if w.ndim == 1]
    assert biases and not any(b.any() for b in biases)


@pytest.mark.parametrize("channels", [CLASSES, CLASSES - 1])
def test_networks_without_room_for_labels_are_refused(channels):
    network = keras.Sequential([keras.Input((channels,)), keras.layers.Dense(2)], name="narrow")
    message = f"'narrow' takes {channels} channels: build it for 3 more"
    with pytest.raises(ValueError, match=message):
        with_labels(network, CLASSES)


def test_codes_are_the_last_inputs(rng):
    inner = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)], name="inner")
    network = with_codes(inner, 3)
    z, codes = (rng.normal(size=(4, n)).astype("float32") for n in (2, 3))
    np.testing.assert_allclose(network([z, codes]), inner(np.concatenate([z, codes], 1)), rtol=1e-6)
    assert network.name == "inner" and [i.shape[1:] for i in network.inputs] == [(2,), (3,)]
    for wrong in (0, 5):
        with pytest.raises(ValueError, match=rf"'inner' takes \(5,\) and there are {wrong} codes"):
            with_codes(inner, wrong)
