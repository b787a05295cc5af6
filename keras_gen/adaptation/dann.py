"""Domain-adversarial training with gradient reversal, DANN (Ganin et al. 2016)."""

from functools import partial

import keras
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.adaptation.domain_model import DomainModel
from keras_gen.classifiers.classifier import label_terms
from keras_gen.core import Player
from keras_gen.core.schedules import Weight
from keras_gen.layers import reverse_gradient


@keras.saving.register_keras_serializable("keras_gen")
class DANN(DomainModel):
    """A classifier trained with source labels on features that do not reveal the domain.

    Ganin et al.: "Domain-Adversarial Training of Neural Networks", JMLR 2016, eqs. (9) and (18).
    Each step updates all networks. The gradient is reversed between the discriminator and the
    encoder, so the discriminator learns to distinguish the domains, and the encoder learns to make
    them indistinguishable.

    `fit` accepts source images, labels, and target images; `evaluate` accepts labeled images.
    `loss` is the classifier's loss, and `d_loss` is the discriminator's loss, in nats. At chance
    level, `d_loss` is 1.39.

    Deviations: lambda is 0.1, and the optimizer is Adam. In the paper, lambda grows from 0 to 1,
    and the optimizer is SGD with momentum and a decaying learning rate. With LeNet, which has no
    normalization, the paper's settings diverged: the encoder can increase the discriminator's loss
    without bound by enlarging its features.

    Args:
        encoder: Network that maps images in [0, 1] to features `[batch, features]`.
        classifier: Network that maps features to logits `[batch, classes]`. If None, the encoder is
            a complete classifier, which is split before its last dense layer.
        discriminator: Network that maps features to source and target logits, `[batch, 2]`. If
            None, a network with 500 hidden units is used.
        weight: Factor lambda applied to the reversed gradient: a number or a schedule, such as
            `keras_gen.core.schedules.Sigmoid`, which the paper uses.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If the networks do not match, or if `weight` is negative.

    Example:
    ```python
    import tensorflow as tf
    model = DANN.for_images((28, 28, 1), filters=4, hidden=16, discriminator_hidden=(16,))
    model.compile()
    digits = others = np.zeros((8, 28, 28, 1), "uint8")
    data = tf.data.Dataset.from_tensor_slices((digits, np.arange(8), others))
    model.fit(data.batch(4))
    model.evaluate(others, np.arange(8))
    ```
    """

    weight: Weight = 0.1

    @override
    def train_step(self, data):
        batch = self.with_target(self.prepare_batch(data))

        def total_loss():
            source, target = self.features_of_both(batch)
            terms = label_terms(batch["labels"], self.logits_of(source))
            weight = self.scheduled(self.weight)
            features = [reverse_gradient(each, weight) for each in (source, target)]
            d_loss, right = self.domain_loss(*features)
            loss = self.weighted(terms)
            return loss + d_loss, loss, terms, d_loss, right  # eq. (18)

        _, loss, terms, d_loss, right = self.minimize(total_loss)
        return self.report(terms, loss=loss, d_loss=d_loss, d_accuracy=right)

    @override
    def players(self):
        networks = [self.encoder, self.classifier, self.discriminator]
        return {"optimizer": Player(networks, partial(Adam, 3e-4))}
