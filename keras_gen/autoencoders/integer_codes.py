"""Shared methods of models with integer codes: encoding and decoding.

Such a model has `encode = encode` and so on in its body. Its `codes` returns the integers of
examples, and `embedded` the decoder's input for them.
"""

from keras_gen.core.capabilities import capability
from keras_gen.core.kinds_of_data import Levels


@capability
def encode(self, x):
    """Returns the codes of examples, integers `[n, ...]`."""
    return {"codes": self.codes(x)}


@capability
def decode(self, codes):
    """Returns the mean of p(x | codes), images as uint8, for integer codes `[n, ...]`."""
    return {"x": self.reconstructed(self.embedded(codes))}


def edge_of_codes(shape, levels: int, dtype: str | None = None, name="codes") -> Levels:
    """Returns the edge of integer codes.

    Args:
        shape: Shape of the codes of an example.
        levels: Number of values of a code, at least 2; otherwise a ValueError is raised.
        dtype: Integer dtype outside the model, as in `Levels`.
        name: Name of the edge.
    """
    if levels < 2:
        raise ValueError(f"levels is {levels}: expected at least 2 values per code.")
    return Levels(tuple(shape), levels, name=name, dtype=dtype)
