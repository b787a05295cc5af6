"""The training that the two evaluation classifiers share."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np


def fit_logits(
    model: keras.Model,
    loss: keras.losses.Loss,
    batches: Iterator[tuple[np.ndarray, np.ndarray]],
    steps: int,
    learning_rate: float,
) -> None:
    """Trains the logits of a classifier by AdamW.

    Args:
        model: Returns a dict with "logits".
        loss: Loss of labels and logits.
        batches: Images and labels of each step, in the order of the training.
        steps: Number of batches.
        learning_rate: Rate at the start; it falls to 0 along a cosine.
    """
    trained = keras.Model(model.input, model.output["logits"])
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-3)
    # Compiling by XLA would take longer than it saves.
    trained.compile(optimizer, loss, jit_compile=False)
    # Told their number, Keras runs no step without a batch at the end.
    trained.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)
