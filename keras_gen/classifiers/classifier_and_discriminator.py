"""A classifier with an adversary that predicts information that the features should not reveal."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.classifiers.classifier import Classifier, label_terms
from keras_gen.declared import network
from keras_gen.networks import mlp_encoder


class OpposedClassifier(Classifier):
    """Base class for classifiers with a discriminator that predicts a domain or an attribute.

    The `train_step` of a subclass defines how the encoder is trained against the discriminator.

    Args:
        encoder: Network that maps examples to features `[batch, features]`.
        classifier: Network that maps features to logits `[batch, classes]`; if None, see
            `Classifier`.
        discriminator: Network that predicts the information that the features should not reveal.
            The network maps features to logits `[batch, values]`. If None, a network with two
            outputs and 500 hidden units is used.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.
        **kwargs: Arguments of `keras.Model`, such as `name`.

    Raises:
        ValueError: If the networks do not match.
    """

    discriminator: keras.Model = network("seen -> logits", default=None)

    def discriminator_logits(self, features) -> tf.Tensor:
        """Returns the discriminator's logits, float32 `[batch, values]`."""
        return tf.cast(self.discriminator(features, training=self.training), tf.float32)

    def discriminator_loss(self, features, values) -> tuple:
        """Returns the discriminator's loss, in nats, and whether it predicts correctly, `[batch]`.

        `values` contains the values to predict, int32 `[batch]`.
        """
        terms = label_terms(values, self.discriminator_logits(features))
        return terms["classification"], terms["accuracy"]

    @property
    @override
    def loss_names(self):
        return (*super().loss_names, "d_loss", "d_accuracy")

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        features = tuple(self.encoder.output_shape[1:])
        if self.discriminator is None:
            self.discriminator = dense_discriminator(features[-1])
        taken = tuple(self.discriminator.input_shape[1:])
        outputs = tuple(self.discriminator.output_shape[1:])
        if taken != features or len(outputs) != 1 or outputs[0] < 2:
            raise ValueError(
                f"The discriminator accepts {taken} and returns {outputs}: expected features of "
                f"shape {features}, as returned by the encoder, and at least 2 logits."
            )

    @override
    @classmethod
    @checked_arguments(square=True)
    def for_images(  # type: ignore[override]
        cls,
        shape: tuple,
        classes: int = 10,
        filters: int = 20,
        hidden: int = 500,
        discriminator_hidden: tuple[int, ...] = (500,),
        **kwargs,
    ):
        """Builds the model with LeNet and a dense discriminator with two outputs.

        Args:
            shape: `(height, width, channels)` of the images, with sides of at least 16 pixels.
            classes: Number of classes.
            filters: Number of channels in the first convolution.
            hidden: Number of features.
            discriminator_hidden: Number of units in each hidden layer of the discriminator.
            **kwargs: Additional arguments for the class.
        """
        discriminator = dense_discriminator(hidden, hidden=discriminator_hidden)
        return super().for_images(
            shape, classes, filters, hidden, discriminator=discriminator, **kwargs
        )


def dense_discriminator(features: int, values: int = 2, hidden: tuple = (500,)):
    """Returns a dense network with ReLUs that maps features to logits."""
    return mlp_encoder((features,), values, hidden, activation="relu", name="discriminator")
