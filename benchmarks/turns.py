"""What the benchmarks measure with: ways in turns, so that the machine's speed hits all alike."""

import statistics
import time

import keras
import numpy as np
import tensorflow as tf

from keras_gen.core import training_step
from keras_gen.data import Source

SHAPE = (28, 28, 1)


def images(count=2000, shape=SHAPE):
    """A source of noise, uint8 `[count, *shape]`, which costs what images do."""
    return Source(np.random.default_rng(0).integers(0, 256, (count, *shape), "uint8"))


def in_turns(functions: dict, rounds: int = 9) -> dict:
    """The median seconds of each function, called one after the other, `rounds` times."""
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
    """Forwards, backwards and Keras' Adam of a model's networks, and nothing else.

    Returns:
        Function of a batch as the source gives it that returns the loss.
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
    """Times `chunk` steps of `fit`, then as many of each other way, and so on.

    Args:
        others: Functions of a number of steps, by name, which return when these are done.
        chunk: Steps in a turn; a multiple of those in one execution.
    """

    def __init__(self, others: dict, chunk: int):
        super().__init__()
        self.others, self.chunk = others, chunk
        self.seconds: dict = {name: [] for name in ("fit", *others)}
        self.done = 0

    def on_train_begin(self, logs=None):
        """Starts the first turn, which compiles and is left out."""
        self.began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        """Ends a turn of `fit` and takes those of the others."""
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
        """The median seconds of a step of each way."""
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
    """The seconds of a step of `fit`, of the bare step and of other ways.

    Args:
        build: Function that returns a new model of images.
        batch: Images in a step.
        rounds: Turns.
        chunk: Steps in a turn.
        others: Further ways, as `InTurns` takes them.
        per_execution: Steps in one call of TensorFlow.
        shape: Of the images.
        bare: Function of a new model that returns its bare step.
        source: What is trained on; None: noise of that shape.

    Returns:
        Seconds by way: `fit`, `bare` and the names of the others.
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
