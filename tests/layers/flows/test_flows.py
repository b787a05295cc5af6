"""Invertible layers: inverses, log-determinants, shapes, and chains."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers.flows import (
    ActNorm,
    AffineCoupling,
    Chain,
    Factored,
    InvertibleConvolution,
    Logit,
    Squeeze,
)

FLAT, IMAGE, SOUND, CONDITION = (5,), (2, 4, 3), (6, 2), (2,)


def network(shape, condition=None, channels=None):
    """Any network of the right shapes: every output depends on every passive value nearby."""
    inputs = [keras.Input(s) for s in (shape, condition) if s]
    dense = keras.layers.Dense(6, activation="tanh")
    conv = keras.layers.Conv2D(6, 3, padding="same", activation="tanh")
    x = (dense if len(shape) == 1 else conv)(inputs[0])
    if condition:
        x = x * keras.layers.Dense(6)(inputs[1])
    heads = [keras.layers.Dense(channels or shape[-1])(x) for _ in range(2)]
    return keras.Model(inputs if condition else inputs[0], heads)


def coupling(shape, *args, condition=None):
    return AffineCoupling(network(shape, condition), *args)


def chain():
    inner = Chain([ActNorm(), coupling((1, 2, 12), "channels", True)])
    return Chain([ActNorm(), coupling(IMAGE, "checkerboard"), Squeeze(), inner])


def two_scales():
    """The last layer lets 1 of 3 channels leave, its rest 2 of 4."""
    inner = Chain([Squeeze(), ActNorm(), Factored(ActNorm())])
    return Chain([ActNorm(), Factored(inner, network((2, 4, 2), channels=1))])


LAYERS = {
    "logit": (lambda: Logit(0.1), IMAGE),
    "convolution": (lambda: InvertibleConvolution(seed=2), IMAGE),
    "convolution_lu": (lambda: InvertibleConvolution(lu=True, seed=2), IMAGE),
    "convolution_flat": (lambda: InvertibleConvolution(lu=True, seed=1), FLAT),
    "factored": (lambda: Factored(InvertibleConvolution()), IMAGE),
    "factored_prior": (two_scales, IMAGE),
    "half": (lambda: AffineCoupling(network((2, 4, 1), channels=2)), IMAGE),
    "half_flip": (lambda: AffineCoupling(network((2, 4, 2), channels=1), "channels", True), IMAGE),
    "squeeze_time": (lambda: Squeeze(3), SOUND),
    "act_norm_flat": (ActNorm, FLAT),
    "act_norm_image": (ActNorm, IMAGE),
    "channels_flat": (lambda: coupling(FLAT), FLAT),
    "channels_flat_flip": (lambda: coupling(FLAT, "channels", True), FLAT),
    "checkerboard_flat": (lambda: coupling(FLAT, "checkerboard"), FLAT),
    "channels_image": (lambda: coupling(IMAGE, "channels", True), IMAGE),
    "checkerboard_image": (lambda: coupling(IMAGE, "checkerboard"), IMAGE),
    "checkerboard_image_flip": (lambda: coupling(IMAGE, "checkerboard", True), IMAGE),
    "conditional": (lambda: Chain([ActNorm(), coupling(FLAT, condition=CONDITION)]), FLAT),
    "squeeze": (Squeeze, IMAGE),
    "chain": (chain, IMAGE),
}


@pytest.fixture(params=LAYERS)
def case(request):
    """A built layer of random weights and state, inputs, and what `call` takes beside them."""
    build, shape = LAYERS[request.param]
    layer, rng = build(), np.random.default_rng(1)
    layer.build((None, *shape))
    randomize(layer, rng)
    options = {}
    if request.param == "conditional":
        options["condition"] = tf.constant(rng.normal(size=(3, *CONDITION)), tf.float32)
    unit = request.param == "logit"
    x = rng.uniform(size=(3, *shape)) if unit else rng.normal(0.5, 2, (3, *shape))
    return layer, tf.constant(x, tf.float32), options


def randomize(layer, rng):
    """Also those that start at zero, and the statistics of a first batch."""
    for weight in layer.variables:
        if weight.name in ("order", "sign"):
            continue  # fixed: eq. (10) of Glow
        integer = weight.dtype.startswith("int")
        weight.assign(1 if integer else rng.normal(0, 0.5, weight.shape))


@pytest.mark.thorough
def test_log_determinants_are_the_jacobians(case):
    layer, x, options = case
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, log_det, _ = layer(x, **options)
    size = int(np.prod(x.shape[1:]))
    jacobian = tf.reshape(tape.batch_jacobian(y, x), [len(x), size, size]).numpy()
    assert log_det.shape == (3,) and log_det.dtype == tf.float32
    expected = np.linalg.slogdet(jacobian.astype("float64"))[1]
    np.testing.assert_allclose(log_det, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.thorough
def test_inverses_invert(case):
    layer, x, options = case
    y, _, statistics = layer(x, **options)
    assert tf.nest.flatten(statistics) == []
    assert y.shape[1:] == layer.y_shape(x.shape)[1:]
    np.testing.assert_allclose(layer.inverse(y, **options), x, atol=2e-5)
    # Neighbors in time keep their order.
    assert y.shape != x.shape or np.abs(y.numpy() - x.numpy()).max() > 0.1


@pytest.mark.thorough
def test_calls_change_no_state(case):
    layer, x, options = case
    before = [weight.numpy() for weight in layer.variables]
    layer(x, training=True, **options)
    for weight, value in zip(layer.variables, before, strict=True):
        np.testing.assert_array_equal(weight, value)


@pytest.mark.thorough
def test_files_give_the_layer_back(case, tmp_path):
    layer, x, options = case
    flow = Chain([layer])
    flow.build(x.shape)
    flow.save(tmp_path / "flow.keras")
    keras.utils.set_random_seed(99)
    loaded = keras.saving.load_model(tmp_path / "flow.keras")
    for one, other in zip(flow(x, **options)[:2], loaded(x, **options)[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    assert [v.shape for v in loaded.trainable_variables] == [
        v.shape for v in layer.trainable_variables
    ]


@pytest.mark.parametrize("name", ["channels_flat", "checkerboard_image", "chain"])
def test_mixed_precision_is_for_networks_only(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    build, shape = LAYERS[name]
    layer, rng = build(), np.random.default_rng(0)
    layer.build((None, *shape))
    randomize(layer, rng)
    x = tf.constant(rng.normal(size=(4, *shape)), tf.float32)
    y, log_det, _ = layer(x, training=True)
    assert y.dtype == log_det.dtype == tf.float32
    np.testing.assert_allclose(layer.inverse(y), x, atol=1e-5)
    assert "bfloat16" in {sub.compute_dtype for sub in layer._flatten_layers()}


def test_a_chain_is_a_model_with_the_layers_weights():
    flow = chain()
    flow.build((None, *IMAGE))
    assert flow.built and flow.input_shape == (None, *IMAGE)
    assert flow.output_shape == (None, 1, 2, 12)
    assert flow.layers == flow.steps
    # 2 of each normalization; a factor and 6 of the network of each coupling.
    assert len(flow.trainable_variables) == 2 * 2 + 2 * 7
    assert len(flow.non_trainable_variables) == 2 * 3


def test_a_chain_adds_log_determinants_and_hands_out_statistics(rng):
    flow = Chain([ActNorm(), Squeeze(), ActNorm()])
    x = tf.constant(rng.normal(3, 2, (6, *IMAGE)), tf.float32)
    y, log_det, statistics = flow(x, training=True)
    h, first, _ = flow.steps[0](x, training=True)
    _, second, _ = flow.steps[2](flow.steps[1](h)[0], training=True)
    np.testing.assert_allclose(log_det, first + second, rtol=1e-6)
    flow.after_update(statistics)
    assert flow.steps[0].initialized.numpy() == flow.steps[2].initialized.numpy() == 1
    np.testing.assert_allclose(flow(x)[0], y, atol=1e-5)
    np.testing.assert_allclose(flow.inverse(y), x, atol=1e-5)


def test_squares_become_channels():
    image = np.arange(16.0, dtype="float32").reshape(1, 4, 4, 1)
    y, log_det, _ = Squeeze()(image)
    np.testing.assert_array_equal(y[0, 0, 1], [2, 3, 6, 7])
    np.testing.assert_array_equal(log_det, [0])
    assert Squeeze.from_config(Squeeze(4).get_config())(image)[0].shape == (1, 1, 1, 16)


def test_neighbors_in_time_become_channels():
    sound = np.arange(12.0, dtype="float32").reshape(1, 6, 2)
    y, log_det, _ = Squeeze()(sound)
    np.testing.assert_array_equal(y[0, 1], [4, 5, 6, 7])
    np.testing.assert_array_equal(log_det, [0])
    assert Squeeze(3).y_shape((None, None, 2)) == (None, None, 6)


@pytest.mark.parametrize("alpha", [0.05, 5e-4, 1e-6])
def test_extreme_values_come_back(alpha):
    x = np.array([[0, 1e-7, 1e-3, 0.5, 1 - 1e-3, 1 - 6e-8, 1]], "float32")
    layer = Logit(alpha)
    y, log_det, _ = layer(x)
    wide = x.astype("float64")
    p = alpha + (1 - 2 * alpha) * wide
    rest = alpha + (1 - 2 * alpha) * (1 - wide)
    np.testing.assert_allclose(y, np.log(p / rest), rtol=1e-5, atol=1e-6)
    slopes = (1 - 2 * alpha) / (p * rest)
    np.testing.assert_allclose(log_det, np.log(slopes).sum(1), rtol=1e-5)
    np.testing.assert_allclose(layer.inverse(y), x, atol=1e-5)
    np.testing.assert_allclose(y[:, 0], -y[:, -1], rtol=1e-6)


def test_logits_beyond_the_range_become_its_ends():
    x = Logit(0.01).inverse(np.array([[-1e30, -20, -4.7, 4.7, 20, 1e30]], "float32"))
    np.testing.assert_array_equal(x, [[0, 0, 0, 1, 1, 1]])
