"""Images of what discrete codes hold."""

from collections.abc import Sequence

import numpy as np

from keras_gen.media.images import grid
from keras_gen.visualize.rows import as_uint8


def class_traversals(model, points, variables: Sequence[int] | None = None) -> np.ndarray:
    """One row a categorical latent, which takes each of its classes while the others stay.

    Args:
        model: Any model of discrete codes `[batch, variables]`, such as `GumbelVAE`.
        points: Codes to start from, or images `[n, height, width, channels]`, whose likeliest codes
            are taken; with several, each has its rows below the one before.
        variables: Which latents, from 0; all by default.

    Returns:
        uint8 image `[height, width, 3]`, a column for each class.

    Raises:
        ValueError: If the model's codes are not integers `[batch, variables]`, or a variable is not
            one of them.

    Example:
    ```python
    write_png("classes.png", class_traversals(model, digits[:1], variables=range(5)))
    ```
    """
    edge = getattr(model, "edges", {}).get("codes")
    if edge is None or len(edge.shape) != 1:
        raise ValueError(
            f"{type(model).__name__} has no codes [batch, variables] of classes: use traversals."
        )
    (number,), classes = edge.shape, edge.levels
    chosen = range(number) if variables is None else variables
    if wrong := [v for v in chosen if not 0 <= v < number]:
        raise ValueError(f"variables holds {wrong}: the model has codes 0 to {number - 1}.")
    codes = np.asarray(points) if np.ndim(points) == 2 else model.encode(points)
    moved = np.tile(codes[:, None, None], [1, len(chosen), classes, 1])
    for row, variable in enumerate(chosen):
        moved[:, row, :, variable] = np.arange(classes)
    return grid(as_uint8(model, model.decode(moved.reshape(-1, number))), classes)
