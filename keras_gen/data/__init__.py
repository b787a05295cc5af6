"""Datasets as sources of examples, streams of batches, and samples for offline machines."""

from keras_gen.data.batches.groups import class_triples, clips, episode, unpaired
from keras_gen.data.batches.labeled import even_order, few_labels, partly_labeled
from keras_gen.data.batches.weighted import inverse_density, weighted_stream
from keras_gen.data.folders.image_folder import image_folder
from keras_gen.data.folders.pairs import paired_folders, side_by_side
from keras_gen.data.folders.sound_folder import sound_folder
from keras_gen.data.offline import (
    offline_color_digits,
    offline_digits,
    offline_pairs,
    offline_unpaired,
    offline_voices,
    paint,
)
from keras_gen.data.sets.documents import (
    CharacterTexts,
    Documents,
    character_texts,
    documents,
)
from keras_gen.data.sets.drawn_dancers import drawn_dancers
from keras_gen.data.sets.drawn_faces import drawn_faces
from keras_gen.data.sets.factors import Factors
from keras_gen.data.sets.images import (
    facades,
    faces,
    photographs,
    photos_and_paintings,
    small_images,
)
from keras_gen.data.sets.near_duplicates import near_duplicates
from keras_gen.data.sets.oscillations import Oscillations
from keras_gen.data.sets.planar import (
    PlanarNormals,
    PlanarSquares,
    checkerboard,
    points_around,
    rings,
    stacked_digits,
    two_moons,
)
from keras_gen.data.sets.rare_groups import rare_color, rare_group
from keras_gen.data.sets.shapes import Shapes
from keras_gen.data.sets.splits import Domains, Sets, Split
from keras_gen.data.sets.spoken import SpokenDigits, spoken_digits
from keras_gen.data.sets.super_resolution import benchmark_images, photograph_patches
from keras_gen.data.sets.tables import PeopleTable, people_table
from keras_gen.data.sets.tfds import DataDamaged, DataUnavailable, load_tfds
from keras_gen.data.source import Source
from keras_gen.data.transforms.image_augmentations import (
    binarize,
    draw_normal,
    random_crop_flip,
    random_levels,
    random_shift_flip,
)
from keras_gen.data.transforms.images import (
    common_colors,
    edge_maps,
    nearest_colors,
    on_photographs,
    pad_to,
    resize_cover,
    shrunk,
)
from keras_gen.data.transforms.moving_images import moving_images
from keras_gen.data.transforms.normal_scores import NormalScores
from keras_gen.data.transforms.tables import Column, RowVectors, table_columns, table_rows
from keras_gen.data.transforms.texts import (
    WordCounts,
    characters_of,
    cleaned,
    common_words,
    words_of,
)
from keras_gen.data.transforms.waveforms import (
    fit_length,
    from_first_sound,
    mu_law_levels,
    mu_law_waveform,
    random_excerpt,
    random_shift,
    to_peak,
)
