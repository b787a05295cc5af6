"""Compares training steps and sampling of diffusion models with bare TensorFlow and PyTorch.

  python benchmarks/diffusion.py            about ten minutes on two CPU cores
  python benchmarks/diffusion.py --quick    fewer steps

Training steps are compared with bare TensorFlow (the forward pass, the backward pass, and the Keras
Adam optimizer for the same model) and, for DDPM, with PyTorch. Sampling with
20 DDIM steps is compared with a plain Python loop that calls the network, and with PyTorch. PyTorch
comes from a separate environment, if there is one; see pytorch.py. Finally, training steps and
sampling of DDPM are measured with convolutions in bfloat16, and training steps also with XLA. All
variants are measured alternately in a single run.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytorch
import tensorflow as tf
from turns import SHAPE, fit_in_turns, images, in_turns

from keras_gen.diffusion import DDPM, EDM, FlowMatching
from keras_gen.networks import time_unet

BATCH = 64
STEPS = 20  # of a sample
FIT_STEPS = 5  # of each turn of a fit without others between
MODELS = {
    "ddpm": DDPM.for_images,
    "edm": EDM.for_images,
    "flow matching": FlowMatching.for_images,
    "flow matching, paired": lambda shape: FlowMatching.for_images(shape, pairing="optimal"),
}


def training(name, rounds, in_torch):
    """Prints the milliseconds per step of `fit`, and its ratios to the other variants."""
    took = fit_in_turns(
        lambda: MODELS[name](SHAPE),
        BATCH,
        rounds,
        chunk=5,
        others={"PyTorch": in_torch[name]} if name in in_torch else None,
    )
    fit = took.pop("fit")
    ratios = "; ".join(
        f"time ratio fit/{way} {fit / seconds:.2f}" for way, seconds in took.items()
    )
    print(f"{name}: fit {fit * 1e3:.0f} ms per step of {BATCH} images; {ratios}", flush=True)


def samples(rounds, in_torch):
    """Prints the milliseconds per sample of DDPM, and its ratios to the other variants."""
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
    ratios = "; ".join(
        f"time ratio sample/{way} {ours / seconds:.2f}" for way, seconds in took.items()
    )
    print(
        f"ddpm: {ours / BATCH * 1e3:.1f} ms per sample with {STEPS} steps; {ratios}", flush=True
    )


def faster_ways(rounds):
    """Prints the ratios to float32 of DDPM's steps (XLA and bfloat16) and samples (bfloat16)."""
    models = {
        "float32": DDPM(time_unet(SHAPE)),
        "XLA": DDPM(time_unet(SHAPE)),
        "bfloat16": DDPM(in_bfloat16()),
    }
    stream = images().stream(BATCH, seed=1)
    for name, model in models.items():
        model.compile(jit_compile=name == "XLA")
    steps = {
        name: lambda model=model: model.fit(stream, steps_per_epoch=FIT_STEPS, verbose=0)
        for name, model in models.items()
    }
    took = in_turns(steps, rounds)
    for name in ("XLA", "bfloat16"):
        print(
            f"ddpm: step time ratio {name}/float32 {took[name] / took['float32']:.2f}",
            flush=True,
        )
    drawn = {
        name: lambda model=models[name]: model.sample(BATCH, seed=0, steps=STEPS)
        for name in ("float32", "bfloat16")
    }
    took = in_turns(drawn, rounds)
    print(f"ddpm: sampling time ratio bfloat16/float32 {took['bfloat16'] / took['float32']:.2f}")


def in_bfloat16():
    """Returns the network with half precision only in its convolutions."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = time_unet(SHAPE)
    keras.config.set_dtype_policy(before)
    return network


def main():
    """Prints the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="run fewer steps")
    rounds = 3 if parser.parse_args().quick else 9
    print(f"{os.cpu_count()} cores")
    with pytorch.steps("ddpm", "ddpm samples") as in_torch:
        for name in MODELS:
            training(name, rounds, in_torch)
        samples(rounds, in_torch)
    faster_ways(rounds)


if __name__ == "__main__":
    main()
