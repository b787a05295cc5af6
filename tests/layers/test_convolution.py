"""The convolutions for few channels: equal to those of Keras, also their gradients and files."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import Conv2D, Conv2DTranspose

CASES = {
    "RGB": dict(filters=3, kernel_size=7),
    "one channel, same": dict(filters=1, kernel_size=9, padding="same"),
    "even sides": dict(filters=2, kernel_size=(4, 2), padding="same"),
    "a row": dict(filters=3, kernel_size=(1, 5), activation="relu"),
    "a column": dict(filters=4, kernel_size=(5, 1), use_bias=False),
    "many filters": dict(filters=5, kernel_size=3),
    "strides": dict(filters=3, kernel_size=5, strides=2, padding="same"),
    "dilation": dict(filters=3, kernel_size=3, dilation_rate=(1, 2)),
    "groups": dict(filters=2, kernel_size=3, groups=2),
}


def results(layer, x):
    """Returns the layer's output, and its gradients for the input and for the weights."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(layer(x), tf.float32)
        loss = tf.reduce_sum(tf.sin(y))
    return [y, *tape.gradient(loss, [x, *(weight.value for weight in layer.weights)])]


@pytest.mark.parametrize("case", CASES)
def test_outputs_and_gradients_are_those_of_keras(case, rng, tmp_path):
    x = tf.constant(rng.normal(size=(2, 10, 11, 6)), tf.float32)
    layers = []
    for kind in (keras.layers.Conv2D, Conv2D):
        layer = kind(**CASES[case])
        layer.build((None, None, None, 6))
        layers.append(layer)
    plain, fast = layers
    plain.set_weights([rng.normal(size=weight.shape) for weight in plain.weights])
    inputs = keras.Input((None, None, 6))
    keras.Model(inputs, plain(inputs)).save_weights(tmp_path / "plain.weights.h5")
    keras.Model(inputs, fast(inputs)).load_weights(tmp_path / "plain.weights.h5")
    for found, expected in zip(results(fast, x), results(plain, x), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert [weight.name for weight in fast.weights] == [weight.name for weight in plain.weights]
    assert fast.compute_output_shape((2, 10, 11, 6)) == fast(x).shape


WHOLE = {
    "of the whole map": (Conv2D, (3, 4, 6), dict(filters=5, kernel_size=(3, 4))),
    "from one pixel": (Conv2DTranspose, (1, 1, 6), dict(filters=5, kernel_size=(3, 4))),
    "to one channel": (
        Conv2DTranspose,
        (5, 6, 7),
        dict(filters=1, kernel_size=4, strides=2, padding="same", activation="tanh"),
    ),
    "to many channels": (
        Conv2DTranspose,
        (5, 6, 7),
        dict(filters=5, kernel_size=4, strides=2, padding="same"),
    ),
}


@pytest.mark.parametrize("case", WHOLE)
def test_whole_maps_and_transposed_convolutions_are_those_of_keras(case, rng):
    kind, shape, options = WHOLE[case]
    x = tf.constant(rng.normal(size=(2, *shape)), tf.float32)
    plain, fast = getattr(keras.layers, kind.__name__)(**options), kind(**options)
    for layer in (plain, fast):
        layer.build((None, *shape))
        layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
    plain.set_weights(fast.get_weights())
    for found, expected in zip(results(fast, x), results(plain, x), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert fast.compute_output_shape((2, *shape)) == fast(x).shape
    operations = {
        op.type for op in tf.function(fast).get_concrete_function(x).graph.get_operations()
    }
    assert ("Conv2DBackpropInput" in operations) == (case == "to many channels")
    assert ("Conv2D" in operations) == (case == "to one channel")


def test_half_precision_rounds_to_neighboring_numbers(rng):
    layer = Conv2D(3, 7, dtype="mixed_bfloat16")
    x = rng.normal(size=(2, 12, 12, 8)).astype("float32")
    found = layer(x)
    assert found.dtype == tf.bfloat16
    expected = tf.nn.conv2d(x, layer.kernel.value, 1, "VALID")
    error = tf.cast(found, tf.float32) - expected
    assert keras.ops.std(error) < 0.01 * keras.ops.std(expected)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("value", [np.inf, np.nan, 30.0])
def test_other_rows_and_channels_stay_finite(padding, dtype, value):
    """Also where the sum of one row, 30 * 20 * 3 * 64, exceeds the range of float16."""
    x = np.full((1, 9, 8, 64), 30, "float32")
    x[0, 4, 4, 0] = value
    kernel = np.zeros((3, 3, 64, 2), "float32")
    kernel[0], kernel[2], kernel[1, 1, 0] = 20, -20, (0, 1)
    results = []
    for kind in (Conv2D, keras.layers.Conv2D):
        layer = kind(2, 3, padding=padding, dtype=dtype if kind is Conv2D else "float32")
        layer.build(x.shape)
        layer.kernel.assign(kernel)
        results.append(tf.cast(layer(x), dtype.removeprefix("mixed_")).numpy().astype("float32"))
    np.testing.assert_array_equal(*results)


def test_a_batch_of_no_images_gives_no_images():
    layer = Conv2D(3, 3, padding="same")
    images = tf.TensorSpec([None, None, None, 4])
    assert tf.function(layer, input_signature=[images])(tf.zeros((0, 8, 8, 4))).shape[-1] == 3


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_the_gradient_has_a_gradient_under_xla(rng, padding):
    x = tf.constant(rng.normal(size=(2, 7, 6, 5)), tf.float32)
    kernel = rng.normal(size=(4, 3, 5, 2))
    found = []
    for kind in (Conv2D, keras.layers.Conv2D):
        layer = kind(2, (4, 3), padding=padding)
        layer.build(x.shape)
        layer.kernel.assign(kernel)

        def penalty(layer=layer):
            with tf.GradientTape() as tape:
                slope = results(layer, x)[1]
                square = tf.reduce_sum(slope**2)
            return tape.gradient(square, layer.kernel.value)

        found.append(tf.function(penalty, jit_compile=kind is Conv2D)())
    np.testing.assert_allclose(*found, rtol=1e-3, atol=1e-3)
