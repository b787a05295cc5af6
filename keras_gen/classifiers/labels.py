"""Labels for models that classify: labels in `fit`, and the `classify` capability.

Such a model assigns `classify = classify` in its class body, and defines `logits`. Its `fit` also
accepts labels; as in scikit-learn, -1 marks an example without a label.
"""

import keras
import tensorflow as tf

from keras_gen.core.capabilities import capability
from keras_gen.core.kinds_of_data import Labels


def set_label_edges(model: keras.Model, classes: int) -> None:
    """Adds the edge for labels, which may be unknown (-1) during training."""
    model.edges["labels"] = Labels(classes)
    model.training_edges["labels"] = Labels(classes, unknown=True)


@capability
def classify(self, x: tf.Tensor, **given):
    """Returns the class logits, float32 `[n, classes]`."""
    # This function becomes a method of models whose `logits` accept prepared examples.
    return {"logits": self.logits(x, **given)}
