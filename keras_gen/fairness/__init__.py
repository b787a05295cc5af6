"""Representations that are blind to an attribute."""

from keras_gen.fairness.alfr import ALFR
from keras_gen.fairness.grad import GRAD
from keras_gen.fairness.vfae import VFAE
