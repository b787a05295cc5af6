import numpy as np
import pytest

from keras_gen.visualize import strips


def test_rows_stand_below_each_other_beside_their_names(rng):
    dark, light = np.zeros([5, 8, 8, 1], "uint8"), np.full([5, 8, 8, 1], 200, "uint8")
    image = strips({"dark": dark, "light": light})
    assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[-1] == 3
    column = image[:, image.shape[1] * 3 // 4].astype(int).mean(-1)
    black, gray = np.flatnonzero(column < 20), np.flatnonzero(abs(column - 200) < 5)
    assert len(black) > 10 and len(gray) > 10 and black.max() < gray.min()
    named, other = image, strips({"another name": dark, "light": light})
    assert named.shape != other.shape or not np.array_equal(named, other)


@pytest.mark.parametrize("rows", [{}, {"a": np.zeros([2, 8, 8, 1]), "b": np.zeros([3, 8, 8, 1])}])
def test_bad_rows(rows):
    with pytest.raises(ValueError, match="pass rows of one shape"):
        strips(rows)
