"""An autoencoder that classifies at the same time: both losses at once."""

import keras
import numpy as np
import tensorflow as tf

from keras_gen.autoencoders.autoencoder import Autoencoder
from keras_gen.training import require_built


@keras.saving.register_keras_serializable("keras_gen")
class ClassifyingAutoencoder(Autoencoder):
    """Reconstructs all examples and classifies those that have a label, from the same codes.

    Ranzato, Szummer: "Semi-supervised Learning of Compact Document Representations with Deep
    Networks", ICML 2008, sec. 3: unlabelled examples shape the encoder by their reconstruction.
    `fit(images, labels)` takes whole numbers, -1 for an example without a label, as scikit-learn
    does.

    Deviations: the paper trains layer by layer, each with both losses, and models word counts.

    Args:
        encoder: Examples to codes `[batch, ...]`.
        decoder: Codes to the likelihood's parameters.
        classifier: Codes to logits `[batch, classes]`.
        likelihood: Name or object: p(x | code).
        weight: Of the cross-entropy of an example that has a label, in nats.
        seed: Not used by this model.

    Raises:
        ValueError: If the networks do not fit each other, or `weight` is negative.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder

    classifier = keras.Sequential([keras.Input((32,)), keras.layers.Dense(10)])
    model = ClassifyingAutoencoder(
        mlp_encoder(latents=32, outputs=("codes",)), mlp_decoder(latents=32), classifier
    )
    model.compile()
    model.fit(np.zeros((8, 28, 28, 1), "uint8"), np.array([3, 1, -1, -1, -1, -1, -1, -1]))
    ```
    """

    reported = ("loss", "reconstruction_loss", "classification_loss")

    def __init__(
        self,
        encoder,
        decoder,
        classifier,
        likelihood="bernoulli",
        weight: float = 100.0,
        seed=0,
        **kwargs,
    ):
        super().__init__(encoder, decoder, likelihood=likelihood, seed=seed, **kwargs)
        require_built(classifier)
        if classifier.input_shape[1:] != encoder.outputs[0].shape[1:]:
            raise ValueError(
                f"The classifier takes {classifier.input_shape[1:]} and the codes have shape "
                f"{tuple(encoder.outputs[0].shape[1:])}: they must agree."
            )
        if weight < 0:
            raise ValueError(f"weight is {weight}: it must not be negative.")
        self.classifier, self.weight = classifier, weight

    def loss_terms(self, x, training: bool, labels=None) -> dict:
        """Returns `reconstruction` and, 0 without a label, `classification`: `[batch]`."""
        if labels is None:
            return super().loss_terms(x, training)
        codes = self._codes(x, training)[0]
        logits = tf.cast(self.classifier(codes, training=training), tf.float32)
        known = labels >= 0
        entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.where(known, labels, 0), logits)
        return {
            "reconstruction": self._reconstruction(codes, x, training),
            "classification": tf.where(known, entropy, 0.0),
        }

    def weights_of_terms(self) -> dict[str, float]:
        """Returns the weight of the cross-entropy."""
        return {"classification": self.weight}

    def classify(self, images, batch_size: int = 256) -> np.ndarray:
        """Returns the logits of the classes, float32 `[n, classes]`.

        Args:
            images: uint8, or float in `data_range`, `[n, ...]`.
            batch_size: Examples at once.
        """
        batches = self._batches(images, batch_size)
        return np.concatenate([self._logits(x) for x in batches])

    def signatures(self) -> dict:
        """Returns an autoencoder's, and `classify`."""

        def classify(images):
            return {"logits": self._logits(self.prepare(images))}

        signatures = super().signatures()
        return signatures | {"classify": (classify, signatures["encode"][1])}

    def _logits(self, x):
        return self.classifier(self._codes(x, training=False)[0], training=False)

    def _inputs(self, data) -> dict:
        x, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        if labels is None:
            raise ValueError(
                "ClassifyingAutoencoder trains on images and labels (-1: none), but got no labels."
            )
        return {"x": self.prepare(x), "labels": tf.cast(labels, tf.int32)}
