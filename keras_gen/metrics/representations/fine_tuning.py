"""How well an encoder initializes a classifier."""

import keras
import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.core import ConstantThenLinear
from keras_gen.metrics.metric_arguments import as_classes
from keras_gen.networks import classifier_on

Labeled = tuple[np.ndarray, np.ndarray]


@checked_types
def fine_tuned_error(
    encoder: keras.Model,
    train: Labeled,
    validation: Labeled,
    test: Labeled,
    batch_size: int = 100,
    epochs: int = 30,
    learning_rate: float = 3e-3,
    seed: int = 0,
) -> dict[str, float]:
    """Test error of a classifier initialized by an encoder, at its best epoch by validation.

    A linear layer is put on a copy of the encoder, and both are trained by Adam, with a rate that
    is constant in the first half and then falls linearly to zero.

    Args:
        encoder: Maps float images in [0, 1] to features `[batch, ...]`.
        train: uint8 images `[n, H, W, channels]` and integer labels `[n]`, from 0 on.
        validation: Likewise; its accuracy chooses the epoch.
        test: Likewise.
        batch_size: Images of a step.
        epochs: Passes over the training images.
        learning_rate: Rate in the first half.
        seed: Seed of the new layer and of the order.

    Returns:
        "test_error" in percent, and "epoch", the chosen one, from 1.

    Example: `fine_tuned_error(model.encoder, train, validation, test)["test_error"]`.
    """
    parts = dict(train=train, validation=validation, test=test)
    labels = [as_classes(y, f"labels of {name}", len(x)) for name, (x, y) in parts.items()]
    classes = max(int(each.max()) for each in labels) + 1
    keras.utils.set_random_seed(seed)
    network = classifier_on(encoder, classes)
    steps = epochs * -(-len(train[0]) // batch_size)
    rate = ConstantThenLinear.in_halves(learning_rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    best = keras.callbacks.EarlyStopping(
        "val_accuracy", mode="max", patience=epochs, restore_best_weights=True
    )
    network.fit(
        *train, batch_size, epochs, verbose=0, callbacks=[best], validation_data=validation
    )
    accuracy = network.evaluate(*test, verbose=0)[1]
    return {"test_error": 100 * (1 - accuracy), "epoch": best.best_epoch + 1}
