"""The flow of affine couplings."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers.flows import ActNorm, AffineCoupling, Squeeze
from keras_gen.networks.flows.coupling_flow import coupling_flow


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


@pytest.mark.parametrize(
    ("shape", "steps", "sentence"),
    [
        ((4, 4), 2, "for examples of shape"),
        ((2,), 0, "steps must be at least 1, found 0"),
        ((1,), 2, "makes no two halves"),
        ((3, 4, 1), 2, "multiples of 2"),
    ],
)
def test_bad_arguments(shape, steps, sentence):
    with pytest.raises(ValueError, match=sentence):
        coupling_flow(shape, steps=steps)
