"""Layers that change channels alone, by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import ColumnScales, GatedUnit, OneHot, PixelShuffle
from keras_gen.losses import ColumnNormal
from keras_gen.networks import mlp_decoder, with_column_scales


@pytest.mark.parametrize("shape", [(2, 1), (2, 5, 1), (2, 3, 4, 1)])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_levels_become_unit_vectors(shape, policy, rng):
    levels = rng.integers(0, 301, shape)
    for dtype in ("int32", "float32"):
        y = OneHot(301, dtype=policy)(tf.constant(levels, dtype))
        np.testing.assert_array_equal(tf.cast(y, tf.float32), np.eye(301)[levels[..., 0]])


def test_padding_is_a_level_or_none():
    levels = tf.constant([[-1.0], [2.0]])
    np.testing.assert_array_equal(OneHot(3)(levels), [[0, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(OneHot(3, padding=1)(levels), [[0, 1, 0], [0, 0, 1]])
    assert OneHot(3)(keras.Input((None, 1))).shape == (None, None, 3)


@pytest.mark.parametrize("shape", [(2, 6), (2, 5, 6), (2, 3, 4, 6)])
@pytest.mark.parametrize("groups", [1, 3])
def test_each_group_has_its_own_halves(shape, groups, rng):
    x = rng.normal(size=shape).astype("float32")
    expected = []
    for group in np.split(x, groups, axis=-1):
        a, b = np.split(group, 2, axis=-1)
        expected.append(np.tanh(a) / (1 + np.exp(-b)))
    y = GatedUnit(groups)(tf.constant(x))
    np.testing.assert_allclose(y, np.concatenate(expected, axis=-1), atol=1e-6)


def test_the_parameters_are_those_of_a_normal_with_one_scale_per_column(rng):
    decoder = with_column_scales(mlp_decoder((5, 2), latent_dim=3, hidden=(4,)), 0.1)
    decoder.get_layer("scales").raw_scales.assign([-1.0, 2.0])
    z = rng.normal(size=(6, 3)).astype("float32")
    x = rng.normal(size=(6, 5, 2)).astype("float32")
    parameters = decoder(z)
    means = parameters[..., :2].numpy()
    scales = np.log1p(np.exp([-1.0, 2.0])) + 0.1
    log_normal = -0.5 * ((x - means) / scales) ** 2 - np.log(scales * np.sqrt(2 * np.pi))
    found = ColumnNormal(minimum_scale=0.1).log_prob(parameters, x)
    np.testing.assert_allclose(found, log_normal.sum(axis=(1, 2)), rtol=1e-4)


def test_gradients_of_means_are_weighted_by_variances_in_training_alone(rng):
    layer = ColumnScales(0.1)
    means = tf.constant(rng.normal(size=(4, 3)), tf.float32)
    layer.build(means.shape)
    layer.raw_scales.assign([-3.0, 0.0, 1.0])
    variances = (np.log1p(np.exp([-3.0, 0.0, 1.0])) + 0.1) ** 2
    factors = {False: np.ones(3), True: variances / variances.mean()}
    for training, factor in factors.items():
        with tf.GradientTape() as tape:
            tape.watch(means)
            outputs = layer(means, training=training)
            total = tf.reduce_sum(outputs)
        of_means, of_scales = tape.gradient(total, [means, layer.raw_scales.value])
        np.testing.assert_allclose(outputs[:, :3], means, atol=1e-6)
        np.testing.assert_allclose(of_means, np.tile(factor, [4, 1]), rtol=1e-5)
        np.testing.assert_allclose(of_scales, np.full(3, 4.0))


def test_pixels_are_shuffled_as_in_equation_4_of_shi_et_al(rng):
    maps = rng.normal(size=(1, 2, 3, 12)).astype("float32")
    expected = maps.reshape(1, 2, 3, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(1, 4, 6, 3)
    np.testing.assert_array_equal(PixelShuffle(2)(maps), expected)
