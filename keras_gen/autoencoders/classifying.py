"""An autoencoder that classifies at the same time: both losses at once."""

import keras
import tensorflow as tf

from keras_gen.autoencoders.autoencoder import Autoencoder
from keras_gen.bases import capability
from keras_gen.data.edges import Labels
from keras_gen.training import require_built, schedules


@keras.saving.register_keras_serializable("keras_gen")
class ClassifyingAutoencoder(Autoencoder):
    """Reconstructs all examples and classifies those that have a label, from the same codes.

    Ranzato, Szummer: "Semi-supervised Learning of Compact Document Representations with Deep
    Networks", ICML 2008, sec. 3: unlabeled examples shape the encoder by their reconstruction.
    `fit(images, labels)` takes whole numbers, -1 for an example without a label, as scikit-learn
    does.

    Deviations: the paper trains layer by layer, each with both losses, and models word counts.

    Args:
        encoder: Examples to codes `[batch, ...]`.
        decoder: Codes to the likelihood's parameters.
        classifier: Codes to logits `[batch, classes]`.
        likelihood: Name or object: p(x | code).
        weight: Of the cross-entropy of an example that has a label, in nats: a number or a
            schedule of the step.
        seed: Not used by this model.

    Raises:
        ValueError: If the networks do not fit each other, or `weight` is negative.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder

    classifier = keras.Sequential([keras.Input((32,)), keras.layers.Dense(10)])
    model = ClassifyingAutoencoder(
        mlp_encoder(latent_dim=32), mlp_decoder(latent_dim=32), classifier
    )
    model.compile()
    model.fit(np.zeros((8, 28, 28, 1), "uint8"), np.array([3, 1, -1, -1, -1, -1, -1, -1]))
    ```
    """

    batch = ("x", "labels")

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
        self.classifier, self.weight = classifier, schedules.weight("weight", weight)
        self.edges["labels"] = Labels(classifier.output_shape[-1], unknown=True)

    def loss_weights(self):
        """Returns the weight of the cross-entropy beside the reconstruction's."""
        return super().loss_weights() | {"classification": self.weight}

    def loss_terms(self, x, labels, inferred, training):
        """Returns `reconstruction` and, 0 without a label, `classification`: `[batch]`."""
        logits = tf.cast(self.classifier(inferred.latents, training=training), tf.float32)
        known = labels >= 0
        entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.where(known, labels, 0), logits)
        terms = super().loss_terms(x, inferred, training)
        return terms | {"classification": tf.where(known, entropy, 0.0)}

    @capability
    def classify(self, x):
        """Returns the logits of the classes, float32 `[n, classes]`.

        Args:
            x: Examples `[n, ...]`, as their edge takes them.
            batch_size: Examples at once.
        """
        return {"logits": self.classifier(self.encoded(x)[0], training=False)}
