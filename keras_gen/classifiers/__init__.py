"""Classifiers, alone or as part of another model, and a discriminator of their features."""

from keras_gen.classifiers.classifier import Classifier, classify, set_label_edges
from keras_gen.classifiers.classifier_and_discriminator import (
    OpposedClassifier,
    dense_discriminator,
)
