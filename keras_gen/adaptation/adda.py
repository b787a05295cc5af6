"""Adversarial discriminative domain adaptation, ADDA (Tzeng et al. 2017)."""

from functools import partial
from typing import NoReturn

import keras
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.adaptation.domain_model import SOURCE, DomainModel, domain_cross_entropy
from keras_gen.classifiers import Classifier, dense_discriminator
from keras_gen.classifiers.classifier import label_terms
from keras_gen.core import Player
from keras_gen.declared import built, network
from keras_gen.networks import copied


@keras.saving.register_keras_serializable("keras_gen")
class ADDA(DomainModel):
    """A classifier with a separate target encoder that learns to imitate source features.

    Tzeng, Hoffman, Saenko, Darrell: "Adversarial Discriminative Domain Adaptation", CVPR 2017, eq.
    (9). An encoder and a classifier trained on the source (`Classifier`) are frozen, while a copy
    of the encoder is trained as in a GAN. A discriminator learns to distinguish the copy's features
    of target images from features of source images, and the copy learns to produce features that
    look like source features. `classify` and `features` use the copy, because they are for target
    images.

    Deviations: none, but the paper does not specify the order of the two updates. Here, the encoder
    is updated first, and the discriminator is then updated on the features from before the
    encoder's update.

    `fit` accepts source images, labels, and target images; `evaluate` accepts labeled target
    images. During training, `loss` and `accuracy` are computed on source images and stay constant.

    Args:
        encoder: Network that maps target images in [0, 1] to features `[batch, features]`,
            initialized as a copy of the source encoder.
        classifier: Network that maps features to logits `[batch, classes]` and that was trained
            with the source encoder.
        discriminator: Network that maps features to source and target logits, `[batch, 2]`.
        source_encoder: Trained source encoder, which is not changed.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If the networks do not match.

    Example:
    ```python
    import tensorflow as tf
    from keras_gen.classifiers import Classifier
    source_model = Classifier.for_images((28, 28, 1), filters=4, hidden=16)  # should be trained
    model = ADDA.from_source(source_model, discriminator_hidden=(16,))
    model.compile()
    digits = others = np.zeros((8, 28, 28, 1), "uint8")
    data = tf.data.Dataset.from_tensor_slices((digits, np.arange(8), others))
    model.fit(data.batch(4))
    model.evaluate(others, np.arange(8))
    ```
    """

    classifier: keras.Model = network("features -> logits", kw_only=True)
    discriminator: keras.Model = network("features -> logits", kw_only=True)
    source_encoder: keras.Model = network("x -> features", kw_only=True)

    @override
    def train_step(self, data):
        batch = self.with_target(self.prepare_batch(data))
        with self.inference():
            source = tf.cast(self.source_encoder(batch["x"], training=False), tf.float32)
            # This loss is only reported; it updates neither network.
            terms = label_terms(batch["labels"], self.logits_of(source))

        def encoder_loss():
            features = self.features_of(batch["target_x"])
            logits = self.discriminator_logits(features)
            # Eq. (9), with the labels inverted: the discriminator should classify target features
            # as source features.
            return domain_cross_entropy(logits, SOURCE), features

        adversarial, target = self.minimize(encoder_loss, "optimizer")

        def discriminator_loss():
            # The discriminator's loss is the sum of the losses for both domains.
            return self.domain_loss(source, target)

        d_loss, accuracy = self.minimize(discriminator_loss, "d_optimizer")
        losses = dict(d_loss=d_loss, d_accuracy=accuracy, adversarial_loss=adversarial)
        return self.report(terms, loss=self.weighted(terms), **losses)

    @override
    def players(self):
        adam = partial(Adam, 2e-4, beta_1=0.5)  # sec. 5.1, with the beta that is usual for GANs
        return {
            "optimizer": Player([self.encoder], adam),
            "d_optimizer": Player([self.discriminator], adam),
        }

    @property
    @override
    def loss_names(self):
        return (*super().loss_names, "adversarial_loss")

    # Building --------------------------------------------------------------------------------

    @classmethod
    def from_source(
        cls, source: keras.Model, discriminator_hidden: tuple = (500, 500), **kwargs
    ):
        """Builds the model from a classifier trained on the source.

        Args:
            source: Trained `Classifier`, or a trained Keras model whose last layer is a dense layer
                that returns logits. A Keras model is split before that layer. The new model uses
                copies of the networks.
            discriminator_hidden: Number of units in each hidden layer of the discriminator. The
                default sizes are the paper's.
            **kwargs: Additional arguments for the class.

        Raises:
            ValueError: If a Keras model ends with another type of layer.

        Example: `ADDA.from_source(keras.models.load_model("digits.keras"))`.
        """
        if not isinstance(source, Classifier):
            source = Classifier(built("source", source))
        features = source.encoder.output_shape[-1]
        return cls(
            copied(source.encoder, "target_encoder"),
            copied(source.classifier),
            dense_discriminator(features, hidden=discriminator_hidden),
            copied(source.encoder, "source_encoder"),
            **kwargs,
        )

    @override
    @classmethod
    def for_images(cls, *args, **kwargs) -> NoReturn:
        """Raises a TypeError that suggests `from_source`."""
        raise TypeError(
            "ADDA requires a model trained on the source domain: use ADDA.from_source."
        )
