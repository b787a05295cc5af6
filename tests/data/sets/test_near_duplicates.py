"""A photograph is found again in another size, cut and mirrored; other photographs are not."""

import numpy as np
from PIL import Image

from keras_gen.data import near_duplicates
from keras_gen.data.offline.images import photographs


def test_a_planted_image_is_found():
    first, second = (image[:200, :300] for image in photographs()[:2])
    small = np.asarray(Image.fromarray(second).resize((90, 60)))
    cut = second[4:, :-6]
    assert near_duplicates([first, small], [second]) == [(1, 0)]
    assert near_duplicates([first], [second, first[:, ::-1]]) == [(0, 1)]
    assert near_duplicates([cut, first], [first, second]) == [(0, 1), (1, 0)]
    gray = np.full([9, 9, 3], 128, "uint8")
    assert near_duplicates([gray, first], [gray, second]) == []


def test_the_correlation_is_that_of_the_small_versions():
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 256, (2, 16, 16), "uint8")
    half = ((one.astype(int) + other) // 2).astype("uint8")
    pair = [np.repeat(image[..., None], 3, 2) for image in (one, half)]
    expected = np.corrcoef(one.ravel(), half.ravel())[0, 1]
    assert near_duplicates(pair[:1], pair[1:], expected - 1e-3) == [(0, 0)]
    assert near_duplicates(pair[:1], pair[1:], expected + 1e-3) == []
