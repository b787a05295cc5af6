"""The table of results: what papers report, and what runs of recipes reached.

No module here imports TensorFlow before it has to load a recipe.
"""

from keras_gen.results.entries import read_entries
from keras_gen.results.published import Figure, Published, read_published
from keras_gen.results.rows import Row, read_rows, write_rows

__all__ = [
    "Figure",
    "Published",
    "Row",
    "read_entries",
    "read_published",
    "read_rows",
    "write_rows",
]
