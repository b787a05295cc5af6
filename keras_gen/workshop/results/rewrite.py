"""Rewrites published exports after the export code has changed; weights are kept.

python -m keras_gen.workshop.results.rewrite saved_models/*/*
"""

import shutil
import sys
import tempfile
from pathlib import Path

import tensorflow as tf

import keras_gen
from keras_gen.serving.export import add_metadata, export
from keras_gen.serving.exported import METADATA, SUFFIX, read_metadata
from keras_gen.serving.model_files import VARIABLES
from keras_gen.serving.warmup import WARMUP

# Metadata entries that depend on the code; all other entries describe the training run.
_OF_GRAPH = ("signatures", "limits", "options", "largest_request", "largest_request_of")


def rewrite(path: Path) -> None:
    """Replaces the graph and the limits of an export with the output of today's `export`.

    Weights, version, training metadata, and warm-up requests do not change. `keras-gen results`
    then updates the index.

    Args:
        path: Folder of the export, such as `saved_models/vae_mnist/2`.

    Raises:
        ValueError: If `keras_gen.load` cannot load the export.
    """
    metadata = read_metadata(path)
    types = tf.train.load_checkpoint(str(path / VARIABLES)).get_variable_to_dtype_map()
    with tempfile.TemporaryDirectory() as folder:
        made = export(
            keras_gen.load(path),
            folder,
            metadata["name"],
            metadata["default_signature"],
            half=tf.float16 in types.values(),
            signatures=[key for key in metadata["signatures"] if not key.endswith(SUFFIX)],
        )
        described = read_metadata(made)
        for kept in (METADATA, WARMUP):
            shutil.copyfile(path / kept, made / kept)
        add_metadata(made, {key: described[key] for key in _OF_GRAPH})
        shutil.copytree(made, path, dirs_exist_ok=True)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        rewrite(Path(name))
        print(f"wrote {name}")
