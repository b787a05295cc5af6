"""What training steps and samples of diffusion models cost, as ratios measured in one run.

  python benchmarks/diffusion.py            about five minutes on two CPU cores
  python benchmarks/diffusion.py --quick    fewer steps

Steps stand against bare TensorFlow, which is forwards, backwards and Keras' Adam of the same model,
and, of DDPM, against PyTorch. Samples, in 20 steps of DDIM, stand against bare calls of the network
in a loop of Python, as a program would write it, and against PyTorch's. That comes from an
environment of its own, if there is one: see pytorch.py. Ways are measured in turns.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytorch
import tensorflow as tf
from turns import SHAPE, fit_in_turns, in_turns

from keras_gen.diffusion import DDPM, EDM, FlowMatching

BATCH = 64
STEPS = 20  # of a sample
MODELS = {
    "ddpm": DDPM.for_images,
    "edm": EDM.for_images,
    "flow matching": FlowMatching.for_images,
    "flow matching, paired": lambda shape: FlowMatching.for_images(shape, pairing="optimal"),
}


def training(name, rounds, in_torch):
    """Prints the milliseconds of a step of `fit`, and its ratios to the other ways'."""
    took = fit_in_turns(
        lambda: MODELS[name](SHAPE),
        BATCH,
        rounds,
        chunk=5,
        others={"PyTorch": in_torch[name]} if name in in_torch else None,
    )
    fit = took.pop("fit")
    ratios = "; ".join(f"fit/{way} {fit / seconds:.2f}" for way, seconds in took.items())
    print(f"{name}: fit {fit * 1e3:.0f} ms a step of {BATCH}; {ratios}", flush=True)


def samples(rounds, in_torch):
    """Prints the milliseconds of a sample of DDPM, and the ratios to the other ways'."""
    model = DDPM.for_images(SHAPE)
    network = tf.function(model.network_output, autograph=False)
    path = model.probability_path
    noise = tf.random.normal([BATCH, *SHAPE])

    def bare():
        x = noise
        for step in range(STEPS):
            t, s = (tf.constant(1 - place / STEPS) for place in (step, step + 1))
            predicted = network(x, tf.broadcast_to(t, [BATCH]))
            example = (x - path.sigma(t) * predicted) / path.alpha(t)
            x = path.alpha(s) * example + path.sigma(s) * predicted
        return x.numpy()

    ways = {
        "sample": lambda: model.sample(BATCH, seed=0, steps=STEPS),
        "bare": bare,
    }
    if "ddpm samples" in in_torch:
        ways["PyTorch"] = in_torch["ddpm samples"]
    took = in_turns(ways, rounds)
    ours = took.pop("sample")
    ratios = "; ".join(f"sample/{way} {ours / seconds:.2f}" for way, seconds in took.items())
    print(f"ddpm: {ours / BATCH * 1e3:.1f} ms a sample of {STEPS} steps; {ratios}", flush=True)


def main():
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer steps")
    rounds = 3 if parser.parse_args().quick else 9
    print(f"{os.cpu_count()} cores")
    with pytorch.steps("ddpm", "ddpm samples") as in_torch:
        for name in MODELS:
            training(name, rounds, in_torch)
        samples(rounds, in_torch)


if __name__ == "__main__":
    main()
