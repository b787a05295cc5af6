"""Classifiers, alone or beside a model, and a discriminator of their features."""

from keras_gen.classifiers.classifier import Classifier
from keras_gen.classifiers.classifying import Classifying
from keras_gen.classifiers.opposed_classifier import OpposedClassifier, dense_discriminator
