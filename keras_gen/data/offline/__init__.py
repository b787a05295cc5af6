"""Samples for machines without network: images that ship with scikit-learn, computed voices."""

from keras_gen.data.offline.images import (
    offline_color_digits,
    offline_digits,
    offline_pairs,
    offline_unpaired,
)
from keras_gen.data.offline.painterly import paint
from keras_gen.data.offline.voices import offline_voices
