"""A threshold of the input, the simplest defense of black and white images."""

from collections.abc import Callable

import tensorflow as tf


def thresholded(network: Callable, level: float = 0.5) -> Callable:
    """Returns a network behind a threshold of its input, which attacks can differentiate.

    A threshold has no gradient, so it only seems to stop an attack. As in Athalye, Carlini, Wagner:
    "Obfuscated Gradients Give a False Sense of Security", ICML 2018, sec. 4.1 (BPDA), the gradient
    passes it as if it were not there: the attack is made for the defense.

    Args:
        network: From floats in [0, 1] to logits.
        level: From here on a value is 1, below it is 0.

    Example: `robust_accuracy(thresholded(model), digits, labels, {"pgd": PGD(0.3)})`.
    """

    def defended(x, training=False):
        x = tf.convert_to_tensor(x)
        hard = tf.cast(x >= level, x.dtype)
        return network(x + tf.stop_gradient(hard - x), training=training)

    return defended
