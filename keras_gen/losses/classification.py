"""Cross-entropies for codes and for labels. Some labels may be missing."""

import math
from collections.abc import Sequence

import tensorflow as tf

from keras_gen.checked_arguments import checked_types
from keras_gen.losses.likelihoods import UnboundedNormal
from keras_gen.losses.per_example import of_tensors


@of_tensors("labels", "logits")
def label_cross_entropy(labels, logits) -> tf.Tensor:
    """Returns -log q(label | x) in nats, `[batch]`, with 0 for examples without a label.

    Args:
        labels: Labels, int32 `[batch]`, with -1 for an example without a label.
        logits: Logits of the classes, float32 `[batch, classes]`.

    Example:
        >>> label_cross_entropy(tf.constant([1, -1]), tf.zeros([2, 2])).numpy()
        array([0.6931472, 0.       ], dtype=float32)
    """
    known = labels >= 0
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.where(known, labels, 0), logits)
    return tf.where(known, entropy, 0.0)


@checked_types
@of_tensors("codes", "found")
def code_information(
    codes: tf.Tensor, found: tf.Tensor, categories: Sequence[int], scale: float = 1.0
) -> dict[str, tf.Tensor]:
    """Returns L_I = E[log Q(c|x)] + H(c) for codes c: categories, and numbers in [-1, 1].

    Chen et al.: "InfoGAN", NeurIPS 2016, eq. (5). L_I is at most the mutual information of c and x;
    for categories, L_I is also at most the entropy of the categories. The prior of the numbers is
    uniform. Q is categorical for categories, and normal for numbers.

    Args:
        codes: Codes `[batch, codes]`: one-hot categories followed by numbers.
        found: Parameters of Q, `[batch, outputs]`: the logits of all categories, the means of the
            numbers, and, if Q predicts scales, the raw scales. The standard deviation is the
            softplus of the raw scale + 0.001.
        categories: Number of classes of each categorical code.
        scale: Standard deviation of the numbers if Q predicts only means.

    Returns:
        A dict of float32 `[batch]`, in nats: "categorical" is -log Q(c|x) for the categories,
        "continuous" is -log Q(c|x) for the numbers, and "information" is H(c) minus these two
        values.

    Example:
        >>> code_information(tf.one_hot([0, 1], 2), tf.zeros([2, 2]), [2])["information"]  # 0 each
    """
    continuous = codes.shape[1] - sum(categories)
    outputs = found.shape[1] - sum(categories)
    normal = UnboundedNormal(scale if outputs == continuous else None)
    *ones, numbers = tf.split(tf.cast(codes, tf.float32), [*categories, continuous], axis=1)
    *logits, parameters = tf.split(tf.cast(found, tf.float32), [*categories, outputs], axis=1)
    of_categories = sum(map(tf.nn.softmax_cross_entropy_with_logits, ones, logits))
    of_numbers = -normal.log_prob(parameters, numbers)
    entropy = sum(map(math.log, categories)) + continuous * math.log(2.0)
    information = entropy - of_categories - of_numbers
    return dict(categorical=of_categories, continuous=of_numbers, information=information)
