"""A network of each layer is saved and loaded, under both policies."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import layers

MAPS = (4, 4, 8)
CASES = {
    "AdaptiveGroupNormalization": (dict(groups=2, epsilon=0.1), [MAPS, (5,)]),
    "AdaptiveInstanceNormalization": (dict(), [MAPS, (5,)]),
    "BicubicEnlargement": (dict(factor=2), [MAPS]),
    "ChannelwiseDense": (dict(), [MAPS]),
    "BatchNormalization": (dict(momentum=0.5), [MAPS]),
    "Conv2D": (dict(filters=3, kernel_size=5, padding="same"), [MAPS]),
    "Conv2DTranspose": (dict(filters=3, kernel_size=4, strides=2, padding="same"), [MAPS]),
    "ColumnScales": (dict(minimum_scale=0.1), [(5, 3)]),
    "DiagonalLSTM": (dict(units=6, backward=True, image_channels=3), [MAPS]),
    "Dropout": (dict(rate=0.3, seed=4), [MAPS]),
    "EqualizedConv2D": (dict(filters=3, kernel_size=3, gain=1.5, strides=2), [MAPS]),
    "EqualizedDense": (dict(units=3, gain=1.5, rate=0.1), [(4,)]),
    "GatedUnit": (dict(groups=2), [MAPS]),
    "InstanceNormalization": (dict(epsilon=0.1), [MAPS]),
    "LearnedConstant": (dict(shape=(2, 2, 3)), [(4,)]),
    "MaskedConvolution": (
        dict(filters=6, kernel_size=(3, 5), mask="A", image_channels=3, activation="relu"),
        [MAPS],
    ),
    "MaskedDense": (
        dict(degrees=[1, 2, 3, 1], input_degrees=[1, 2, 3], strict=True, activation="relu"),
        [(3,)],
    ),
    "MinibatchDiscrimination": (dict(features=3, row=2), [(5,)]),
    "MinibatchStddev": (dict(group_size=2, epsilon=1e-3), [MAPS]),
    "ModulatedConv2D": (
        dict(filters=3, kernel_size=3, demodulate=False, use_bias=True),
        [MAPS, (5,)],
    ),
    "NearestEnlargement": (dict(factor=3), [MAPS]),
    "NoisyActivation": (dict(offset=2, gain=2.0), [MAPS, (20,)]),
    "NoiseChannels": (dict(channels=2, seed=4), [MAPS]),
    "OneHot": (dict(levels=3, padding=1), [(4, 1)]),
    "PixelNormalization": (dict(epsilon=0.5), [MAPS]),
    "PixelShuffle": (dict(factor=2), [MAPS]),
    "RowLSTM": (dict(units=6, kernel_size=5, image_channels=3), [MAPS]),
    "SelfAttention": (dict(spectral=True), [MAPS]),
    "SpectralNormalization": (dict(layer=keras.layers.Dense(7), iterations=3), [(4,)]),
    "ZeroConvolution": (dict(filters=5, kernel_size=3), [MAPS]),
}


@pytest.mark.thorough
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", CASES)
def test_files_give_the_layer_back(name, policy, rng, tmp_path):
    keras.config.set_dtype_policy(policy)
    arguments, shapes = CASES[name]
    layer = getattr(layers, name)(**arguments)
    inputs = [keras.Input(shape) for shape in shapes]
    outputs = layer(inputs if len(inputs) > 1 else inputs[0])
    network = keras.Model(inputs, outputs)
    for weight in network.trainable_variables:
        weight.assign(weight + 0.1 * rng.normal(size=weight.shape))
    network.save(tmp_path / "network.keras")
    keras.config.set_dtype_policy("float32")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    for name in arguments.keys() - {"layer"}:
        assert loaded.layers[-1].get_config()[name] == layer.get_config()[name]
    x = [tf.constant(rng.normal(size=(4, *shape)), tf.float32) for shape in shapes]
    found = network(x)
    np.testing.assert_array_equal(loaded(x), found)
    assert tuple(found.shape[1:]) == network.output_shape[1:]
