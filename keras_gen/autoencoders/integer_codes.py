"""What models whose codes are integers share: how they encode and decode.

Such a model says `encode = encode` and the like in its body. Its `codes` are integers of
examples, and `embedded` returns what the decoder takes for them.
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
        levels: Number of values of a code, at least 2 (else a ValueError).
        dtype: Integer dtype outside the model, as of `Levels`.
        name: Name of the edge.
    """
    if levels < 2:
        raise ValueError(f"A code has {levels} values: expected at least 2 to tell apart.")
    return Levels(tuple(shape), levels, name=name, dtype=dtype)
