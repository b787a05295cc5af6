"""An autoencoder that also classifies (Ranzato & Szummer 2008)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoencoders.autoencoder import Autoencoder
from keras_gen.checked_arguments import checked_arguments
from keras_gen.classifiers import classify, set_label_edges
from keras_gen.core.schedules import Weight
from keras_gen.declared import network
from keras_gen.losses.classification import label_cross_entropy
from keras_gen.networks import mlp_encoder


@keras.saving.register_keras_serializable("keras_gen")
class ClassifyingAutoencoder(Autoencoder):
    """An autoencoder that also learns to classify labeled examples from their codes.

    As in Ranzato, Szummer: "Semi-supervised Learning of Compact Document Representations with Deep
    Networks", ICML 2008, sec. 3, unlabeled examples also contribute to the training of the encoder,
    through their reconstruction. `fit(images, labels)` accepts integer labels, with -1 for an
    example without a label.

    Deviations: in the paper, the layers are trained one after another on word counts, and each
    layer is trained with both losses.

    Args:
        encoder: Network that maps examples to codes `[batch, ...]`.
        decoder: Network that maps codes to the likelihood's parameters.
        classifier: Network that maps codes to logits `[batch, classes]`.
        likelihood: Likelihood p(x | code), a name or an object.
        weight: Weight of the classification loss, a number or a schedule. The classification loss
            is the cross-entropy of labeled examples, in nats.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If the networks do not match, or if `weight` is negative.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder
    classifier = keras.Sequential([keras.Input((32,)), keras.layers.Dense(10)])
    networks = mlp_encoder(latent_dim=32), mlp_decoder(latent_dim=32), classifier
    model = ClassifyingAutoencoder(*networks)
    model.compile()
    model.fit(np.zeros((8, 28, 28, 1), "uint8"), np.array([3, 1, -1, -1, -1, -1, -1, -1]))
    ```
    """

    batch = ("x", "labels")
    reconstructs_pairs = False
    classify = classify

    classifier: keras.Model = network("codes -> logits", kw_only=True)
    weight: Weight = 100.0

    @override
    def terms(self, batch):
        codes = self.encoded(batch["x"])[0]
        entropy = label_cross_entropy(batch["labels"], self.logits_of(codes))
        return self.terms_of(batch, codes) | {"classification": entropy}

    @override
    def loss_weights(self):
        return super().loss_weights() | {"classification": self.weight}

    def logits_of(self, codes) -> tf.Tensor:
        """Returns the class logits for codes, float32 `[batch, classes]`."""
        return tf.cast(self.classifier(codes, training=self.training), tf.float32)

    def logits(self, x) -> tf.Tensor:
        """Returns the class logits for examples, float32 `[batch, classes]`."""
        return self.logits_of(self.encoded(x)[0])

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        set_label_edges(self, self.classifier.output_shape[-1])

    @override
    @classmethod
    def for_images(  # type: ignore[override]
        cls,
        shape: tuple,
        classes: int,
        latent_dim: int = 16,
        filters: tuple[int, ...] = (32, 64),
        **kwargs,
    ):
        """Builds the model with convolutional networks and a linear classifier on the codes.

        Args:
            shape: See `Autoencoder.for_images`.
            classes: Number of classes.
            latent_dim: Number of dimensions of a code.
            filters: Number of channels in each convolution of the encoder.
            **kwargs: Additional arguments for the class.

        Example: `ClassifyingAutoencoder.for_images((28, 28, 1), classes=10)`.
        """
        kwargs.setdefault("classifier", _classifier(latent_dim, classes))
        return super().for_images(shape, latent_dim, filters, **kwargs)

    @override
    @classmethod
    def for_vectors(  # type: ignore[override]
        cls,
        shape: int | tuple,
        classes: int,
        latent_dim: int = 2,
        hidden: tuple[int, ...] = (64, 64),
        **kwargs,
    ):
        """Builds the model for rows of numbers in any units, with dense networks.

        Args:
            shape: See `Autoencoder.for_vectors`.
            classes: Number of classes.
            latent_dim: Number of dimensions of a code.
            hidden: Number of units in each hidden layer of the encoder, mirrored by the decoder.
            **kwargs: Additional arguments for the class.

        Example: `ClassifyingAutoencoder.for_vectors(8, classes=3)`.
        """
        kwargs.setdefault("classifier", _classifier(latent_dim, classes))
        return super().for_vectors(shape, latent_dim, hidden, **kwargs)


@checked_arguments
def _classifier(latent_dim: int, classes: int) -> keras.Model:
    """Builds a network with a single dense layer that maps codes to logits."""
    return mlp_encoder((latent_dim,), classes, hidden=(), name="classifier")
