"""Tiny classifiers, of one domain and of two."""

import numpy as np

from keras_gen.adaptation import ADDA, DANN, DomainConfusion
from keras_gen.classifiers import Classifier
from keras_gen.core import schedules
from keras_gen.networks import mlp_encoder
from tiny import Tiny

SHAPE = (4, 4, 1)
EVALUATED = ("loss", "classification_loss", "accuracy")


def encoder(name="encoder"):
    return mlp_encoder(SHAPE, 5, hidden=(6,), name=name)


def head(outputs, name):
    return mlp_encoder((5,), outputs, hidden=(), name=name)


def _networks():
    return encoder(), head(3, "classifier"), head(2, "discriminator")


def _classifier(seed=3):
    return Classifier(*_networks()[:2], seed=seed, name="tiny_classifier")


def _dann(seed=3):
    return DANN(*_networks(), weight=schedules.Linear(0.1, 0.5, steps=10), seed=seed)


def _domain_confusion(seed=3):
    return DomainConfusion(*_networks(), weight=0.5, seed=seed)


def _adda(seed=3):
    return ADDA(*_networks(), encoder("source_encoder"), seed=seed)


def classified(model):
    images = np.arange(48, dtype="uint8").reshape(3, 4, 4, 1)
    return model.classify(images)


TINY = {
    "Classifier": Tiny(_classifier, classified, draws=False),
    "DANN": Tiny(_dann, classified, draws=False, evaluated=EVALUATED),
    "DomainConfusion": Tiny(_domain_confusion, classified, draws=False, evaluated=EVALUATED),
    "ADDA": Tiny(_adda, classified, draws=False, evaluated=EVALUATED),
}
