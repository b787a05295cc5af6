"""Representations that do not reveal a sensitive attribute."""

from keras_gen.fairness.alfr import ALFR
from keras_gen.fairness.grad import GRAD
from keras_gen.fairness.vfae import VFAE
