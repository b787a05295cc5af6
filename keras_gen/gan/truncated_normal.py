"""Truncation of Normal latents."""

import tensorflow as tf

WIDEST = 10.0  # standard deviations: no truncation, for float32 draws stay below 6


def truncated_normal(latents, threshold) -> tf.Tensor:
    """Maps draws of a Normal distribution to draws of the one truncated on both sides, float32.

    Brock, Donahue, Simonyan: "Large Scale GAN Training for High Fidelity Natural Image Synthesis",
    ICLR 2019, sec. 3.1, redraw numbers beyond the threshold. Here each number is replaced by the
    same quantile of the truncated distribution, so that a lower threshold changes an example
    gradually.

    Args:
        latents: Draws of a standard Normal, floats of any shape.
        threshold: Largest absolute value, not negative; 0 gives zeros.

    Example:
        >>> truncated_normal(np.random.normal(size=[4, 2]), 0.5).shape
        TensorShape([4, 2])
    """
    latents = tf.cast(latents, tf.float32)
    threshold = tf.cast(threshold, tf.float32)
    root = 2.0**0.5  # erf(z / root) is the probability of [-z, z]
    inside = tf.math.erf(latents / root) * tf.math.erf(threshold / root)
    cut = tf.clip_by_value(root * tf.math.erfinv(inside), -threshold, threshold)
    return tf.where(threshold < 6.0, cut, latents)
