"""A classifier and its opponent, which predicts from the features what they should not tell."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_sizes
from keras_gen.classifiers.classifier import Classifier, label_terms
from keras_gen.declared import network
from keras_gen.networks import mlp_encoder


class OpposedClassifier(Classifier):
    """Base of classifiers with a discriminator: of the domain, or of an attribute, by the features.

    A method says how the encoder works against the discriminator (`train_step`).

    Args:
        encoder: Examples to features `[batch, features]`.
        classifier: Features to logits `[batch, classes]`; see `Classifier` for None.
        discriminator: Features to logits, `[batch, values]` of what they should not tell; None: of
            two values, with 500 hidden units.
        seed: Seed of the order of the examples in `fit`, if they come from a source.
        **kwargs: `name` and the like, of `keras.Model`.

    Raises:
        ValueError: If the networks do not fit each other.
    """

    discriminator: keras.Model = network("seen -> logits", default=None)

    def discriminator_logits(self, features) -> tf.Tensor:
        """Returns the discriminator's logits, float32 `[batch, values]`."""
        return tf.cast(self.discriminator(features, training=self.training), tf.float32)

    def discriminator_loss(self, features, values) -> tuple:
        """Returns the discriminator's nats for features, and whether it is right: `[batch]`.

        `values` is what it should predict, int32 `[batch]`.
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
                f"The discriminator takes {taken} and returns {outputs}: expected features "
                f"{features}, as the encoder returns them, and logits (2,) or more."
            )

    @override
    @classmethod
    def for_images(  # type: ignore[override]
        cls,
        shape: tuple,
        classes: int = 10,
        filters: int = 20,
        hidden: int = 500,
        discriminator_hidden: tuple[int, ...] = (500,),
        **kwargs,
    ):
        """Builds the model with LeNet, and a discriminator of two values by dense layers.

        Args:
            shape: `(height, width, channels)` of the images, both sides of at least 16 pixels.
            classes: Number of classes.
            filters: Channels of the first convolution.
            hidden: Features.
            discriminator_hidden: Units of the discriminator's hidden layers.
            **kwargs: Further arguments of the class.
        """
        discriminator_hidden = checked_sizes("discriminator_hidden", discriminator_hidden)
        discriminator = dense_discriminator(hidden, hidden=discriminator_hidden)
        return super().for_images(
            shape, classes, filters, hidden, discriminator=discriminator, **kwargs
        )


def dense_discriminator(features: int, values: int = 2, hidden: tuple = (500,)):
    """Returns dense layers with ReLUs, from features to logits."""
    return mlp_encoder((features,), values, hidden, activation="relu", name="discriminator")
