"""What models share that know classes of examples: a classifier, random classes."""

from typing import Any

import tensorflow as tf

from keras_gen.bases.edges import Edge, Labels
from keras_gen.training import capability, require_built


class Classifying:
    """Mix-in of models that classify examples; only a few need a label.

    `fit` takes labels too, -1 for an example without one, as scikit-learn does.
    """

    batch: tuple[str, ...] = ("x", "labels")
    edges: dict[str, Edge]
    training_edges: dict[str, Edge]
    classifier: Any

    def set_classifier(self, classifier, shape, what: str) -> None:
        """Sets a network that ends with logits `[batch, classes]`, and names the labels' edge.

        Args:
            classifier: The network.
            shape: Of what it takes of an example.
            what: What that is, for the error.

        Raises:
            ValueError: If it takes another shape.
        """
        require_built(classifier)
        if classifier.input_shape[1:] != tuple(shape):
            raise ValueError(
                f"The classifier takes {classifier.input_shape[1:]} and the {what} have shape "
                f"{tuple(shape)}: they must agree."
            )
        self.classifier = classifier
        self.set_label_edges(classifier.output_shape[-1])

    def set_label_edges(self, classes: int) -> None:
        """Names the edge of labels, which in training may be unknown, -1."""
        self.edges["labels"] = Labels(classes)
        self.training_edges["labels"] = Labels(classes, unknown=True)

    def logits(self, x, training: bool = False) -> tf.Tensor:
        """Returns the logits of the classes of examples, float32 `[batch, classes]`."""
        return tf.cast(self.classifier(x, training=training), tf.float32)

    @capability
    def classify(self, x):
        """Returns the logits of the classes, float32 `[n, classes]`.

        Args:
            x: Examples `[n, ...]`, as their edge takes them.
            batch_size: Examples at once.
        """
        return {"logits": self.logits(x)}
