"""Compares training steps of VAEs with bare TensorFlow and PyTorch, and measures IWAE's memory.

  python benchmarks/vae.py            about three minutes on two CPU cores
  python benchmarks/vae.py --quick    fewer steps

The bare step consists of the forward pass, the backward pass, and the Keras Adam optimizer for the
same model. PyTorch comes from a separate environment, if there is one; see pytorch.py. All variants
are measured alternately in a single run.
"""

import argparse
import os
import resource
import subprocess
import sys
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytorch
from turns import SHAPE, fit_in_turns

from keras_gen.networks import (
    biva_networks,
    conv_decoder,
    conv_encoder,
    mlp_networks,
    residual_decoder,
    residual_encoder,
)
from keras_gen.vae import BIVA, IWAE, VAE, VQVAE

BATCH = pytorch.BATCH
MANY = 100  # steps in one call of TensorFlow


def networks():
    """Builds a 784-200-200-50 VAE with tanh (Burda et al. 2016)."""
    sizes = dict(latent_dim=50, hidden=(200, 200), activation="tanh")
    return mlp_networks(SHAPE, **sizes, heads=("mean", "log_variance"))


def iwae(samples=50):
    """Builds the same networks with an IWAE's bound for the given number of samples."""
    return IWAE(*networks(), samples=samples)


def conv_networks():
    """Builds two convolutions with stride 2, 32 latents, and the mirror image."""
    return conv_encoder(SHAPE, 32, heads=("mean", "log_variance")), conv_decoder(SHAPE, 32)


def vq_networks():
    """Builds strided convolutions with two residual blocks, 64-dimensional codes, and a mirror."""
    sizes = dict(latent_dim=64, filters=64, residual_filters=32)
    return residual_encoder(SHAPE, **sizes), residual_decoder(SHAPE, **sizes)


MODELS = {
    "vae": lambda: VAE(*networks()),
    "iwae": iwae,
    "conv vae": lambda: VAE(*conv_networks()),
    "biva": lambda: BIVA(**biva_networks(SHAPE, [24, 16, 8], 200)),
    "vq-vae": lambda: VQVAE(*vq_networks(), codebook_size=512),
}


def compare(name, steps, rounds, in_torch):
    """Prints the images per second of `fit`, and the ratios to bare steps and to PyTorch."""
    ways = {"PyTorch": in_torch[name]} if name in in_torch else {}
    took = fit_in_turns(MODELS[name], BATCH, rounds, steps, ways, per_execution=steps)
    parts = [f"fit {took['fit'] * 1e3:.2f} ms per step, {BATCH / took['fit']:.0f} images/s"]
    parts += [
        f"time ratio fit/{way} {took['fit'] / took[way]:.2f}" for way in took if way != "fit"
    ]
    print(f"{name}: {'; '.join(parts)}", flush=True)


def samples_cost(k):
    """Prints the milliseconds per step and the peak memory of the process for k samples."""
    took = fit_in_turns(partial(iwae, k), BATCH, rounds=4, chunk=5)["fit"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"IWAE, k = {k}: {took * 1e3:.1f} ms per step, peak memory {peak:.2f} GiB", flush=True)


def main():
    """Prints the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="run fewer steps")
    parser.add_argument(
        "--samples", type=int, help="measure only IWAE with this number of samples"
    )
    told = parser.parse_args()
    if told.samples:
        samples_cost(told.samples)
        return
    print(f"VAEs for {SHAPE} images, batch {BATCH}, {os.cpu_count()} cores")
    rounds = 3 if told.quick else 9
    with pytorch.steps("vae", "iwae") as in_torch:
        for name in MODELS:
            compare(name, MANY if name == "vae" else 10, rounds, in_torch)
    for k in (1, 5, 50, 500):
        # A process of its own, so that its peak of memory is its own too.
        subprocess.run([sys.executable, __file__, "--samples", str(k)], check=True)


if __name__ == "__main__":
    main()
