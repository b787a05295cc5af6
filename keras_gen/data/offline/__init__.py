"""Samples for offline machines: images that ship with scikit-learn, and synthetic voices."""

from keras_gen.data.offline.images import (
    offline_color_digits,
    offline_digits,
    offline_pairs,
    offline_unpaired,
)
from keras_gen.data.offline.painterly import paint
from keras_gen.data.offline.voices import offline_voices
