"""Pictures that a script writes and a notebook shows."""

import builtins
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_gen.files.images import to_pillow, write_image
from keras_gen.workshop.visualize.plots import pixels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = Path("runs", "course")  # below the working directory


def show(image: "np.ndarray | Figure", name: str, caption: str) -> None:
    """Shows a picture in a notebook, with its caption below it; a script writes it to a file.

    Args:
        image: A uint8 image, as the functions of this room return it, or a matplotlib figure.
        name: Of the file, `runs/course/<name>.png`, which a script prints with the caption.
        caption: A sentence that says what is to be seen.

    Raises:
        ValueError: If it is no image.

    Example: `show(samples(model), "samples", "64 samples of the trained model.")`.
    """
    if not isinstance(image, np.ndarray):
        image = pixels(image)
    if hasattr(builtins, "get_ipython"):
        from IPython.display import display

        display(to_pillow(image))
        print(caption)
        return
    path = FOLDER / f"{name}.png"
    write_image(path, image)
    print(f"[{path}] {caption}")
