"""Data sets as sources of examples, their streams, and samples for machines without a network."""

from keras_gen.data.catalogue import DataDamaged, DataUnavailable, load_tfds
from keras_gen.data.documents import Documents, documents
from keras_gen.data.factors import Factors
from keras_gen.data.folders import image_folder
from keras_gen.data.labeled import even_order, half_labeled
from keras_gen.data.offline import (
    offline_color_digits,
    offline_digits,
    offline_unpaired,
    paint,
)
from keras_gen.data.sets import Domains, Sets, Split, photos_and_paintings, small_images
from keras_gen.data.shapes import Shapes
from keras_gen.data.source import Source
from keras_gen.data.transforms import (
    binarize,
    pad_to,
    random_crop_flip,
    random_shift_flip,
    resize_cover,
)
from keras_gen.data.unpaired import unpaired
from keras_gen.data.weighted import weighted_stream
from keras_gen.data.words import WordCounts, common_words

__all__ = [
    "DataDamaged",
    "DataUnavailable",
    "Documents",
    "Domains",
    "Factors",
    "Sets",
    "Shapes",
    "Source",
    "Split",
    "WordCounts",
    "binarize",
    "common_words",
    "documents",
    "even_order",
    "half_labeled",
    "image_folder",
    "load_tfds",
    "offline_color_digits",
    "offline_digits",
    "offline_unpaired",
    "pad_to",
    "paint",
    "photos_and_paintings",
    "random_crop_flip",
    "random_shift_flip",
    "resize_cover",
    "small_images",
    "unpaired",
    "weighted_stream",
]
