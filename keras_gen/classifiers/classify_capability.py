"""What models that classify examples share: a classifier, and labels, some of them unknown.

Such a model says `classify = classify` in its body, and returns its `logits`. `fit` takes labels
too, -1 for an example without one, as scikit-learn does.
"""

import keras
import tensorflow as tf

from keras_gen.core.capabilities import capability
from keras_gen.core.checks.networks import require_built, require_logits
from keras_gen.core.kinds_of_data import Labels


def set_classifier(
    model: keras.Model, classifier: keras.Model, shape: tuple[int, ...], what: str
) -> None:
    """Sets a network that ends with logits `[batch, classes]`, and adds the labels' edge.

    Args:
        model: A `GenerativeModel`.
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
    model.classifier = classifier
    set_label_edges(model, classifier.output_shape[-1])


def set_label_edges(model: keras.Model, classes: int) -> None:
    """Adds the edge of labels, which may be unknown, -1, in training."""
    model.edges["labels"] = Labels(classes)
    model.training_edges["labels"] = Labels(classes, unknown=True)


@capability
def classify(self, x: tf.Tensor, **given):
    """Returns the logits of the classes, float32 `[n, classes]`."""
    # Of models with `logits` of examples that went through the edge: they have this as their
    # method.
    return {"logits": self.logits(x, **given)}
