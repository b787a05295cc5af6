"""Gradient reversal against discrimination, GRAD (Raff & Sylvester 2018)."""

from functools import partial

import keras
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.classifiers.classifier import label_terms
from keras_gen.core import Player
from keras_gen.core.schedules import Weight
from keras_gen.fairness.blind_classifier import BlindClassifier
from keras_gen.layers import reverse_gradient


@keras.saving.register_keras_serializable("keras_gen")
class GRAD(BlindClassifier):
    """A classifier on features that do not reveal an attribute, trained with gradient reversal.

    Raff, Sylvester: "Gradient Reversal against Discrimination: A Fair Neural Network Learning
    Approach", DSAA 2018 (GRAD-Pred), based on Ganin et al. (2016). Each step updates all networks.
    The gradient is reversed between the discriminator and the encoder, so the discriminator learns
    to predict the attribute, and the encoder learns to make the attribute unpredictable.

    `fit` and `evaluate` accept examples, labels, and attributes. `loss` is the classifier's loss,
    and `d_loss` is the discriminator's loss, in nats. If the attribute has two equally frequent
    values, `d_loss` is 0.69 at chance level.

    Deviations: in models built with `for_table`, the features are bounded, because the encoder
    could otherwise increase the discriminator's loss just by enlarging the features.

    Args:
        encoder: Network that maps images in [0, 1] or vectors to features `[batch, features]`.
        classifier: Network that maps features to logits `[batch, classes]`.
        discriminator: Network that maps features to logits for the attribute's values,
            `[batch, values]`.
        columns: Columns of the table, if the examples are table rows. The encoder receives the rows
            as vectors.
        weight: Factor lambda applied to the reversed gradient, a number or a schedule.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If the networks do not match each other or the columns, or if `weight` is
            negative.

    Example:
    ```python
    from keras_gen.data import table_columns
    rows = np.array([["39", "Male"], ["50", "Female"], ["38", "Male"], ["28", "Female"]])
    columns = table_columns(rows, names=["age", "sex"], numbers=["age"])
    model = GRAD.for_table(columns, features=2, hidden=(4,), discriminator_hidden=(4,))
    model.compile()
    vectors = model.prepare(rows)
    model.fit(vectors, (np.array([0, 1, 0, 1]), np.array([1, 0, 1, 0])), batch_size=2)
    features = model.features(rows)
    ```
    """

    weight: Weight = 1.0

    @override
    def train_step(self, data):
        batch = self.prepare_batch(data)

        def total_loss():
            features = self.features_of(batch["x"])
            terms = label_terms(batch["labels"], self.logits_of(features))
            reversed_features = reverse_gradient(features, self.scheduled(self.weight))
            d_loss, right = self.discriminator_loss(reversed_features, batch["attributes"])
            loss = self.weighted(terms)
            return loss + d_loss, loss, terms, d_loss, right

        _, loss, terms, d_loss, right = self.minimize(total_loss)
        return self.report(terms, loss=loss, d_loss=d_loss, d_accuracy=right)

    @override
    def players(self):
        networks = [self.encoder, self.classifier, self.discriminator]
        return {"optimizer": Player(networks, partial(Adam, 1e-3))}
