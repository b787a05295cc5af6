"""What caching saves when a PixelCNN draws images, as ratios that are measured in one run.

  python benchmarks/autoregressive_sampling.py            about two minutes on two CPU cores
  python benchmarks/autoregressive_sampling.py --quick    smaller images

The same noise is drawn from by a whole pass for each value, as textbooks do, and by one pixel of
every layer for each value, as a graph and compiled by XLA; in turns, so that a change of the
machine's speed hits all alike. Compiling is not counted. All must draw the same images.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from cyclegan_step import in_turns

from keras_gen.autoregressive.sampling import draw_category, sample_causal
from keras_gen.networks.pixel_cnn import pixel_cnn

BATCH, FILTERS, BLOCKS = 16, 32, 5


def samplers(network):
    """Three ways to draw from a network, by name."""

    def sampler(jit_compile=False, **options):
        @tf.function(autograph=False, jit_compile=jit_compile)
        def sample(noise):
            return sample_causal(network, draw_category, noise, **options)

        return sample

    # XLA makes whole passes of small convolutions slower on a CPU.
    return {
        "whole": sampler(cached=False),
        "cached": sampler(),
        "cached, XLA": sampler(jit_compile=True),
    }


def main():
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller images")
    side = 14 if parser.parse_args().quick else 28
    print(
        f"PixelCNN, {side}x{side}x1, {BLOCKS} blocks of {FILTERS} filters, 256 levels, {BATCH} "
        f"images, {os.cpu_count()} cores"
    )
    keras.utils.set_random_seed(0)
    shape = (side, side, 1)
    noise = tf.random.uniform([BATCH, *shape])
    images = {}

    def drawing(name, sample):
        def draw():
            images[name] = sample(noise).numpy()

        return draw

    network = pixel_cnn(shape, filters=FILTERS, blocks=BLOCKS)
    ways = {name: drawing(name, sample) for name, sample in samplers(network).items()}
    seconds = in_turns(ways, rounds=3)
    print(
        f"cached: {seconds['cached']:.2f} s, by XLA {seconds['cached, XLA']:.2f} s; "
        f"whole passes {seconds['whole']:.1f} s"
    )
    for name in ("cached", "cached, XLA"):
        same = (images[name] == images["whole"]).all(axis=(1, 2, 3)).mean()
        print(
            f"whole/{name}: {seconds['whole'] / seconds[name]:.1f}; "
            f"fraction of images that are the same: {same:.2f}"
        )


if __name__ == "__main__":
    main()
