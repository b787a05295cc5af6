"""The pages of results: what papers report, and what runs of recipes reached.

No module here imports TensorFlow before it has to load a recipe.
"""

from keras_gen.workshop.results.declarations import Figure, Published, read_published
from keras_gen.workshop.results.page_lines import read_groups
from keras_gen.workshop.results.records import Record, read_records, write_records
