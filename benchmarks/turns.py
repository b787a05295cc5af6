"""Measures variants alternately, so that changes in the machine's speed affect all equally."""

import statistics
import time

import keras
import numpy as np
import tensorflow as tf

from keras_gen.core import training_step
from keras_gen.data import Source

SHAPE = (28, 28, 1)


def images(count=2000, shape=SHAPE):
    """Returns a source of noise, uint8 `[count, *shape]`, which costs as much as images."""
    return Source(np.random.default_rng(0).integers(0, 256, (count, *shape), "uint8"))


def in_turns(functions: dict, rounds: int = 9) -> dict:
    """Returns the median seconds of each function; they are called alternately, `rounds` times."""
    for function in functions.values():
        function()
    times = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            function()  # brings caches and threads back
            began = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in times.items()}


def bare_step(model):
    """Returns a bare step: forward pass, backward pass, and the Keras Adam optimizer of a model.

    Returns:
        Function that maps a batch, as returned by the source, to the loss.
    """
    variables = model.trainable_variables
    optimizer = keras.optimizers.Adam()
    optimizer.build(variables)

    @tf.function(autograph=False)
    def step(batch):
        with training_step(model), tf.GradientTape() as tape:
            terms = model.terms({"x": model.prepare(batch)})
            loss = tf.reduce_mean(model.weighted(terms))
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    return step


class InTurns(keras.callbacks.Callback):
    """Alternately times `chunk` steps of `fit` and the same number of steps of each other variant.

    Args:
        others: Functions by name that accept a number of steps, and return when the steps are done.
        chunk: Number of steps per turn, a multiple of the number of steps per execution.
    """

    def __init__(self, others: dict, chunk: int):
        super().__init__()
        self.others, self.chunk = others, chunk
        self.seconds: dict = {name: [] for name in ("fit", *others)}
        self.done = 0

    def on_train_begin(self, logs=None):
        """Starts the first turn, which includes compilation and is not counted."""
        self.began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        """Ends a turn of `fit`, and runs the turns of the other variants."""
        if (batch + 1) % self.chunk:
            return
        float(next(iter(logs.values())))  # the device may still be at it
        self.seconds["fit"].append(time.perf_counter() - self.began)
        for name, run in self.others.items():
            began = time.perf_counter()
            run(self.chunk)
            self.seconds[name].append(time.perf_counter() - began)
        self.began = time.perf_counter()

    def per_step(self) -> dict:
        """Returns the median seconds per step of each variant."""
        return {k: statistics.median(v[1:]) / self.chunk for k, v in self.seconds.items()}


def fit_in_turns(
    build,
    batch,
    rounds,
    chunk,
    others=None,
    per_execution=1,
    shape=SHAPE,
    bare=bare_step,
    source=None,
) -> dict:
    """Returns the seconds per step of `fit`, of the bare step, and of other variants.

    Args:
        build: Function that returns a new image model.
        batch: Number of images per step.
        rounds: Number of turns.
        chunk: Number of steps per turn.
        others: Additional variants; see `InTurns`.
        per_execution: Number of steps per TensorFlow call.
        shape: Shape of the images.
        bare: Function that maps a new model to its bare step.
        source: Training examples. If None, noise of the given shape.

    Returns:
        Seconds by variant: `fit`, `bare`, and the names in `others`.
    """
    source = source or images(shape=shape)
    model, step = build(), bare(build())
    model.compile(steps_per_execution=per_execution)
    batches = iter(source.stream(batch, seed=1))

    def run_bare(count):
        for _ in range(count):
            loss = step(next(batches))
        float(loss)

    watch = InTurns({"bare": run_bare, **(others or {})}, chunk)
    steps = (rounds + 1) * chunk
    stream = source.stream(batch)
    model.fit(stream, steps_per_epoch=steps, verbose=0, callbacks=[watch])
    return watch.per_step()
