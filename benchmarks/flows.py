"""Compares training steps of flows with bare TensorFlow, and measures sampling time and memory.

  python benchmarks/flows.py            about five minutes on two CPU cores
  python benchmarks/flows.py --quick    fewer steps

The bare step consists of the forward pass, the backward pass, and the Keras Adam optimizer for the
same network, without the checks, the stateless seeds, and the reports of `fit`. PyTorch comes from
a separate environment, if there is one; see pytorch.py, which contains Glow. All variants are
measured alternately in a single run.
"""

import argparse
import math
import os
import resource
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytorch
import tensorflow as tf
from turns import SHAPE, fit_in_turns

from keras_gen.flows import Flow
from keras_gen.networks import glow, real_nvp

BATCH = 32
LEVELS = 256
FLOWS = {
    "glow": lambda: glow(SHAPE, scales=2, steps=4, filters=32),
    "glow, LU": lambda: glow(SHAPE, scales=2, steps=4, filters=32, lu=True),
    "real nvp": lambda: real_nvp(SHAPE, scales=2, blocks=1, filters=8),
}


def bare_step(model):
    """Returns a bare step of a flow: forward pass, backward pass, and the Keras Adam optimizer.

    Returns:
        Function that maps a batch, as returned by the source, to the loss.
    """
    flow = model.flow
    variables = flow.trainable_variables
    optimizer = keras.optimizers.Adam()
    optimizer.build(variables)

    @tf.function(autograph=False)
    def step(batch):
        x = (tf.cast(batch, tf.float32) + tf.random.uniform(tf.shape(batch))) / LEVELS
        with tf.GradientTape() as tape:
            latents, log_det, _ = flow(x, training=True)
            squares = tf.reduce_sum(tf.square(latents), axis=1)
            nats = 0.5 * (squares + latents.shape[1] * math.log(2 * math.pi)) - log_det
            loss = tf.reduce_mean(nats)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    return step


def compare(name, rounds, in_torch):
    """Prints the milliseconds per step of `fit`, and its ratios to the other variants."""
    took = fit_in_turns(
        lambda: Flow(FLOWS[name](), levels=LEVELS),
        BATCH,
        rounds,
        chunk=10,
        others={"PyTorch": in_torch[name]} if name in in_torch else None,
        bare=bare_step,
    )
    fit = took.pop("fit")
    ratios = "; ".join(
        f"time ratio {way}/fit {seconds / fit:.2f}" for way, seconds in took.items()
    )
    print(f"{name}: fit {fit * 1e3:.1f} ms per step of {BATCH} images; {ratios}", flush=True)


def memory(name):
    """Prints the peak memory after training steps of one flow, and the milliseconds per sample."""
    model = Flow(FLOWS[name](), levels=LEVELS)
    model.compile()
    images = model.sample(BATCH, seed=0, batch_size=BATCH)
    began = time.perf_counter()
    model.sample(BATCH, seed=0, batch_size=BATCH)
    per_image = (time.perf_counter() - began) / BATCH
    model.fit(images, batch_size=BATCH, epochs=3, verbose=0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{name}: {per_image * 1e3:.2f} ms per sample, peak memory {peak:.2f} GiB", flush=True)


def main():
    """Prints the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="run fewer steps")
    parser.add_argument(
        "--memory", choices=FLOWS, help="measure only this flow's sampling time and peak memory"
    )
    told = parser.parse_args()
    if told.memory:
        memory(told.memory)
        return
    print(f"Flows for {SHAPE} images, batch {BATCH}, {os.cpu_count()} cores")
    with pytorch.steps("glow") as in_torch:
        for name in FLOWS:
            compare(name, 2 if told.quick else 9, in_torch)
    for name in FLOWS:
        # A process of its own, so that its peak of memory is its own too.
        subprocess.run([sys.executable, __file__, "--memory", name], check=True)


if __name__ == "__main__":
    main()
