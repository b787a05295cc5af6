"""Images made of what ships inside scikit-learn, for machines without data and network."""

from keras_gen.data.offline.images import offline_color_digits, offline_digits, offline_unpaired
from keras_gen.data.offline.painterly import paint

__all__ = ["offline_color_digits", "offline_digits", "offline_unpaired", "paint"]
