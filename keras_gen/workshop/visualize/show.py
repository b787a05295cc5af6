"""Pictures that scripts save and notebooks show."""

import builtins
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_gen.files.images import to_pillow, write_image
from keras_gen.workshop.visualize.plots import pixels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = Path("runs", "course")  # relative to the working directory


def show(image: "np.ndarray | Figure", name: str, caption: str) -> None:
    """Shows a picture and its caption in a notebook, or writes the picture to a file in a script.

    If the environment variable `QUICK` is set, a note after the caption states that the run is a
    test of the code.

    Args:
        image: A uint8 image, as returned by the functions of this package, or a matplotlib figure.
        name: Stem of the file. A script writes the file `runs/course/<script>/<name>.png`, where
            `<script>` is the stem of the script's name, and prints the path with the caption.
        caption: Sentence that describes the picture.

    Raises:
        ValueError: If `image` is not an image.

    Example: `show(samples(model), "samples", "64 samples of the trained model.")`.
    """
    if not isinstance(image, np.ndarray):
        image = pixels(image)
    if os.environ.get("QUICK"):
        caption += " (QUICK is a test of the code: captions describe the full run.)"
    if hasattr(builtins, "get_ipython"):
        from IPython.display import display

        display(to_pillow(image))
        print(caption)
        return
    script = Path(sys._getframe(1).f_code.co_filename).stem
    path = FOLDER / script / f"{name}.png"
    write_image(path, image)
    print(f"[{path}] {caption}")
