"""Edges, through which data of one type enters and leaves a model.

An edge checks inputs, scales them for the networks, converts results to a format for users and
servers, and specifies the inputs of served signatures.
"""

from keras_gen.core.kinds_of_data.image_data import DIMMEST, Images, Levels, missing_pixels
from keras_gen.core.kinds_of_data.kind_of_data import PADDING, Edge
from keras_gen.core.kinds_of_data.label_data import Labels, label_edges
from keras_gen.core.kinds_of_data.number_data import Choice, Integer, Number, Seeds
from keras_gen.core.kinds_of_data.table_data import (
    Counts,
    KnownRows,
    LogMel,
    Rows,
    StandardizedVectors,
    Table,
    Vectors,
)
from keras_gen.core.kinds_of_data.text_data import Characters, Prompt, Texts
from keras_gen.core.kinds_of_data.waveform_data import CLIPPED, MuLaw, Waveforms
