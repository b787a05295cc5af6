"""Virtual adversarial training, VAT (Miyato et al. 2018)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.classifiers import Classifier
from keras_gen.classifiers.classifier import label_terms
from keras_gen.core import stateless
from keras_gen.core.minimize import state_of
from keras_gen.core.schedules import Weight
from keras_gen.declared import Count, Positive
from keras_gen.keras_internals import all_layers
from keras_gen.losses import kl_categorical
from keras_gen.robustness.attacks import unit

# xi for each precision of the networks: smaller changes would be rounded away. On digits, the
# median cosine between the directions in bfloat16 and float32 is 0.03 at xi = 0.01, 0.76 at 0.1,
# 0.88 at 0.3, and 0.73 at 1. In float16, it is 0.71 at 0.01, 0.96 at 0.1, and 0.91 at 0.3.
XI = {"float16": 0.1, "bfloat16": 0.3}
XI_ELSE = 0.01


@keras.saving.register_keras_serializable("keras_gen")
class VAT(Classifier):
    """A classifier with a penalty on the change of its outputs in the most sensitive direction.

    Miyato, Maeda, Koyama, Ishii: "Virtual Adversarial Training: A Regularization Method for
    Supervised and Semi-Supervised Learning", TPAMI 2018, eq. (5) to (8). The direction does not
    depend on labels, so unlabeled examples (with the label -1) also contribute to the penalty:
    `fit(images, labels)` works with few labels.

    Deviation: the default for xi is 0.01, because with the paper's 1e-6, the divergence vanishes in
    float32. The default is 0.1 for networks that compute in float16, and 0.3 for networks that
    compute in bfloat16.

    `loss = classification_loss + weight * smoothness_loss + entropy_weight * entropy_loss`, in
    nats.

    Args:
        encoder: Network that maps images in [0, 1] to features `[batch, features]`.
        classifier: Network that maps features to logits `[batch, classes]`. If None, see
            `Classifier`.
        epsilon: Length of the change to an example: the square root of the sum of squares over its
            values.
        xi: Length of the change that is used to find the direction. If None, the default for the
            precision of the networks is used.
        iterations: Number of power iterations used to find the direction.
        weight: Weight of the smoothness loss (alpha), a number or a schedule.
        entropy_weight: Weight of the entropy of the outputs, a number or a schedule. The weight is
            1 in the paper's VAT+EntMin.
        seed: Seed for the random directions from which the power iterations start.

    Raises:
        ValueError: If the networks do not match, or if an argument is out of range.

    Example:
    ```python
    model = VAT.for_images((28, 28, 1), filters=4, hidden=16)
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, np.array([3, 1, -1, -1, -1, -1, -1, -1]), batch_size=4)
    ```
    """

    epsilon: Positive = 2.0
    xi: Positive | None = None
    iterations: Count = 1
    weight: Weight = 1.0
    entropy_weight: Weight = 0.0

    # The loss --------------------------------------------------------------------------------

    @override
    def loss_weights(self):
        weights = super().loss_weights() | {"smoothness": self.weight}
        return weights | {"entropy": self.entropy_weight} if self.entropy_weight else weights

    @override
    def terms(self, batch):
        x = batch["x"]
        # Both outputs come from one network with the same dropout masks.
        state = state_of(self.encoder, self.classifier)
        logits = self.logits(x)
        terms = label_terms(batch["labels"], logits)
        answer = tf.stop_gradient(logits)
        change = self.worst_change(x, answer, state)
        terms["smoothness"] = self.divergence(x + change, answer, state)  # eq. (5), (7)
        if self.entropy_weight:
            classes = tf.constant(logits.shape[-1], tf.float32)
            terms["entropy"] = tf.math.log(classes) - kl_categorical(logits)
        return terms

    def divergence(self, x, answer, state=()) -> tf.Tensor:
        """Returns KL(answer || output for x) in nats, `[batch]`, with fixed running statistics."""
        with stateless(state=state):
            return kl_categorical(answer, self.logits(x))

    def worst_change(self, x, answer, state=()) -> tf.Tensor:
        """Returns the change of length epsilon along the output's largest curvature, eq. (11)."""
        xi = self.xi or self._usual_xi()
        direction = self.normal("direction", keras.ops.shape(x))
        for _ in range(self.iterations):
            small = xi * unit(direction)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(small)
                divergence = tf.reduce_sum(self.divergence(x + small, answer, state))
            direction = tf.stop_gradient(tape.gradient(divergence, small))
        return self.epsilon * unit(direction)

    def _usual_xi(self) -> float:
        layers = all_layers(self.encoder) + all_layers(self.classifier)
        return max(XI.get(layer.compute_dtype, XI_ELSE) for layer in layers)
