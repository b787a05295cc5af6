"""Adversarial examples, and classifiers that resist them."""

from keras_gen.robustness.adversarial_training import AdversarialTraining
from keras_gen.robustness.apgd import APGD
from keras_gen.robustness.attacks import BIM, FGSM, PGD, Attack
from keras_gen.robustness.generative_defense import projected, reconstructed
from keras_gen.robustness.robust_accuracy import named_right, robust_accuracy, usual_attacks
from keras_gen.robustness.square_attack import SquareAttack
from keras_gen.robustness.virtual_adversarial_training import VAT
