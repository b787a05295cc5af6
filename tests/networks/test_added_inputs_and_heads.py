"""Networks with further inputs, outputs or layers, or fewer latents."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import MinibatchDiscrimination
from keras_gen.networks import (
    conv_encoder,
    keep_latents,
    mlp_encoder,
    mlp_networks,
    with_codes,
    with_head,
    with_labels,
    with_layer,
    with_projection,
)
from keras_gen.vae import VAE

CLASSES = 3
LABELS = tf.constant([2, 0, 2, 1])
ONE_HOT = np.eye(CLASSES)[LABELS.numpy()]
HEADS = dict(latent_dim=2, heads=("mean", "log_variance"))
KEPT = [3, 0]


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


def test_images_are_flattened_for_a_network_of_vectors(rng):
    dense = keras.layers.Dense(2)
    inner = keras.Sequential([keras.Input((6 + CLASSES,)), dense], name="flat")
    network = with_labels(inner, CLASSES, shape=(3, 2, 1))
    x = rng.normal(size=(4, 3, 2, 1)).astype("float32")
    expected = inner(np.concatenate([x.reshape(4, 6), ONE_HOT], axis=1).astype("float32"))
    np.testing.assert_allclose(network([tf.constant(x), LABELS]), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("channels", [CLASSES, CLASSES - 1])
def test_networks_without_room_for_labels_are_refused(channels):
    network = keras.Sequential([keras.Input((channels,)), keras.layers.Dense(2)], name="narrow")
    message = (
        f"'narrow' accepts {channels} channels, but the labels alone need 3: build the network "
        "with 3 channels for the labels"
    )
    with pytest.raises(ValueError, match=message):
        with_labels(network, CLASSES)


def test_codes_are_the_last_inputs(rng):
    inner = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)], name="inner")
    network = with_codes(inner, 3)
    z, codes = (rng.normal(size=(4, n)).astype("float32") for n in (2, 3))
    np.testing.assert_allclose(network([z, codes]), inner(np.concatenate([z, codes], 1)), rtol=1e-6)
    assert network.name == "inner" and [i.shape[1:] for i in network.inputs] == [(2,), (3,)]
    with pytest.raises(ValueError, match=r"accepts inputs of shape \(5,\), but there are 5 codes"):
        with_codes(inner, 5)


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
    with pytest.raises(ValueError, match=r"'encoder' maps .*: expected one logit, computed"):
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


@pytest.mark.thorough
def test_a_model_of_them_is_trained_and_saved(networks, tmp_path, rng):
    model = VAE(*keep_latents(*networks, KEPT))
    model.compile()
    x = rng.uniform(size=[8, 4, 3, 1]).astype("float32")
    model.fit(x, batch_size=4, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(x), model.reconstruct(x))
    assert model.encode(x)[0].shape == (8, 2)


@pytest.mark.thorough
@pytest.mark.parametrize("kept", [[], [0, 5], [1, 1]])
def test_numbers_that_are_no_latents_are_refused(networks, kept):
    with pytest.raises(ValueError, match=r"expected one or more distinct numbers from 0 to 4"):
        keep_latents(*networks, kept)
