"""The accuracy of a classifier under attacks."""

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
    """Returns the standard attacks for `robust_accuracy`: FGSM, PGD, APGD, and SquareAttack.

    APGD is included with three different losses. A single type of attack overestimates robustness:
    for some digits that withstand PGD, APGD or SquareAttack finds adversarial examples. The
    combination of several losses and a gradient-free attack follows Croce, Hein: "Reliable
    Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-Free Attacks", ICML
    2020.

    Args:
        epsilon: Maximum change of each input value, in input units.
        queries: Number of queries for SquareAttack.

    The loss of `"apgd_dlr"` requires at least 3 classes: with 2 classes, leave this attack out.

    Example: `robust_accuracy(model, digits, labels, usual_attacks(0.3), restarts=3)`.
    """
    return {
        "fgsm": FGSM(epsilon),
        "pgd": PGD(epsilon, relative_step=1 / 30),  # the paper's step length
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
    """Returns a dict of the accuracy under each attack, on clean examples, and in the worst case.

    The keys are the names of the attacks, "clean", and "worst". In the worst case, an example
    counts as correct only if it is classified correctly under all attacks from all starting points.
    Each restart of an attack uses only the examples that are still classified correctly.

    Args:
        network: Network, as accepted by attacks.
        images: Images, uint8 or floats in `bounds`, `[n, ...]`.
        labels: Classes of the images, integers `[n]` or `[n, 1]`.
        attacks: Dict from names to untargeted attacks, which are run on this network.
        bounds: Minimum and maximum of the network's input. If None, 0 and 1 are used, and a
            ValueError is raised if the network classifies many more examples correctly with another
            range.
        restarts: Number of times to run each attack that starts at random points, at least 1.

    Raises:
        ValueError: If an attack is targeted, or raises a ValueError.

    Example: `robust_accuracy(model, digits, labels, {"fgsm": FGSM(0.3), "pgd": PGD(0.3)})`.
    """
    restarts = checked_integer("restarts", restarts, 1, MOST_STEPS)
    for name, attack in attacks.items():
        if attack.targeted:
            raise ValueError(
                f"The attack {name!r} is targeted, but labels are the true classes: expected "
                "an untargeted attack."
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
