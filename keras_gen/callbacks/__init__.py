"""Keras callbacks: evaluation, images and progress."""

from keras_gen.callbacks.board import Board
from keras_gen.callbacks.evaluation import Evaluation
from keras_gen.callbacks.health import AdversarialHealth
from keras_gen.callbacks.progress import TimeLeft
from keras_gen.callbacks.sample_grid import SampleGrid
