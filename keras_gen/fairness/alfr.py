"""Adversarial learned fair representations, ALFR (Edwards & Storkey 2016)."""

from functools import partial

import keras
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.classifiers.classifier import label_terms
from keras_gen.core import Player
from keras_gen.core.schedules import Weight
from keras_gen.declared import Steps
from keras_gen.fairness.blind_classifier import BlindClassifier


@keras.saving.register_keras_serializable("keras_gen")
class ALFR(BlindClassifier):
    """A classifier on features from which an adversary cannot predict an attribute.

    Edwards, Storkey: "Censoring Representations with an Adversary", ICLR 2016. The encoder and the
    classifier minimize the classifier's loss minus the weighted loss of their adversary, the
    discriminator. The discriminator is updated in separate steps between the steps of the encoder.

    `fit` and `evaluate` accept examples, labels, and attributes. `loss` is the classifier's loss,
    and `d_loss` is the discriminator's loss, in nats.

    Deviations: examples are not reconstructed from the features (alpha = 0), so the features serve
    only the classification. The discriminator is updated several times per encoder step, so that it
    remains a strong adversary.

    Args:
        encoder: Network that maps images in [0, 1] or vectors to features `[batch, features]`.
        classifier: Network that maps features to logits `[batch, classes]`.
        discriminator: Network that maps features to logits for the attribute's values,
            `[batch, values]`.
        columns: Columns of the table, if the examples are table rows. The encoder receives the rows
            as vectors.
        weight: Weight beta of the discriminator's loss in the encoder's loss, a number or a
            schedule.
        discriminator_steps: Number of discriminator steps per encoder step, all on the features of
            the same batch.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If the networks do not match each other or the columns, if `weight` is negative,
            or if `discriminator_steps` is below 1.

    Example:
    ```python
    from keras_gen.data import table_columns
    rows = np.array([["39", "Male"], ["50", "Female"], ["38", "Male"], ["28", "Female"]])
    columns = table_columns(rows, names=["age", "sex"], numbers=["age"])
    model = ALFR.for_table(columns, features=2, hidden=(4,), discriminator_hidden=(4,))
    model.compile()
    vectors = model.prepare(rows)
    model.fit(vectors, (np.array([0, 1, 0, 1]), np.array([1, 0, 1, 0])), batch_size=2)
    features = model.features(rows)
    ```
    """

    weight: Weight = 1.0
    discriminator_steps: Steps = 1

    @override
    def train_step(self, data):
        batch = self.prepare_batch(data)

        def encoder_loss():
            features = self.features_of(batch["x"])
            terms = label_terms(batch["labels"], self.logits_of(features))
            adversary_loss, _ = self.discriminator_loss(features, batch["attributes"])
            loss = self.weighted(terms)
            return loss - self.scheduled(self.weight) * adversary_loss, loss, terms, features

        _, loss, terms, features = self.minimize(encoder_loss)

        def discriminator_loss():
            return self.discriminator_loss(features, batch["attributes"])

        for _ in range(self.discriminator_steps):
            d_loss, right = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(terms, loss=loss, d_loss=d_loss, d_accuracy=right)

    @override
    def players(self):
        adam = partial(Adam, 1e-3)
        return {
            "optimizer": Player([self.encoder, self.classifier], adam),
            "d_optimizer": Player([self.discriminator], adam),
        }
