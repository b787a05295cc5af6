"""The cross entropy of classes where some examples have no label."""

import tensorflow as tf

from keras_gen.losses.tensor_arguments import of_tensors


@of_tensors("labels", "logits")
def label_cross_entropy(labels, logits) -> tf.Tensor:
    """Returns -log q(label | x), 0 for examples without a label: `[batch]`, nats.

    Args:
        labels: Int32 `[batch]`, -1 for an example without one.
        logits: Float32 `[batch, classes]`.

    Example:
        >>> label_cross_entropy(tf.constant([1, -1]), tf.zeros([2, 2])).numpy()
        array([0.6931472, 0.       ], dtype=float32)
    """
    known = labels >= 0
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.where(known, labels, 0), logits)
    return tf.where(known, entropy, 0.0)
