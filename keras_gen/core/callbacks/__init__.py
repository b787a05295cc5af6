"""Keras callbacks: evaluation, images, and progress."""

from keras_gen.core.callbacks.board import Board
from keras_gen.core.callbacks.evaluation import Evaluation
from keras_gen.core.callbacks.sample_grid import SampleGrid
from keras_gen.core.callbacks.time_left import TimeLeft
