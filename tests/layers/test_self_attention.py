"""Attention against numpy, and that it starts as nothing."""

import numpy as np
import pytest

from keras_gen.layers import SelfAttention

SHAPE = (4, 6, 16)


@pytest.fixture
def maps(rng):
    return rng.normal(size=(3, *SHAPE)).astype("float32")


def weights(layer):
    """The four kernels as matrices, and the gain."""
    convs = (layer.query, layer.key, layer.value, layer.output_conv)
    return [conv.get_weights()[0][0, 0] for conv in convs], float(layer.gain.numpy())


def attended(layer, maps):
    """Eqs. (1) to (3), place by place."""
    (query, key, value, output), gain = weights(layer)
    pooled = [
        (maps @ kernel).reshape(3, 2, 2, 3, 2, -1).max(axis=(2, 4)).reshape(3, 6, -1)
        for kernel in (key, value)
    ]
    scores = np.einsum("nhwc,npc->nhwp", maps @ query, pooled[0])
    share = np.exp(scores - scores.max(axis=-1, keepdims=True))
    share /= share.sum(axis=-1, keepdims=True)
    return maps + gain * np.einsum("nhwp,npc->nhwc", share, pooled[1]) @ output


def test_is_the_formula(maps):
    layer = SelfAttention()
    np.testing.assert_array_equal(layer(maps), maps)  # the gain starts at 0
    layer.gain.assign(0.7)
    found = layer(maps).numpy()
    np.testing.assert_allclose(found, attended(layer, maps), atol=1e-5)
    assert np.abs(found - maps).max() > 0.1
    sizes = [kernel.shape for kernel in weights(layer)[0]]
    assert sizes == [(16, 2), (16, 2), (16, 8), (8, 16)]


def test_every_place_is_read(maps):
    """What changes in one place changes all others, and no other image."""
    layer = SelfAttention()
    layer.build((None, *SHAPE))
    layer.gain.assign(1.0)
    changed = maps.copy()
    changed[1, 0, 0] += 3
    moved = np.abs(layer(changed).numpy() - layer(maps).numpy()).max(axis=-1) > 1e-6
    assert moved[1].all() and not moved[[0, 2]].any()


@pytest.mark.thorough
def test_kernels_can_be_spectrally_normalized(maps):
    layer = SelfAttention(spectral=True)
    layer(maps)
    layer.gain.assign(1.0)
    for conv in (layer.query, layer.key, layer.value, layer.output_conv):
        conv.layer.kernel.assign(5.0 * conv.layer.kernel)  # orthogonal at the start, so of norm 5
    for _ in range(20):
        layer(maps, training=True)
    plain = SelfAttention()
    plain.build((None, *SHAPE))
    plain.gain.assign(1.0)
    for conv, other in zip(
        (layer.query, layer.key, layer.value, layer.output_conv),
        (plain.query, plain.key, plain.value, plain.output_conv),
        strict=True,
    ):
        other.kernel.assign(conv.layer.kernel / 5.0)
    np.testing.assert_allclose(layer(maps), plain(maps), atol=1e-4)
