"""Labels of models that classify examples: labels for `fit`, and the `classify` capability.

Such a model has `classify = classify` in its body, and returns its `logits`. `fit` also accepts
labels, -1 for an example without one, as in scikit-learn.
"""

import keras
import tensorflow as tf

from keras_gen.core.capabilities import capability
from keras_gen.core.kinds_of_data import Labels


def set_label_edges(model: keras.Model, classes: int) -> None:
    """Adds the edge of labels, which may be unknown (-1) in training."""
    model.edges["labels"] = Labels(classes)
    model.training_edges["labels"] = Labels(classes, unknown=True)


@capability
def classify(self, x: tf.Tensor, **given):
    """Returns the class logits, float32 `[n, classes]`."""
    # A method of models with `logits` of examples that were prepared by the edge.
    return {"logits": self.logits(x, **given)}
