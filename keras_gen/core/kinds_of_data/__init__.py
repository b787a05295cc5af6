"""Edges: where data of one kind enter and leave a model.

An edge checks inputs, scales them for the networks, restores results to the form for people and
servers, and specifies the inputs of served signatures.
"""

from keras_gen.core.kinds_of_data.edge import PADDING, Edge
from keras_gen.core.kinds_of_data.image_edges import DIMMEST, Images, Levels
from keras_gen.core.kinds_of_data.label_edges import Labels
from keras_gen.core.kinds_of_data.number_edges import Number, Seeds
from keras_gen.core.kinds_of_data.text_edges import Characters, Prompt, Texts
from keras_gen.core.kinds_of_data.vector_edges import Table, Vectors
from keras_gen.core.kinds_of_data.waveform_edges import CLIPPED, MuLaw, Waveforms
