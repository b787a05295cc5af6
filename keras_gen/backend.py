"""Which backend Keras has or will have, found without importing it."""

import os
import sys
from pathlib import Path

from keras_gen.files.reading import read_json


def require_tensorflow() -> None:
    """Raises an ImportError if Keras is configured for another backend than TensorFlow."""
    backend = _backend()
    if backend != "tensorflow":
        raise ImportError(
            f"keras_gen runs on Keras with the backend 'tensorflow', and {backend!r} is "
            "configured: set KERAS_BACKEND=tensorflow in the environment before Keras is imported."
        )


def _backend() -> str:
    """That of an imported Keras, of the environment, or of the file `keras.json`, as Keras asks."""
    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "backend"):
        return keras.backend.backend()
    if named := os.environ.get("KERAS_BACKEND"):
        return named
    file = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
    try:
        return read_json(file).get("backend", "tensorflow")
    except (OSError, ValueError):
        return "tensorflow"  # Keras' own default
