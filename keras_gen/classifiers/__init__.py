"""Classifiers, alone or as part of a model, and a discriminator on their features."""

from keras_gen.classifiers.classifier import Classifier
from keras_gen.classifiers.classifier_and_discriminator import (
    OpposedClassifier,
    dense_discriminator,
)
from keras_gen.classifiers.labels import classify, set_label_edges
