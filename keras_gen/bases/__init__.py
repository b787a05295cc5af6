"""What models of several families share: networks, scores, labels, and how data enter."""

from keras_gen.bases.classes import Classifying
from keras_gen.bases.classifier import Classifier
from keras_gen.bases.coder import Coder, DiscreteCoder
from keras_gen.bases.likelihood import SCORE_SAMPLES, LikelihoodModel, log_prob
from keras_gen.bases.opposed import OpposedClassifier, dense_discriminator
