"""Flow networks: inverses, log-determinants, masks, and first values."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers.flows import ActNorm, AffineCoupling, Factored, InvertibleConvolution, Squeeze
from keras_gen.networks import glow, real_nvp
from keras_gen.networks.flows.coupling_flow import coupling_flow
from keras_gen.testing import check_flow


def perturb(flow, rng):
    for weight in flow.trainable_variables:
        weight.assign_add(rng.normal(0, 0.2, weight.shape))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("shape", "latents", "condition"),
    [((2,), (2,), 0), ((5,), (5,), 3), ((4, 4, 1), (2, 2, 4), 0), ((4, 2, 2), (2, 1, 8), 2)],
)
def test_it_inverts_with_the_jacobians_determinant(shape, latents, condition, rng):
    flow = coupling_flow(shape, steps=4, hidden=(6,), condition_dim=condition)
    assert flow.built and flow.input_shape == (None, *shape)
    assert flow.output_shape == (None, *latents)
    x = tf.constant(rng.normal(1, 2, (3, *shape)), tf.float32)
    options = {"condition": tf.ones([3, condition])} if condition else {}
    perturb(flow, rng)
    flow.after_update(flow(x, training=True, **options)[2])
    with tf.GradientTape() as tape:
        tape.watch(x)
        z, log_det, _ = flow(x, **options)
    assert z.shape == (3, *latents)
    np.testing.assert_allclose(flow.inverse(z, **options), x, atol=1e-5)
    size = int(np.prod(shape))
    jacobian = np.reshape(tape.batch_jacobian(z, x), [3, size, size]).astype("float64")
    np.testing.assert_allclose(log_det, np.linalg.slogdet(jacobian)[1], rtol=1e-4, atol=1e-4)
    if condition:
        other = flow(x, condition=tf.zeros([3, condition]))[0]
        assert np.abs(other - z).max() > 1e-3


def test_it_starts_as_the_normalization_of_its_first_batch(rng):
    flow = coupling_flow((3,), steps=4)
    x = rng.normal(5, 3, (50, 3)).astype("float32")
    z, log_det, _ = flow(x, training=True)
    np.testing.assert_allclose(z, (x - x.mean(0)) / x.std(0), atol=1e-5)
    np.testing.assert_allclose(log_det, -np.log(x.std(0)).sum(), rtol=1e-5)


def test_masks_alternate_and_change_after_the_squeeze():
    kinds = [type(layer) for layer in coupling_flow((4, 4, 1), steps=3, hidden=()).steps]
    step = [ActNorm, AffineCoupling]
    assert kinds == [*step, *step, Squeeze, *step]
    couplings = [
        (layer.mask, layer.flip)
        for layer in coupling_flow((4, 4, 1), steps=4, hidden=()).steps
        if isinstance(layer, AffineCoupling)
    ]
    masks = ["checkerboard", "checkerboard", "channels", "channels"]
    assert couplings == list(zip(masks, [False, True] * 2, strict=True))


def test_sizes_of_the_networks():
    flow = coupling_flow((2,), steps=3, hidden=(7, 5))
    one = 3 * 7 + 8 * 5 + 2 * 6 * 2 + 1 + 4  # dense layers, two heads, factor, normalization
    assert sum(int(np.prod(v.shape)) for v in flow.trainable_variables) == 3 * one


def layers_of(flow, kind):
    return [layer for layer in flow._flatten_layers() if isinstance(layer, kind)]


BUILDERS = {
    "glow": lambda: glow((4, 4, 1), scales=2, steps=1, filters=3),
    "glow_lu": lambda: glow((2, 4, 1), scales=1, steps=2, filters=3, lu=True),
    "real_nvp": lambda: real_nvp((2, 4, 1), scales=2, blocks=1, filters=3),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", BUILDERS)
def test_each_layer_has_its_inverse_and_determinant(name):
    check_flow(BUILDERS[name]())


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
