"""The masked convolution against tables, loops and gradients."""

import numpy as np
import pytest

from causality import dependence, sees
from keras_gen.layers.causal.convolutions import MaskedConvolution, causal_mask


def test_masks_of_one_channel():
    """Fig. 2 (left): all above and to the left; B also the pixel itself."""
    table = {"A": [[1, 1, 1], [1, 0, 0], [0, 0, 0]], "B": [[1, 1, 1], [1, 1, 0], [0, 0, 0]]}
    for mask, expected in table.items():
        expected = np.broadcast_to(np.reshape(expected, [3, 3, 1, 1]), [3, 3, 2, 4])
        np.testing.assert_array_equal(causal_mask(3, 3, 2, 4, mask), expected)


def test_masks_of_three_channels_at_the_pixel_itself():
    """Fig. 2 (right): rows are the maps of R, G, B that look, columns those that are seen."""
    table = {"A": [[0, 0, 0], [1, 0, 0], [1, 1, 0]], "B": [[1, 0, 0], [1, 1, 0], [1, 1, 1]]}
    for mask, expected in table.items():
        center = causal_mask(1, 3, 3, 6, mask, image_channels=3)[0, 1]  # [seen, looks]
        np.testing.assert_array_equal(center.T, np.repeat(expected, 2, axis=0))
    # Groups begin at 4 * g // 3: one map, one map, two maps.
    center = causal_mask(1, 1, 4, 3, "B", image_channels=3)[0, 0]
    np.testing.assert_array_equal(center.T, [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1]])


def test_equals_a_loop(rng):
    layer = MaskedConvolution(4, (3, 5), "B", image_channels=2, activation="tanh")
    x = rng.normal(size=(2, 4, 6, 3)).astype("float32")
    layer.build(x.shape)
    layer.bias.assign(rng.normal(size=4))
    y = layer(x).numpy()
    kernel = layer.kernel.numpy() * causal_mask(3, 5, 3, 4, "B", 2)
    padded = np.pad(x, [[0, 0], [1, 1], [2, 2], [0, 0]])
    for i, j in np.ndindex(4, 6):
        seen = padded[:, i : i + 3, j : j + 5]
        expected = np.tanh(np.einsum("nhwc,hwco->no", seen, kernel) + layer.bias.numpy())
        np.testing.assert_allclose(y[:, i, j], expected, atol=1e-5)


@pytest.mark.parametrize("mask", ["A", "B"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_layer_sees_what_its_mask_says(mask, channels, rng):
    """By gradient: exactly the values before it, within the kernel."""
    shape = (3, 4, channels)
    layer = MaskedConvolution(channels, 3, mask, image_channels=channels)
    found = dependence(layer, rng.normal(size=(1, *shape)).astype("float32"))
    count = np.prod(shape)
    np.testing.assert_array_equal(found.reshape(count, count), sees(mask, 3, shape))
