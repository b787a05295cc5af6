"""Mix-in of models that classify examples: a classifier and labels, some of them unknown."""

from typing import Any

import tensorflow as tf

from keras_gen.core.capabilities import capability
from keras_gen.core.checks.step_checks import require_logits
from keras_gen.core.kinds_of_data import Edge, Labels
from keras_gen.core.model import require_built


class Classifying:
    """Mix-in of models that classify examples.

    `fit` takes labels too, -1 for an example without one, as scikit-learn does.
    """

    batch: tuple[str, ...] = ("x", "labels")
    edges: dict[str, Edge]
    training_edges: dict[str, Edge]
    classifier: Any
    training: bool

    def set_classifier(self, classifier, shape, what: str) -> None:
        """Sets a network that ends with logits `[batch, classes]`, and adds the labels' edge.

        Args:
            classifier: The network.
            shape: Shape of its input for one example; another one raises a ValueError.
            what: The input's name in the error.
        """
        require_built(classifier)
        require_logits(classifier)
        if classifier.input_shape[1:] != tuple(shape):
            raise ValueError(
                f"The classifier takes {classifier.input_shape[1:]} and the {what} have shape "
                f"{tuple(shape)}: they must agree."
            )
        self.classifier = classifier
        self.set_label_edges(classifier.output_shape[-1])

    def set_label_edges(self, classes: int) -> None:
        """Adds the edge of labels, which may be unknown, -1, in training."""
        self.edges["labels"] = Labels(classes)
        self.training_edges["labels"] = Labels(classes, unknown=True)

    def logits(self, x) -> tf.Tensor:
        """Returns the logits of the classes of examples, float32 `[batch, classes]`."""
        return tf.cast(self.classifier(x, training=self.training), tf.float32)

    @capability
    def classify(self, x):
        """Returns the logits of the classes, float32 `[n, classes]`."""
        return {"logits": self.logits(x)}
