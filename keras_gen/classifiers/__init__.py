"""Classifiers, alone or beside a model, and a discriminator of their features."""

from keras_gen.classifiers.classifier import Classifier
from keras_gen.classifiers.classifier_and_discriminator import (
    OpposedClassifier,
    dense_discriminator,
)
from keras_gen.classifiers.classify_capability import classify, set_classifier, set_label_edges
