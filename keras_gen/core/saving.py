"""Methods of `GenerativeModel` for saving, loading weights, and exporting."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

import keras_gen
from keras_gen.arguments import checked_path
from keras_gen.core.capabilities import for_users
from keras_gen.files.writing import replacing_by_name
from keras_gen.messages import older_likelihood

_HDF5 = 2**12  # bytes for the description of an array in an HDF5 file, rounded up


def save(self, filepath, *args, **kwargs):
    """Saves the model as in Keras, to a `.keras` file or to the Hub, `hf://<user>/<name>`.

    Any other value of `filepath` raises a ValueError. A file is written completely or not at all;
    if this fails, an OSError names the remedy.
    """
    if not str(filepath).endswith(".keras") and not str(filepath).startswith("hf://"):
        raise ValueError(
            f"filepath is '{filepath}': expected a name that ends in .keras, or begins with "
            "hf://."
        )
    _replace(self, keras.Model.save, ".keras", filepath, *args, **kwargs)


def save_weights(self, filepath, *args, **kwargs):
    """Saves the weights like `keras.Model.save_weights`, completely or not at all; see `save`."""
    _replace(self, keras.Model.save_weights, ".weights.h5", filepath, *args, **kwargs)


def _replace(model, save, suffix, filepath, *args, **kwargs):
    """Saves to a temporary file that replaces a local file, if there is room for it."""
    path = str(filepath)
    asks = kwargs.get("overwrite") is False and Path(path).exists()
    if (
        args
        or kwargs.keys() - {"overwrite"}
        or asks
        or "://" in path
        or not path.endswith(suffix)
    ):
        save(model, filepath, *args, **kwargs)
        return
    arrays = [math.prod(v.shape) * tf.as_dtype(v.dtype).size for v in model.variables]
    # A file contains each weight and the two moments of its optimizer.
    size = 3 * sum(array + _HDF5 for array in arrays)
    with replacing_by_name(path, size) as temporary:
        save(model, temporary)


def load_weights(self, filepath, *args, **kwargs):
    """Loads weights like `keras.Model.load_weights`.

    Raises:
        ValueError: If the weights belong to a different model. In this case, the model's weights
            remain unchanged.
    """
    before = self.get_weights()
    try:
        keras.Model.load_weights(self, filepath, *args, **kwargs)
    except ValueError as error:
        self.set_weights(before)
        if "could not be loaded" not in str(error):
            raise
        raise ValueError(
            f"{filepath} contains weights that do not match this {type(self).__name__}: build "
            f"the model with the same arguments as the saved model.{older_likelihood(self)}"
        ) from error


def export(self, filepath, format="tf_saved_model", **options) -> Path:  # noqa: D417
    """Writes `<filepath>/<version>/`, a SavedModel with the model's signatures.

    For the contents, see the equivalent function `keras_gen.serving.export.export`. Inside
    `keras_gen.core.averaged_weights`, the averaged weights are written.

    Args:
        filepath: Folder, such as `"exports/digits"`. The folder's name is also the name under which
            the model is served.
        format: Format of the export, which is always "tf_saved_model", as Keras calls it.
        **options: The arguments `default`, `metadata`, `warmup`, `half`, and `signatures` of
            `keras_gen.serving.export.export`.

    Returns:
        The new folder. Its name is the first unused version number.

    Raises:
        ValueError: If `format` is not "tf_saved_model"; see also `keras_gen.serving.export.export`.
        OSError: If the folder cannot be written.

    Example: `vae.export("exports/digits", default="sample")`.
    """
    from keras_gen.serving.export import export

    if format != "tf_saved_model":
        raise ValueError(
            f"format is {format!r}: expected 'tf_saved_model', which other tools can convert."
        )
    folder = checked_path("filepath", filepath)
    return export(self, folder.parent, folder.name, **options)


@for_users
def from_pretrained(  # noqa: D417
    cls, source: str | Path, custom_objects: Mapping[str, Any] | None = None
):
    """Loads a trained model of this class, like `keras_gen.load`.

    Args:
        source: Name of an export, folder of an export or a run, `.keras` file, or
            `"hf://<user>/<name>"`.
        custom_objects: Dict that maps names to your own classes and functions; see
            `keras_gen.load`.

    Returns:
        A compiled model of this class.

    Raises:
        ValueError: If the model belongs to a different class; see also `keras_gen.load`.
        FileNotFoundError: If the source does not exist.

    Example: `model = VAE.from_pretrained("vae_mnist")`.
    """
    model = keras_gen.load(source, custom_objects)
    if not isinstance(model, cls):
        found = type(model).__name__
        raise ValueError(
            f"{source} contains a {found}: expected a {cls.__name__}. Load it with "
            f"{found}.from_pretrained or keras_gen.load."
        )
    return model
