"""Compares `fit` with bare TensorFlow, and the contractive penalty's closed form with the Jacobian.

  python benchmarks/autoencoders.py            less than a minute on two CPU cores
  python benchmarks/autoencoders.py --quick    fewer steps

Variants are measured alternately while `fit` runs, because its start and its end are not steps.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from turns import SHAPE, fit_in_turns, in_turns

from keras_gen.autoencoders import Autoencoder, ContractiveAutoencoder
from keras_gen.networks import (
    conv_decoder,
    conv_encoder,
    mlp_decoder,
    mlp_encoder,
    one_layer_networks,
)

BATCH = 100


def deep_networks():
    """Builds 784-1000-500-250-30 and its mirror image (Hinton, Salakhutdinov 2006)."""
    hidden = (1000, 500, 250)
    return (
        mlp_encoder(SHAPE, 30, hidden, "relu"),
        mlp_decoder(SHAPE, 30, hidden[::-1], "relu"),
    )


def conv_networks():
    """Builds two convolutions with stride 2, a 32-dimensional code, and the mirror image."""
    return conv_encoder(SHAPE, 32), conv_decoder(SHAPE, 32)


def compare_steps(name, build, rounds):
    """Prints the images per second of `fit` and of the bare step on the same batches."""
    took = fit_in_turns(lambda: Autoencoder(*build()), BATCH, rounds, chunk=20)
    print(
        f"{name}: fit {BATCH / took['fit']:.0f} images/s, bare {BATCH / took['bare']:.0f}; "
        f"throughput ratio fit/bare {took['bare'] / took['fit']:.2f}",
        flush=True,
    )


def compare_penalties(rounds):
    """Prints the time of a contractive step for both exact methods."""
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
        f"time ratio Jacobian/closed form {seconds['jacobian'] / seconds['closed_form']:.1f}"
    )


def main():
    """Prints the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="run fewer steps")
    rounds = 3 if parser.parse_args().quick else 15
    print(f"Autoencoders for {SHAPE} images, batch {BATCH}, {os.cpu_count()} cores")
    compare_steps("784-1000-500-250-30", deep_networks, rounds)
    compare_steps("convolutional", conv_networks, rounds)
    compare_penalties(rounds=min(rounds, 5))


if __name__ == "__main__":
    main()
