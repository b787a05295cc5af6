"""This library's environment variables, and the configured Keras backend."""

import os
import sys
from pathlib import Path

from keras_gen.files.reading import read_json

DEBUG = "KERAS_GEN_DEBUG"
"""If set, a recipe that fails prints a traceback before its error message."""
NO_OFFLINE_SAMPLE = "KERAS_GEN_NO_OFFLINE_SAMPLE"
"""If set, a recipe stops instead of continuing with an offline sample."""


def require_tensorflow() -> None:
    """Raises an ImportError if Keras is configured for a backend other than TensorFlow."""
    backend = _backend()
    if backend != "tensorflow":
        raise ImportError(
            f"the Keras backend is {backend!r}: expected 'tensorflow'. Set "
            "KERAS_BACKEND=tensorflow "
            "in the environment before Keras is imported."
        )


def _backend() -> str:
    """Returns the backend set in Keras, the environment, or `keras.json`, in this order."""
    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "backend"):
        return keras.backend.backend()
    if named := os.environ.get("KERAS_BACKEND"):
        return named
    file = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
    try:
        return read_json(file).get("backend", "tensorflow")
    except (OSError, ValueError):
        return "tensorflow"  # the Keras default
