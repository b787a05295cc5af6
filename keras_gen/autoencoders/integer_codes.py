"""Shared methods of models with integer codes: encoding and decoding.

The class of such a model assigns these functions in its body, as in `encode = encode`. Its `codes`
method returns the integer codes of examples, and its `embedded` method returns the decoder's input
for these codes.
"""

from keras_gen.core.capabilities import capability
from keras_gen.core.kinds_of_data import Levels


@capability
def encode(self, x):
    """Returns the codes of examples, integers `[n, ...]`."""
    return {"codes": self.codes(x)}


@capability
def decode(self, codes):
    """Returns the mean of p(x | codes) as uint8 images, given integer codes `[n, ...]`."""
    return {"x": self.reconstructed(self.embedded(codes))}


def edge_of_codes(shape, levels: int, dtype: str | None = None, name="codes") -> Levels:
    """Returns the edge for integer codes.

    Args:
        shape: Shape of an example's codes.
        levels: Number of possible values of a code, at least 2; otherwise, a ValueError is raised.
        dtype: Integer dtype outside the model, as in `Levels`.
        name: Name of the edge.
    """
    if levels < 2:
        raise ValueError(f"levels is {levels}: expected at least 2 possible values per code.")
    return Levels(tuple(shape), levels, name=name, dtype=dtype)
