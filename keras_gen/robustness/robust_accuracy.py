"""How a classifier stands up to attacks."""

from collections.abc import Callable

import numpy as np

from keras_gen.arguments import MOST_STEPS, checked_integer
from keras_gen.checked_arguments import checked_types
from keras_gen.robustness.apgd import APGD
from keras_gen.robustness.attacks import (
    FGSM,
    PGD,
    UNIT,
    Attack,
    check_range,
    class_labels,
    in_bounds,
    named_right,
)
from keras_gen.robustness.square_attack import SquareAttack


def usual_attacks(epsilon: float, queries: int = 1000) -> dict[str, Attack]:
    """Returns FGSM, PGD, APGD of three losses and SquareAttack, for `robust_accuracy`.

    Attacks of one kind are too kind a measure: PGD alone leaves digits that APGD or squares
    change. As in Croce, Hein: "Reliable Evaluation of Adversarial Robustness with an Ensemble of
    Diverse Parameter-Free Attacks", ICML 2020, the losses differ, and one attack needs no gradient.

    Args:
        epsilon: Most by which a value may change, in the units of the input.
        queries: Of SquareAttack.

    Example: `robust_accuracy(model, digits, labels, usual_attacks(0.3), restarts=3)`.
    """
    return {
        "fgsm": FGSM(epsilon),
        "pgd": PGD(epsilon, relative_step=1 / 30),  # the paper's
        "apgd_cross_entropy": APGD(epsilon),
        "apgd_margin": APGD(epsilon, loss="margin"),
        "apgd_dlr": APGD(epsilon, loss="dlr"),
        "square": SquareAttack(epsilon, queries=queries),
    }


@checked_types
def robust_accuracy(
    network: Callable,
    images: np.ndarray,
    labels: np.ndarray,
    attacks: dict[str, Attack],
    bounds: tuple[float, float] | None = None,
    restarts: int = 1,
) -> dict[str, float]:
    """Returns the accuracy under each attack, without any (`"clean"`), and under the `"worst"`.

    An example counts as right in the worst case if no attack, from no start, changed its class.
    Each start is one for the examples that are still named right.

    Args:
        network: As attacks take it.
        images: uint8, or floats in `bounds`, `[n, ...]`.
        labels: Their classes, integers `[n]` or `[n, 1]`.
        attacks: By name, not targeted. They must have been made for this network, and not for
            another one.
        bounds: Smallest and largest value of the network's input. None: 0 and 1, if it names no
            more examples right in another range.
        restarts: Random starts of each attack that has such, 1 or more.

    Raises:
        ValueError: If an attack is targeted, or as attacks do.

    Example: `robust_accuracy(model, digits, labels, {"fgsm": FGSM(0.3), "pgd": PGD(0.3)})`.
    """
    restarts = checked_integer("restarts", restarts, 1, MOST_STEPS)
    for name, attack in attacks.items():
        if attack.targeted:
            raise ValueError(
                f"The attack {name!r} is targeted: here labels are the true classes."
            )
    x = in_bounds(images, *(bounds or UNIT))
    labels = class_labels(labels, len(x))
    if bounds is None:
        check_range(network, x, labels)
    right = named_right(network, x, labels)
    found = {"clean": float(right.mean())}
    worst = right
    for name, attack in attacks.items():
        of_attack = right.copy()
        for seed in range(restarts if attack.random_start else 1):
            standing = np.flatnonzero(of_attack)
            if not len(standing):
                break
            attacked = attack(network, x[standing], labels[standing], bounds or UNIT, seed)
            of_attack[standing] = named_right(network, attacked, labels[standing])
        found[name] = float(of_attack.mean())
        worst = worst & of_attack
    return found | {"worst": float(worst.mean())}
