"""Measures the speedup from cached sampling in autoregressive models.

  python benchmarks/sampling.py            about ten minutes on two CPU cores
  python benchmarks/sampling.py --quick    smaller images and shorter sounds

Values are sampled with the same noise in several ways: with a full pass for each value, as in
textbooks, and with one position of every layer for each value, as a graph and compiled with XLA.
All variants are measured alternately, so that changes in the machine's speed affect them equally.
Compilation is not counted. Because full passes of sounds take so long, only a few are timed. All
variants must generate the same images. The last table shows how the time grows with the length of a
sound. PyTorch's full passes come from a separate environment, if there is one; see pytorch.py.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytorch
import tensorflow as tf
from turns import in_turns

from keras_gen.autoregressive import sample_causal
from keras_gen.losses import Bernoulli, Categorical
from keras_gen.networks import gated_pixel_cnn, pixel_cnn, wavenet

BATCH = 16
PIXEL_CNN = "PixelCNN, 256 levels"
PASSES = 3  # full passes of a sound that are timed


def sampler(network, likelihood, jit_compile=False, **options):
    """Returns a compiled function that maps noise to values sampled from the likelihood."""

    def draw(parameters, uniform):
        return likelihood.draw(parameters, uniform[:, None, None])[:, 0]

    @tf.function(autograph=False, jit_compile=jit_compile)
    def sample(noise):
        return sample_causal(network, draw, noise, **options)

    return sample


def images(side, in_torch):
    """Prints the ratios for two image networks."""
    shape = (side, side, 1)
    networks = {
        PIXEL_CNN: (pixel_cnn(shape), Categorical(256)),
        "Gated PixelCNN, binary": (gated_pixel_cnn(shape, 1, kernel=3, levels=2), Bernoulli()),
    }
    noise = tf.random.uniform([BATCH, *shape])
    for name, (network, likelihood) in networks.items():
        ways = {
            "whole": sampler(network, likelihood, cached=False),
            "cached": sampler(network, likelihood),
            "XLA": sampler(network, likelihood, jit_compile=True),
        }
        drawn = {}

        def drawing(way, sample, drawn=drawn):
            def draw():
                drawn[way] = sample(noise).numpy()

            return draw

        functions = {way: drawing(way, each) for way, each in ways.items()}
        if name in in_torch:
            functions["PyTorch"] = in_torch[name]
        seconds = in_turns(functions, rounds=2)
        print(f"{name}, {BATCH} {side}x{side} images, cached: {seconds['cached']:.2f} s")
        for way in ("cached", "XLA"):
            same = (drawn[way] == drawn["whole"]).all(axis=(1, 2, 3)).mean()
            print(
                f"  time ratio full passes/{way}: {seconds['whole'] / seconds[way]:.0f}; "
                f"fraction of identical images: {same:.2f}"
            )
        if "PyTorch" in seconds:
            ratio = seconds["PyTorch"] / seconds["cached"]
            print(f"  time ratio PyTorch's full passes/cached: {ratio:.0f}")


def sounds(lengths):
    """Prints the ratios for WaveNet, for sounds of several lengths."""
    network = wavenet(filters=32, skip_filters=64)
    ways = {
        "cached": sampler(network, Categorical(256)),
        "XLA": sampler(network, Categorical(256), jit_compile=True),
    }
    whole = tf.function(network, autograph=False)
    for length in lengths:
        noise = tf.random.uniform([1, length, 1])
        levels = tf.zeros([1, length, 1])

        def passes(levels=levels):
            for _ in range(PASSES):
                whole(levels).numpy()

        functions = {
            way: lambda each=each, noise=noise: each(noise).numpy() for way, each in ways.items()
        }
        seconds = in_turns(functions | {"passes": passes}, rounds=2)
        all_passes = seconds["passes"] / PASSES * length
        print(f"WaveNet (20 layers), {length} samples, cached: {seconds['cached']:.2f} s")
        for way in ("cached", "XLA"):
            print(f"  time ratio full passes/{way}: {all_passes / seconds[way]:.0f}")


def main():
    """Prints the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="use smaller images and shorter sounds"
    )
    quick = parser.parse_args().quick
    print(f"{os.cpu_count()} cores")
    keras.utils.set_random_seed(0)
    side = 14 if quick else 28
    other = f"pixel cnn {side}"
    with pytorch.steps(other) as in_torch:
        images(side, {PIXEL_CNN: in_torch[other]} if in_torch else {})
    sounds((500, 1000) if quick else (2000, 4000, 8000))


if __name__ == "__main__":
    main()
