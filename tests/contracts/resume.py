"""Trains tiny models unbroken, and on from what they left half way: equal bit for bit.

Arguments of the script: variant, folder for checkpoints, name of the model's class. It is run in a
process of its own, because determinism cannot be turned off again. Another model resumes, with
other initial weights. Variants: `plain`; `float16`, with its loss scale; `dropout`, with a random
layer of Keras' in the first network.
"""

import shutil
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from all_tiny import TINY
from keras_gen.core import TrainingState
from keras_gen.data import Source
from tiny import BATCH, difference, fresh_names, optimizers, players, prepared, state

EPOCHS, STEPS = 4, 2
FIRST_SCALE = 2.0**40  # At which gradients overflow, so that the scale moves.


def build(name, variant, seed):
    """A model whose initial weights depend on `seed`, as in a process of its own."""
    fresh_names()
    keras.utils.set_random_seed(seed)
    model = TINY[name].build(3)
    if variant == "dropout":
        first, network = next(iter(model.networks.items()))
        inputs = keras.Input(network.input_shape[1:])
        noised = keras.Model(inputs, network(keras.layers.Dropout(0.5)(inputs)))
        arguments = {n: getattr(model, n) for n in model.arguments()}
        model = type(model)(**arguments | {first: noised})
    each = optimizers(model)
    if variant == "float16":
        scaled = keras.optimizers.LossScaleOptimizer
        each = {n: scaled(o, initial_scale=FIRST_SCALE) for n, o in each.items()}
    model.compile(**each)
    return model


def stream(arrays, start):
    """An infinite dataset that begins after `start` batches."""
    source = Source(arrays if len(arrays) > 1 else arrays[0])
    return source.stream(BATCH, seed=5, start=start)


def train(model, arrays, folder, halfway=None):
    """Trains to the end, going on from what the folder holds; may copy what it held half way."""
    # Counts epochs without progress, keeps the best weights, and puts them back at the end.
    counter = keras.callbacks.EarlyStopping(
        model.loss_names[0], patience=50, mode="max", restore_best_weights=True
    )
    checkpoints = TrainingState(folder, config={"name": model.name}, callbacks=[counter])
    last = []

    def record(epoch, logs):
        last.append((epoch, state(model)))
        if halfway and epoch == EPOCHS // 2:  # as a training that ended before this epoch leaves it
            shutil.copytree(folder, halfway)

    after = keras.callbacks.LambdaCallback(on_epoch_end=record)
    history = model.fit(
        stream(arrays, checkpoints.epoch * STEPS), epochs=EPOCHS, steps_per_epoch=STEPS,
        initial_epoch=checkpoints.epoch, callbacks=[counter, after, checkpoints], verbose=0,
        validation_data=stream(arrays, 0), validation_steps=1,
    )  # fmt: skip
    assert last[-1][0] == EPOCHS - 1
    return last, history, counter


def resumes(model, name, folder, resuming=None):
    """Checks that another model, or the trained one itself, resumes what the model has left."""
    whole, half = folder / "whole", folder / "half"
    arrays = prepared(model, 13)
    unbroken, history, counter = train(model, arrays, whole, halfway=half)
    resumed, later, counter_later = train(resuming or model, arrays, half)

    assert [epoch for epoch, _ in resumed] == [2, 3]
    assert difference(model, unbroken[0][1], unbroken[-1][1]), "nothing was trained"
    for (_, one), (_, other) in zip(unbroken[2:], resumed, strict=True):
        off = difference(model, one, other)
        assert off == {}, off
    assert history.history == later.history and history.epoch == later.epoch == [0, 1, 2, 3]
    evaluated = {f"val_{each}" for each in TINY[name].evaluated or model.loss_names}
    rates = {player.replace("optimizer", "learning_rate") for player in model.players()}
    logged = set(history.history) - {"learning_rate"}
    assert logged == {*model.loss_names, *evaluated, *rates} - {"learning_rate"}
    for attribute in ("wait", "best", "best_epoch", "stopped_epoch", "patience"):
        assert getattr(counter, attribute) == getattr(counter_later, attribute), attribute
    for one, other in zip(counter.best_weights, counter_later.best_weights, strict=True):
        np.testing.assert_array_equal(one, other)


def check(name, variant, folder):
    model = build(name, variant, seed=0)
    resumes(model, name, folder, resuming=build(name, variant, seed=99))
    if variant == "float16":
        scales = [getattr(model, player).dynamic_scale.numpy() for player in players(model)]
        assert all(scale < FIRST_SCALE for scale in scales), scales
    if variant == "dropout":
        paths = [v.path for v in model.training_variables()]
        assert any("seed_generator_state" in path for path in paths), paths


def twice(check, folder):
    """Rarely TensorFlow rounds a sum otherwise. What is wrong in resuming is wrong twice."""
    try:
        check(folder)
    except AssertionError as error:
        print("once more, after", error, flush=True)
        check(folder.with_name(f"{folder.name}_once_more"))


if __name__ == "__main__":
    kind, root, each = sys.argv[1:]
    tf.config.experimental.enable_op_determinism()
    keras.config.set_dtype_policy("mixed_float16" if kind == "float16" else "float32")
    twice(lambda folder: check(each, kind, folder), Path(root, each))
