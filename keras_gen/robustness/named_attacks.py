"""Attacks by their names."""

from keras_gen.losses.per_example import resolve
from keras_gen.robustness.apgd import APGD
from keras_gen.robustness.attacks import BIM, FGSM, PGD, Attack
from keras_gen.robustness.square_attack import SquareAttack

ATTACKS = {"fgsm": FGSM, "bim": BIM, "pgd": PGD, "apgd": APGD, "square": SquareAttack}


def get(identifier) -> Attack:
    """Returns an attack for a name such as `"pgd"`, an object, or its config."""
    return resolve(identifier, ATTACKS, Attack, "attack")
