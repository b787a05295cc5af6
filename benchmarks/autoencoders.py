"""What `fit` costs over bare TensorFlow, and the closed form over the Jacobian, in one run.

  python benchmarks/autoencoders.py            less than a minute on two CPU cores
  python benchmarks/autoencoders.py --quick    fewer steps

Ways are measured in turns, so that a change of the machine's speed hits both alike, and with
callbacks while `fit` runs, for its start and its end are no steps. Images are noise, which does
not change the cost.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from cyclegan_step import in_turns

from keras_gen.autoencoders import Autoencoder, ContractiveAutoencoder
from keras_gen.data import Source
from keras_gen.networks import (
    conv_decoder,
    conv_encoder,
    mlp_decoder,
    mlp_encoder,
    one_layer_networks,
)

BATCH = 100
SHAPE = (28, 28, 1)


def deep_networks():
    """784-1000-500-250-30 and back (Hinton, Salakhutdinov 2006)."""
    hidden = (1000, 500, 250)
    return (
        mlp_encoder(SHAPE, 30, hidden, "relu"),
        mlp_decoder(SHAPE, 30, hidden[::-1], "relu"),
    )


def conv_networks():
    """Two convolutions of stride 2, 32 codes, and back."""
    return conv_encoder(SHAPE, 32), conv_decoder(SHAPE, 32)


def images(count=2000):
    """A source of noise, uint8 `[count, 28, 28, 1]`."""
    return Source(np.random.default_rng(0).integers(0, 256, (count, *SHAPE), "uint8"))


def bare_step(encoder, decoder):
    """Forwards, backwards and update of the same networks, and nothing else."""
    variables = encoder.trainable_variables + decoder.trainable_variables
    optimizer = keras.optimizers.Adam()
    optimizer.build(variables)

    @tf.function(autograph=False)
    def step(batch):
        x = tf.cast(batch, tf.float32) / 255
        with tf.GradientTape() as tape:
            logits = decoder(encoder(x, training=True), training=True)
            nats = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)
            loss = tf.reduce_mean(tf.reduce_sum(nats, axis=(1, 2, 3)))
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    return step


class InTurns(keras.callbacks.Callback):
    """Times `chunk` steps of `fit`, then as many bare ones, and so on."""

    def __init__(self, bare, chunk):
        super().__init__()
        self.bare, self.chunk = bare, chunk
        self.seconds = {"fit": [], "bare": []}

    def on_train_batch_begin(self, batch, logs=None):
        if batch % self.chunk == 0:
            self.began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % self.chunk:
            return
        float(logs["loss"])  # the device may still be at it
        middle = time.perf_counter()
        for _ in range(self.chunk):
            loss = self.bare()
        float(loss)
        self.seconds["fit"].append(middle - self.began)
        self.seconds["bare"].append(time.perf_counter() - middle)


def compare_steps(name, build, rounds, chunk=20):
    """Prints images per second of `fit` and of the bare step on the same batches."""
    model = Autoencoder(*build())
    model.compile()
    step, batches = bare_step(*build()), iter(images().stream(BATCH, seed=1))
    watch = InTurns(lambda: step(next(batches)), chunk)
    steps = (rounds + 1) * chunk
    model.fit(images().stream(BATCH), steps_per_epoch=steps, verbose=0, callbacks=[watch])
    # The first round compiles.
    rates = {k: BATCH * chunk / statistics.median(v[1:]) for k, v in watch.seconds.items()}
    print(
        f"{name}: fit {rates['fit']:.0f} images/s, bare {rates['bare']:.0f}; "
        f"fit/bare {rates['fit'] / rates['bare']:.2f}",
        flush=True,
    )


def compare_penalties(rounds):
    """Prints the time of a contractive step by either exact method."""
    x = tf.random.uniform([BATCH, *SHAPE])
    steps = {}
    for method in ("closed_form", "jacobian"):
        model = ContractiveAutoencoder(*one_layer_networks(SHAPE, 1000), method=method)
        model.compile()
        graph = tf.function(model.train_step, autograph=False)
        steps[method] = lambda graph=graph: float(graph(x)["loss"])
    seconds = in_turns(steps, rounds)
    print(
        f"contractive step, 1,000 codes: closed form {seconds['closed_form'] * 1e3:.0f} ms, "
        f"Jacobian {seconds['jacobian'] * 1e3:.0f} ms; "
        f"Jacobian/closed form {seconds['jacobian'] / seconds['closed_form']:.1f}"
    )


def main():
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer steps")
    rounds = 3 if parser.parse_args().quick else 15
    print(f"Autoencoders of {SHAPE} images, batch {BATCH}, {os.cpu_count()} cores")
    compare_steps("784-1000-500-250-30", deep_networks, rounds)
    compare_steps("convolutional", conv_networks, rounds)
    compare_penalties(rounds=min(rounds, 5))


if __name__ == "__main__":
    main()
