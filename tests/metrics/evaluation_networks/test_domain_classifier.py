import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.metrics import train_domain_classifier
from keras_gen.metrics.evaluation_networks.domain_classifier import (
    _build,
    _crops,
    accuracy,
    predict,
)

QUICK = {"steps": 30, "batch_size": 8, "learning_rate": 1e-2}


def stripes(n, across, size=32):
    """Noisy images with stripes along or across: equal in every statistic of color."""
    rng = np.random.default_rng([n, across])
    wave = 60 * np.sin(np.arange(size) * np.pi / 2)
    pattern = wave[:, None, None] if across else wave[None, :, None]
    images = 128 + pattern + 20 * rng.normal(size=(n, size, size, 3))
    return np.clip(images, 0, 255).astype("uint8")


A, B = stripes(24, across=False), stripes(24, across=True)


@pytest.fixture(scope="module")
def classifier():
    return train_domain_classifier(A, B, **QUICK)


@pytest.mark.thorough
def test_it_tells_held_out_textures_apart(classifier):
    a, b = stripes(30, across=False), stripes(10, across=True)
    assert accuracy(classifier, a, b) > 0.9
    np.testing.assert_allclose(accuracy(classifier, b, a), 1 - accuracy(classifier, a, b))


@pytest.mark.thorough
def test_outputs(classifier):
    outputs = predict(classifier, A, batch_size=10)
    assert outputs["features"].shape == (24, 128) and outputs["logits"].shape == (24,)
    assert outputs["features"].dtype == outputs["logits"].dtype == np.float32
    np.testing.assert_allclose(
        outputs["logits"], classifier(A, training=False)["logits"], rtol=1e-3, atol=1e-3
    )
    # Any size, and the logits are a linear function of the features.
    assert predict(classifier, stripes(2, True, size=50))["logits"].shape == (2,)
    kernel, bias = (v.numpy() for v in classifier.trainable_variables[-2:])
    np.testing.assert_allclose(
        outputs["logits"], (outputs["features"] @ kernel + bias)[:, 0], rtol=1e-3, atol=1e-3
    )


@pytest.mark.slow
def test_one_seed_gives_one_classifier_and_leaves_global_randomness_alone(classifier):
    tf.random.set_seed(1)
    np.random.seed(1)  # noqa: NPY002
    expected = tf.random.uniform([3]), np.random.uniform(size=3)  # noqa: NPY002
    tf.random.set_seed(1)
    np.random.seed(1)  # noqa: NPY002
    again = train_domain_classifier(A, B, **QUICK)
    np.testing.assert_array_equal(tf.random.uniform([3]), expected[0])
    np.testing.assert_array_equal(np.random.uniform(size=3), expected[1])  # noqa: NPY002
    for ours, theirs in zip(classifier.variables, again.variables, strict=True):
        if "seed_generator" not in ours.path:
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    other = train_domain_classifier(A, B, **{**QUICK, "steps": 1}, seed=1)
    assert (other.variables[0].numpy() != classifier.variables[0].numpy()).any()


def test_it_is_float32_under_a_mixed_policy():
    keras.config.set_dtype_policy("mixed_bfloat16")
    layers = _build((4,), first_kernel=3, seed=0).layers[1:]
    assert {layer.compute_dtype for layer in layers} == {"float32"}


def test_crops_are_unresampled_windows_of_either_orientation():
    # Every pixel says where it lies, so a window must count up (or, mirrored, down) in steps of 1.
    rows, columns = np.meshgrid(np.arange(20), np.arange(30), indexing="ij")
    images = np.stack([rows, columns, np.zeros_like(rows)], axis=-1)[None].astype("uint8")
    crops = _crops(images, 200, [8, 16], np.random.default_rng(0)).astype(int)
    assert crops.shape == (200, 8, 16, 3)
    assert (np.diff(crops[..., 0], axis=1) == 1).all()
    slopes = np.diff(crops[..., 1], axis=2)
    assert (slopes == slopes[:, :1, :1]).all() and set(slopes[:, 0, 0]) == {-1, 1}
    assert set(crops[:, 0, 0, 0]) == set(range(13))
    assert set(crops[..., 1].min(axis=(1, 2))) == set(range(15))
