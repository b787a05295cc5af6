"""Loss and accuracy of a discriminator that is trained next to another model."""

import tensorflow as tf

from keras_gen.losses.per_example import per_example_mean


def discrimination(objective, real_logits, *fake_logits) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns a discriminator's loss on real examples and on one or more kinds of fakes.

    Args:
        objective: Adversarial objective that it minimizes.
        real_logits: `[batch, ...]`.
        *fake_logits: Of each kind of fakes, of the same shape.

    Returns:
        The loss, the mean over the kinds of half of the objective; and the fraction of all that the
        discriminator classifies right, by the objective's threshold or else by 0: `[batch]` each.

    Example:
        >>> loss, accuracy = discrimination(Minimax(), tf.ones([4, 1]), -tf.ones([4, 1]))
    """
    threshold = objective.threshold or 0.0
    real = tf.cast(real_logits, tf.float32)
    losses = []
    right = [real > threshold]
    for logits in fake_logits:
        fake = tf.cast(logits, tf.float32)
        losses.append(0.5 * objective.discriminator(real, fake))
        right.append(fake < threshold)
    accuracy = per_example_mean(tf.cast(tf.stack(right, axis=1), tf.float32))
    return tf.reduce_mean(losses, axis=0), accuracy
