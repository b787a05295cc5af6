"""An encoder and a classifier trained on labels, alone or with an additional method."""

from typing import cast

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.core.capabilities import capability
from keras_gen.core.kinds_of_data import Images, Labels, Vectors
from keras_gen.core.model import GenerativeModel
from keras_gen.declared import network
from keras_gen.keras_internals import untrack
from keras_gen.losses.classification import label_cross_entropy
from keras_gen.networks import lenet, split_head


def set_label_edges(model: keras.Model, classes: int) -> None:
    """Adds the edge for labels, which may be unknown (-1) during training."""
    model.edges["labels"] = Labels(classes)
    model.training_edges["labels"] = Labels(classes, unknown=True)


@capability
def classify(self, x: tf.Tensor, **given):
    """Returns the class logits, float32 `[n, classes]`."""
    # This function becomes a method of models whose `logits` accept prepared examples.
    return {"logits": self.logits(x, **given)}


@keras.saving.register_keras_serializable("keras_gen")
class Classifier(GenerativeModel):
    """An encoder and a classifier of the encoder's features, trained on labels.

    LeCun, Bottou, Bengio, Haffner: "Gradient-Based Learning Applied to Document Recognition",
    Proceedings of the IEEE 1998; the loss is cross-entropy, as is common today. This model, trained
    on one domain and on clean examples, is the baseline for other methods. These methods start from
    it and add loss terms (`terms`) or networks.

    `fit(images, labels)` accepts integer labels; -1 marks an example without a label, which does
    not contribute to the loss. `accuracy` is computed on labeled examples.

    Args:
        encoder: Network that maps examples, images in [0, 1] or vectors, to features
            `[batch, features]`.
        classifier: Network that maps features to logits `[batch, classes]`. If None, the encoder is
            a complete classifier, which is split before its last dense layer.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If the networks do not match, or if a complete classifier does not end with a
            dense layer that returns logits.

    Example:
    ```python
    model = Classifier.for_images((28, 28, 1), classes=10, filters=4, hidden=16)
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, np.arange(8), batch_size=4)
    logits = model.classify(digits)
    features = model.features(digits)
    ```
    """

    batch = cast(tuple[str, ...], ("x", "labels"))
    default_signature = "classify"
    predicts = "classify"

    encoder: keras.Model = network("x -> features")
    classifier: keras.Model = network("features -> logits", default=None)

    # The loss --------------------------------------------------------------------------------

    @override
    def terms(self, batch):
        return label_terms(batch["labels"], self.logits(batch["x"]))

    def features_of(self, x) -> tf.Tensor:
        """Returns the features of prepared examples as float32."""
        return tf.cast(self.encoder(x, training=self.training), tf.float32)

    def logits_of(self, features) -> tf.Tensor:
        """Returns the class logits for features, float32 `[batch, classes]`."""
        return tf.cast(self.classifier(features, training=self.training), tf.float32)

    def logits(self, x) -> tf.Tensor:
        """Returns the class logits for prepared examples, float32 `[batch, classes]`."""
        return self.logits_of(self.features_of(x))

    @override
    def loss_weights(self) -> dict:
        return {"classification": 1.0, "accuracy": None}

    # Use -------------------------------------------------------------------------------------

    classify = classify

    @override
    def call(self, x, training=False):
        """Returns the class logits for examples that the edge has prepared."""
        return self.logits(x)

    @capability
    def features(self, x):
        """Returns the features of examples, float32 `[n, features]`."""
        return {"features": self.features_of(x)}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        if self.classifier is None:
            whole = self.encoder
            self.encoder, self.classifier = split_head(whole)
            untrack(self, whole)
        set_label_edges(self, self.classifier.output_shape[-1])
        self.edges["x"] = edge_of_examples(self.encoder.input_shape[1:])

    @classmethod
    @checked_arguments(square=True)
    def for_images(
        cls, shape: tuple, classes: int = 10, filters: int = 20, hidden: int = 500, **kwargs
    ):
        """Builds the model with the networks in `keras_gen.networks.classifier`.

        Args:
            shape: `(height, width, channels)` of the images, with sides of at least 16 pixels.
            classes: Number of classes.
            filters: Number of channels in the first convolution.
            hidden: Number of features.
            **kwargs: Additional arguments for the class.
        """
        return cls(*lenet(shape, classes, filters, hidden), **kwargs)


def edge_of_examples(shape: tuple, prefix: str = "") -> Images | Vectors:
    """Returns the edge for images in [0, 1] or for vectors; `prefix` precedes the edge's name."""
    if len(shape) == 3:
        return Images(shape, 0.0, 1.0, f"{prefix}images")
    return Vectors(shape, f"{prefix}vectors")


def label_terms(labels, logits) -> dict:
    """Returns each example's cross-entropy (0 without a label), and whether its label is predicted.

    Args:
        labels: Labels, int32 `[batch]`; -1 marks an example without a label.
        logits: Logits, float32 `[batch, classes]`.
    """
    right = tf.argmax(logits, axis=-1, output_type=tf.int32) == labels
    return {
        "classification": label_cross_entropy(labels, logits),
        "accuracy": tf.cast(tf.boolean_mask(right, labels >= 0), tf.float32),
    }
