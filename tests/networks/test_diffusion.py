"""Networks that know the time: shapes, and what their outputs depend on."""

import functools

import keras
import numpy as np
import pytest
from scipy.special import softmax

from keras_gen.networks import series_unet, time_mlp, time_unet
from keras_gen.networks.diffusion.time_networks import _attention, _block
from tiny import fresh_names


def moved(network):
    """The network with other weights, since some start at 0."""
    rng = np.random.default_rng(0)
    network.set_weights([w + 0.1 * rng.normal(size=w.shape) for w in network.get_weights()])
    return network


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["unet", "mlp", "series"])
def test_outputs_depend_on_points_time_and_label(rng, kind):
    keras.utils.set_random_seed(0)
    shape = (7, 3) if kind == "series" else (8, 4, 3)
    if kind == "mlp":
        network = time_mlp(shape, width=8, blocks=1, classes=2)
    else:
        build = series_unet if kind == "series" else time_unet
        network = build(shape, widths=(8, 16), groups=4, classes=2)
        still = network([np.ones((1, *shape)), np.ones(1), np.zeros(1, "int32")])
        assert abs(still).numpy().max() == 0
    network = moved(network)
    x = rng.normal(size=(1, *shape)).astype("float32")
    outputs = []
    for scale, time, label in ((1, 0.5, 0), (2, 0.5, 0), (1, 0.6, 0), (1, 0.5, 2)):
        inputs = [scale * x, np.full(1, time, "float32"), np.full(1, label, "int32")]
        outputs.append(network(inputs).numpy())
    assert all(output.shape == (1, *shape) for output in outputs)
    for other in outputs[1:]:
        assert abs(other - outputs[0]).max() > 1e-3
    copy = keras.Model.from_config(network.get_config())
    copy.set_weights(network.get_weights())
    np.testing.assert_allclose(copy(inputs), outputs[-1], atol=1e-5)


def test_attention_is_applied_to_maps_of_the_given_sides():
    sizes = dict(widths=(4, 4, 4), groups=2)
    counts = {}
    for sides in (False, True, (4,), (16,), (8, 16), ()):
        network = time_unet((32, 32, 1), attention=sides, **sizes)
        counts[sides] = sum("dense" in layer.name for layer in network.layers)
    without = counts[False]
    # Four layers each: after the blocks down and up and, at the smallest side, in the middle.
    added = {sides: (count - without) // 4 for sides, count in counts.items()}
    assert added == {False: 0, True: 3, (4,): 3, (16,): 2, (8, 16): 4, (): 0}
    series = series_unet((16, 2), attention=(16,), **sizes)
    assert sum("layer_norm" in layer.name for layer in series.layers) == 2


def dense(x, layer):
    kernel, bias = layer.get_weights()
    return x @ kernel + bias


def test_attention_is_that_of_normalized_places(rng):
    """x + W softmax(q k' / sqrt(d)) v, of places with mean 0 and variance 1."""
    fresh_names()
    maps = keras.Input((2, 3, 4))
    network = moved(keras.Model(maps, _attention(maps)))
    x = rng.normal(size=(2, 2, 3, 4)).astype("float32")
    places = x.reshape(2, 6, 4)
    scale, offset = network.get_layer("layer_normalization").get_weights()
    deviation = np.sqrt(places.var(axis=-1, keepdims=True) + 1e-3)
    normal = (places - places.mean(axis=-1, keepdims=True)) / deviation * scale + offset
    layers = [network.get_layer(name) for name in ("dense", "dense_1", "dense_2", "dense_3")]
    query, key, value = (dense(normal, layer) for layer in layers[:3])
    weights = softmax(query @ key.swapaxes(1, 2) / 2, axis=-1)
    expected = places + dense(weights @ value, layers[3])
    np.testing.assert_allclose(network(x), expected.reshape(x.shape), rtol=1e-4, atol=1e-5)


def test_each_block_of_the_mlp_adds_a_function_of_point_and_time(rng):
    fresh_names()
    network = moved(time_mlp((2,), width=3, blocks=2, frequencies=0, activation="tanh"))
    x, t = rng.normal(size=(4, 2)).astype("float32"), rng.uniform(size=4).astype("float32")
    layers = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    layers = iter(sorted(layers, key=lambda layer: int(f"0{layer.name[6:]}")))
    waves = network.get_layer("sinusoidal_features")(t[:, None]).numpy()
    time = np.tanh(dense(np.tanh(dense(waves, next(layers))), next(layers)))
    hidden = dense(x, next(layers))
    for _ in range(2):
        of_time = time @ next(layers).get_weights()[0]
        hidden = hidden + np.tanh(dense(hidden, next(layers)) + of_time)
    expected = dense(hidden, next(layers))
    np.testing.assert_allclose(network([x, t]), expected, rtol=1e-4, atol=1e-5)


def test_a_block_of_the_unet_adds_normalized_maps_to_its_input(rng):
    maps, time = keras.Input((4, 4, 2)), keras.Input((3,))
    conv = functools.partial(keras.layers.Conv2D, kernel_size=3, padding="same")
    network = moved(keras.Model([maps, time], _block(maps, time, 2, conv, 1)))
    x, t = rng.normal(size=(2, 4, 4, 2)), rng.normal(size=(2, 3))
    first, normalization, last = [layer for layer in network.layers if layer.weights]
    expected = x + last(np.maximum(normalization([first(x), t]), 0))
    np.testing.assert_allclose(network([x, t]), expected, rtol=1e-4, atol=1e-5)


def test_series_are_treated_alike_at_all_steps():
    """Far from both ends, the output moves with the input, by multiples of the coarsest step."""
    network = moved(series_unet((65, 1), widths=(4, 8), groups=4, attention=False))
    x = np.zeros((2, 65, 1), "float32")
    x[0, 30], x[1, 34] = 1, 1
    first, second = network([x, np.full(2, 0.5, "float32")]).numpy()[..., 0]
    assert np.abs(np.diff(first[20:42])).max() > 0.01
    np.testing.assert_allclose(second[24:46], first[20:42], atol=1e-3)


def test_convolutions_alone_may_have_lower_precision():
    """Elementwise operations are slower in it on CPUs."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = time_unet((4, 4, 1), widths=(8,))
    for layer in network.layers:
        if "conv" in layer.name:
            assert layer.compute_dtype == "bfloat16"
        elif not layer.name.startswith(("input", "dense", "activation", "pixel_shuffle")):
            assert layer.compute_dtype == "float32", layer.name
    assert network.output.dtype == "float32"
