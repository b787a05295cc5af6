"""Domain confusion (Tzeng et al. 2015)."""

from functools import partial

import keras
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.adaptation.domain_model import SOURCE, TARGET, DomainModel, domain_cross_entropy
from keras_gen.classifiers.classifier import label_terms
from keras_gen.core import Player
from keras_gen.core.schedules import Weight


@keras.saving.register_keras_serializable("keras_gen")
class DomainConfusion(DomainModel):
    """A classifier with features that leave a domain discriminator undecided.

    Tzeng, Hoffman, Darrell, Saenko: "Simultaneous Deep Transfer Across Domains and Tasks", ICCV
    2015, eqs. (4) to (6): the encoder minimizes the cross-entropy between the discriminator's
    output and 1/2. This loss is minimal if the features reveal nothing about the domain. Unlike
    gradient reversal, it does not push the discriminator toward wrong predictions. The
    discriminator and the encoder are updated in alternation.

    `fit` accepts source images, labels, and target images; `evaluate` accepts labeled images.
    `loss` is the classifier's loss, in nats. If the features reveal nothing about the domain,
    `d_loss` and `confusion_loss` are 1.39.

    Deviations: the paper's soft labels, which require some target labels, are not used.

    Args:
        encoder: Network that maps images in [0, 1] to features `[batch, features]`.
        classifier: Network that maps features to logits `[batch, classes]`. If None, the encoder is
            a complete classifier, which is split before its last dense layer.
        discriminator: Network that maps features to source and target logits, `[batch, 2]`. If
            None, a network with 500 hidden units is used.
        weight: Weight lambda of the confusion loss, a number or a schedule.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If the networks do not match, or if `weight` is negative.

    Example:
    ```python
    import tensorflow as tf
    model = DomainConfusion.for_images((28, 28, 1), filters=4, hidden=16)
    model.compile()
    digits = others = np.zeros((8, 28, 28, 1), "uint8")
    data = tf.data.Dataset.from_tensor_slices((digits, np.arange(8), others))
    model.fit(data.batch(4))
    model.evaluate(others, np.arange(8))
    ```
    """

    weight: Weight = 0.01

    @override
    def train_step(self, data):
        batch = self.with_target(self.prepare_batch(data))

        def encoder_loss():
            source, target = self.features_of_both(batch)
            terms = label_terms(batch["labels"], self.logits_of(source))
            confusion = self.confusion(source) + self.confusion(target)
            loss = self.weighted(terms)
            total = loss + self.scheduled(self.weight) * confusion
            return total, loss, terms, confusion, source, target

        def discriminator_loss():
            return self.domain_loss(source, target)  # eq. (4)

        _, loss, terms, confusion, source, target = self.minimize(encoder_loss)
        d_loss, right = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(
            terms, loss=loss, d_loss=d_loss, d_accuracy=right, confusion_loss=confusion
        )

    def confusion(self, features) -> tf.Tensor:
        """Returns the cross-entropy, `[batch]`, of the discriminator's output and 1/2 (eq. 5)."""
        logits = self.discriminator_logits(features)
        each = [domain_cross_entropy(logits, domain) for domain in (SOURCE, TARGET)]
        return tf.add_n(each) / len(each)

    @override
    def players(self):
        adam = partial(Adam, 3e-4)
        return {
            "optimizer": Player([self.encoder, self.classifier], adam),
            "d_optimizer": Player([self.discriminator], adam),
        }

    @property
    @override
    def loss_names(self):
        return (*super().loss_names, "confusion_loss")
