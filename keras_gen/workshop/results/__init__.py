"""The results pages, which compare results of published runs with values from papers.

No module in this package imports TensorFlow before it loads a recipe.
"""

from keras_gen.workshop.results.declarations import Figure, Published, read_published
from keras_gen.workshop.results.page_lines import read_groups
from keras_gen.workshop.results.records import Record, read_records, write_records
