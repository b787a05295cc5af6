"""The table of results: what recipes declare, what their runs reached, and what papers report.

No module here imports TensorFlow before it has to load a recipe.
"""

from keras_gen.results.published import Figure, Published
from keras_gen.results.rows import Row, read_rows, write_rows

__all__ = ["Figure", "Published", "Row", "read_rows", "write_rows"]
