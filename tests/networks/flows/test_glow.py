"""The flows of Glow and Real NVP."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers.flows import ActNorm, AffineCoupling, Factored, InvertibleConvolution
from keras_gen.networks import glow, real_nvp


def layers_of(flow, kind):
    return [layer for layer in flow._flatten_layers() if isinstance(layer, kind)]


BUILDERS = {
    "glow": lambda: glow((4, 4, 1), scales=2, steps=1, filters=3),
    "glow_lu": lambda: glow((2, 4, 1), scales=1, steps=2, filters=3, lu=True),
    "real_nvp": lambda: real_nvp((2, 4, 1), scales=2, blocks=1, filters=3),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", BUILDERS)
def test_they_invert_with_the_jacobians_determinant(name, rng):
    flow = BUILDERS[name]()
    x = tf.constant(rng.uniform(0.05, 0.95, (2, *flow.input_shape[1:])), tf.float32)
    for weight in flow.trainable_variables:
        weight.assign_add(rng.normal(0, 0.1, weight.shape))
    flow.after_update(flow(x, training=True)[2])
    size = int(np.prod(x.shape[1:]))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        z, log_det, _ = flow(x)
        outputs = tf.unstack(tf.reshape(z, [2, size]), axis=1)
    assert z.shape == (2, *flow.output_shape[1:])
    np.testing.assert_allclose(flow.inverse(z), x, atol=1e-4)
    rows = [tf.reshape(tape.gradient(output, x), [2, size]) for output in outputs]
    jacobian = np.stack(rows, axis=1).astype("float64")
    np.testing.assert_allclose(log_det, np.linalg.slogdet(jacobian)[1], rtol=1e-3, atol=1e-3)


def test_scales_and_steps_of_glow():
    flow = glow((8, 8, 1), scales=3, steps=2, filters=4)
    assert flow.output_shape == (None, 64)
    for kind, count in ((ActNorm, 6), (InvertibleConvolution, 6), (AffineCoupling, 6)):
        assert len(layers_of(flow, kind)) == count
    assert len(layers_of(flow, Factored)) == 2
    seeds = {layer.seed for layer in layers_of(flow, InvertibleConvolution)}
    assert len(seeds) == 6
    # 4 channels after a squeeze of 1; half of them stay, and are squeezed again.
    sizes = sorted({layer.kernel.shape[0] for layer in layers_of(flow, InvertibleConvolution)})
    assert sizes == [4, 8, 16]


@pytest.mark.thorough
def test_masks_of_real_nvp():
    flow = real_nvp((8, 8, 1), scales=2, blocks=1, filters=4)
    assert flow.output_shape == (None, 64)
    couplings = layers_of(flow, AffineCoupling)
    masks = [(layer.mask, layer.flip) for layer in couplings]
    assert masks.count(("checkerboard", False)) == 2 + 2
    assert masks.count(("checkerboard", True)) == 1 + 2
    assert masks.count(("channels", False)) == 2
    assert masks.count(("channels", True)) == 1


def test_couplings_start_as_the_identity(rng):
    """What is left is the logit, its normalization and the rotation, whose determinant is 1."""
    flow = glow((4, 4, 1), scales=1, steps=1, filters=4, alpha=0.1)
    x = rng.uniform(0, 1, (50, 4, 4, 1)).astype("float32")
    z, log_det, _ = flow(x, training=True)
    logit, log_slope, _ = flow.steps[0](x)
    squeezed = flow.steps[1](logit)[0].numpy()
    deviation = squeezed.std(axis=(0, 1, 2))
    np.testing.assert_allclose(log_det, log_slope - 4 * np.log(deviation).sum(), rtol=1e-4)
    normalized = (squeezed - squeezed.mean(axis=(0, 1, 2))) / deviation
    rotated = normalized @ flow.steps[3].matrix().numpy().T
    np.testing.assert_allclose(z, rotated, atol=1e-4)


@pytest.mark.parametrize(
    ("build", "options", "sentence"),
    [
        (glow, dict(shape=(28, 28, 1), scales=3), "sides that are multiples of 8; take fewer"),
        (glow, dict(shape=(8, 8), scales=1), "of 1 scales for images of shape"),
        (glow, dict(shape=(8, 8, 1), scales=0), "scales must be at least 1, found 0"),
        (glow, dict(shape=(8, 8, 1), steps=0), "steps must be at least 1, found 0"),
        (real_nvp, dict(shape=(6, 8, 1), scales=3), "sides that are multiples of 4"),
        (real_nvp, dict(shape=(8, 8, 1), blocks=-1), "blocks must be at least 0, found -1"),
    ],
)
def test_bad_arguments(build, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        build(**options)
