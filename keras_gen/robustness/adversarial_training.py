"""Adversarial training (Goodfellow et al. 2015; Madry et al. 2018)."""

import math
from functools import partial

import keras
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.classifiers import Classifier
from keras_gen.classifiers.classifier import label_terms
from keras_gen.core import Player
from keras_gen.core.kinds_of_data import Edge, Images
from keras_gen.declared import Fraction, Named, made_by
from keras_gen.losses.classification import label_cross_entropy
from keras_gen.losses.per_example import resolve
from keras_gen.robustness.apgd import APGD
from keras_gen.robustness.attacks import BIM, FGSM, PGD, Attack
from keras_gen.robustness.square_attack import SquareAttack

ATTACKS = {"fgsm": FGSM, "bim": BIM, "pgd": PGD, "apgd": APGD, "square": SquareAttack}


def attack_of(identifier) -> Attack:
    """Returns the attack for a name such as `"pgd"`, an attack, or an attack's config."""
    return resolve(identifier, ATTACKS, Attack, "attack")


@keras.saving.register_keras_serializable("keras_gen")
class AdversarialTraining(Classifier):
    """A classifier trained on adversarial examples, which are computed for each batch.

    Madry, Makelov, Schmidt, Tsipras, Vladu: "Towards Deep Learning Models Resistant to Adversarial
    Attacks", ICLR 2018, eq. (2.1). The weights are trained to minimize the loss that the attack
    maximizes. In each training step, a new attack is computed for the current network. With FGSM
    and a `clean_fraction` of 0.5, the model is trained with the method of Goodfellow, Shlens,
    Szegedy: "Explaining and Harnessing Adversarial Examples", ICLR 2015, sec. 6.

    `fit(images, labels)` accepts integer labels. During training, `loss` and `accuracy` are
    computed on attacked examples; `evaluate` uses clean examples, and
    `keras_gen.robustness.robust_accuracy` evaluates robustness to attacks, including attacks not
    used in training. A network can learn to resist an attack with a single large step, such as
    FGSM, without being robust to other attacks.

    Args:
        encoder: Network that maps images in [0, 1] or vectors to features `[batch, features]`.
        classifier: Network that maps features to logits `[batch, classes]`. If None, see
            `Classifier`.
        attack: `"pgd"`, `"fgsm"`, `"bim"`, `"apgd"`, `"square"`, or an object from
            `keras_gen.robustness`. The attack's `epsilon` may be a schedule, because a network may
            fail to learn anything if training starts with the full epsilon.
        clean_fraction: Weight of the loss on clean examples, from 0 to 1. The weight of the loss on
            attacked examples is 1 minus this number.
        seed: Seed for the attack's random starting points.

    Raises:
        ValueError: If the networks do not match, or if an argument is out of range.

    Example:
    ```python
    from keras_gen.robustness import PGD, robust_accuracy
    attack = PGD(epsilon=0.3, steps=3, relative_step=0.5)
    model = AdversarialTraining.for_images((28, 28, 1), filters=4, hidden=16, attack=attack)
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, np.arange(8), batch_size=4)
    robust_accuracy(model, digits, np.arange(8), {"pgd": attack})
    ```
    """

    attack: Named[Attack] = made_by(attack_of, default="pgd")
    clean_fraction: Fraction = 0.0

    @override
    def terms(self, batch):
        x = batch["x"]
        labels = batch["labels"]

        def attacked_loss(x):
            return label_cross_entropy(labels, self.logits(x))

        epsilon = self.scheduled(self.attack.epsilon)
        seed = self.stateless_seed("attack")
        low, high = range_of(self.edges["x"])
        attacked = self.attack.changed(attacked_loss, x, seed, low, high, epsilon)
        terms = label_terms(labels, self.logits(attacked))
        if self.clean_fraction:
            clean = label_cross_entropy(labels, self.logits(x))
            attacked_part = (1.0 - self.clean_fraction) * terms["classification"]
            terms["classification"] = attacked_part + self.clean_fraction * clean
        return terms

    @override
    def test_step(self, data):
        """Evaluates the classifier on clean examples."""
        terms = super().terms(self.prepare_batch(data))
        return self.report(terms, loss=self.weighted(terms))

    @override
    def players(self):
        networks = [self.encoder, self.classifier]
        return {
            "optimizer": Player(networks, partial(Adam, 1e-4))
        }  # the learning rate in the authors' code for MNIST

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        self.attack.check_epsilon(*range_of(self.edges["x"]))
        if self.attack.targeted:
            raise ValueError(
                "The attack is targeted, but labels are the true classes: expected an "
                "untargeted attack."
            )


def range_of(edge: Edge) -> tuple[float, float]:
    """Returns the minimum and maximum of prepared examples; vectors are unbounded."""
    if isinstance(edge, Images):
        return edge.low, edge.high
    return -math.inf, math.inf
