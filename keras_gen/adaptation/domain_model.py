"""The base class for domain adaptation with two domains and a discriminator on features."""

import tensorflow as tf
from typing_extensions import override

from keras_gen.classifiers import OpposedClassifier
from keras_gen.classifiers.classifier import edge_of_examples
from keras_gen.core.batches import in_order
from keras_gen.losses.classification import label_cross_entropy

SOURCE = 0  # the discriminator's class for source features
TARGET = 1


class DomainModel(OpposedClassifier):
    """Base class for classifiers trained with source labels for use in a target domain.

    `fit` accepts source images, their labels, and unlabeled target images. `evaluate` accepts
    labeled images from either domain, so target labels are used only for evaluation. A
    discriminator predicts an image's domain from its features; the `train_step` of a subclass
    defines how the encoder is trained against the discriminator.

    Args:
        encoder: Network that maps images in [0, 1] to features `[batch, features]`.
        classifier: Network that maps features to logits `[batch, classes]`; if None, see
            `Classifier`.
        discriminator: Network that maps features to source and target logits, `[batch, 2]`. If
            None, a standard network is used.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.
        **kwargs: Arguments of `keras.Model`, such as `name`.

    Raises:
        ValueError: If the networks do not match.
    """

    batch = ("x", "labels", "target_x")

    def features_of_both(self, batch: dict) -> list:
        """Returns the features of source and target images from one pass through the encoder."""
        x = batch["x"]
        target_x = batch["target_x"]
        sizes = [tf.shape(x)[0], tf.shape(target_x)[0]]
        return tf.split(self.features_of(tf.concat([x, target_x], axis=0)), sizes)

    def domain_loss(self, source, target) -> tuple:
        """Returns the discriminator's loss and accuracy for features from both domains."""
        loss = 0.0
        right = []
        for domain, features in ((SOURCE, source), (TARGET, target)):
            domains = tf.fill(tf.shape(features)[:1], domain)
            of_domain, named = self.discriminator_loss(features, domains)
            loss += of_domain
            right.append(named)
        return loss, tf.concat(right, axis=0)

    # A batch ---------------------------------------------------------------------------------

    @override
    def named_parts(self, data):
        """Also accepts labeled examples without target images, for `evaluate`."""
        parts = in_order(data)
        if len(parts) == 2 and tf.TensorShape(parts[1].shape).rank in (None, 1, 2):
            return dict(zip(("x", "labels"), parts, strict=True))
        return super().named_parts(data)

    @override
    def prepare_batch(self, data):
        batch = super().prepare_batch(data)
        # `evaluate` also refuses an invalid target, although it does not use the target.
        with tf.control_dependencies([batch.get("target_x", batch["x"])]):
            batch["labels"] = tf.identity(batch["labels"])
        return batch

    @override
    def test_step(self, data):
        """Evaluates labeled images from either domain."""
        terms = self.terms(self.prepare_batch(data))
        return self.report(terms, loss=self.weighted(terms))

    def with_target(self, batch) -> dict:
        """Returns a prepared training batch; raises a ValueError if it has no target images."""
        if "target_x" not in batch:
            raise ValueError(
                f"{type(self).__name__} trains on images (x), their labels (labels), and target "
                "images (target_x), but got only labeled images: also pass target images to fit. "
                "Labeled images alone suffice only for evaluate."
            )
        return batch

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        outputs = tuple(self.discriminator.output_shape[1:])
        if outputs != (2,):
            raise ValueError(
                f"The discriminator returns {outputs}: expected logits of shape (2,), one for the "
                "source domain and one for the target domain."
            )
        self.edges["target_x"] = edge_of_examples(self.encoder.input_shape[1:], "target_")


def domain_cross_entropy(logits, domain: int) -> tf.Tensor:
    """Returns -log q(domain | features), `[batch]`, in nats."""
    return label_cross_entropy(tf.fill(tf.shape(logits)[:1], domain), logits)
