"""How a classifier stands up to attacks."""

from collections.abc import Callable

from keras_gen.robustness.attacks import (
    FGSM,
    PGD,
    Attack,
    check_range,
    class_labels,
    in_bounds,
    named_right,
)


def usual_attacks(epsilon: float) -> dict[str, Attack]:
    """Returns FGSM, and PGD of 40 steps of three lengths, for `robust_accuracy`.

    Args:
        epsilon: Most by which a value may change, in the units of the input.

    Example: `robust_accuracy(model, digits, labels, usual_attacks(0.3), restarts=3)`.
    """
    return {
        "fgsm": FGSM(epsilon),
        "pgd": PGD(epsilon),
        "pgd_steps_of_a_tenth": PGD(epsilon, relative_step=0.1),
        "pgd_steps_of_a_quarter": PGD(epsilon, relative_step=0.25),
    }


def robust_accuracy(
    network: Callable, images, labels, attacks: dict[str, Attack], bounds=(0.0, 1.0), restarts=1
) -> dict[str, float]:
    """Returns the accuracy under each attack, without any (`"clean"`), and under the `"worst"`.

    An example counts as right in the worst case if no attack, from no start, changed its class.

    Args:
        network: As attacks take it.
        images: uint8, or floats in `bounds`, `[n, ...]`.
        labels: Their classes, integers `[n]` or `[n, 1]`.
        attacks: By name. They must have been made for this network, and not for another one.
        bounds: Smallest and largest value of the network's input.
        restarts: Random starts of each attack that has such.

    Example: `robust_accuracy(model, digits, labels, {"fgsm": FGSM(0.3), "pgd": PGD(0.3)})`.
    """
    x = in_bounds(images, *bounds)
    labels = class_labels(labels, len(x))
    check_range(network, x, labels, bounds)
    right = named_right(network, x, labels)
    found = {"clean": float(right.mean())}
    worst = right
    for name, attack in attacks.items():
        of_attack = right
        for seed in range(restarts if attack.random_start else 1):
            attacked = attack(network, x, labels, bounds, seed)
            of_attack = of_attack & named_right(network, attacked, labels)
        found[name] = float(of_attack.mean())
        worst = worst & of_attack
    return found | {"worst": float(worst.mean())}
