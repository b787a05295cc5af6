"""Images of discrete codes."""

import numpy as np
import pytest

from all_tiny import TINY
from grid_cells import cells, rgb
from keras_gen.visualize import class_traversals


def test_class_traversals():
    model, (digits,) = TINY["GumbelVAE"].compiled(), TINY["GumbelVAE"].data(2)
    codes = model.encode(digits)
    found = cells(class_traversals(model, digits, variables=[2, 0]), 4)
    assert found.shape[:2] == (4, 4)
    for row, (example, variable) in enumerate(((0, 2), (0, 0), (1, 2), (1, 0))):
        moved = np.repeat(codes[[example]], 4, axis=0)
        moved[:, variable] = range(4)
        np.testing.assert_array_equal(found[row], rgb(model.decode(moved)))
        # In the column of its own class the image is its reconstruction.
        own = found[row, codes[example, variable]]
        np.testing.assert_array_equal(own, rgb(model.decode(codes[[example]]))[0])
    whole = class_traversals(model, codes[:1])
    np.testing.assert_array_equal(whole, class_traversals(model, digits[:1], range(3)))
    np.testing.assert_array_equal(
        class_traversals(model, codes, [2, 0]), np.asarray(class_traversals(model, digits, [2, 0]))
    )


def test_errors():
    model = TINY["GumbelVAE"].compiled()
    with pytest.raises(ValueError, match=r"variables holds \[3\]: the model has codes 0 to 2"):
        class_traversals(model, np.zeros([1, 3], "int32"), [0, 3])
    with pytest.raises(ValueError, match=r"VAE has no codes .* of classes: use traversals"):
        class_traversals(TINY["VAE"].compiled(), np.zeros([1, 2], "int32"))
