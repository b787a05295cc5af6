"""Keras callbacks: evaluation, pictures and progress."""

from keras_gen.callbacks.evaluation import Evaluation
from keras_gen.callbacks.progress import TimeLeft
from keras_gen.callbacks.sheets import SampleSheet

__all__ = ["Evaluation", "SampleSheet", "TimeLeft"]
