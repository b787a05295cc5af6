"""Keras callbacks: pictures and progress."""

from keras_gen.callbacks.progress import TimeLeft
from keras_gen.callbacks.sheets import SampleSheet, translation_sheet

__all__ = ["SampleSheet", "TimeLeft", "translation_sheet"]
