"""Tiny classifiers that stand up to small changes."""

from instances.adaptation import classified, encoder, head
from keras_gen.core import schedules
from keras_gen.robustness import PGD, VAT, AdversarialTraining
from tiny import Tiny


def _adversarial_training(seed=3):
    growing = schedules.Linear(0.05, 0.2, steps=10)
    attack = PGD(growing, steps=2, relative_step=0.75)
    networks = encoder(), head(3, "classifier")
    return AdversarialTraining(*networks, attack, clean_fraction=0.25, seed=seed)


def _vat(seed=3):
    options = dict(epsilon=1.5, xi=0.02, iterations=2, weight=0.5, entropy_weight=0.1)
    return VAT(encoder(), head(3, "classifier"), **options, seed=seed)


TINY = {
    "AdversarialTraining": Tiny(_adversarial_training, classified),
    "VAT": Tiny(_vat, classified),
}
