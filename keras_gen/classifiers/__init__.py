"""Classifiers, alone or beside a model, and a discriminator of their features."""

from keras_gen.classifiers.classifier import Classifier
from keras_gen.classifiers.classifier_and_discriminator import (
    OpposedClassifier,
    dense_discriminator,
)
from keras_gen.classifiers.labels import classify, set_label_edges
