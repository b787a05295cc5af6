"""Compares training steps of each family with bare TensorFlow, PyTorch, and an earlier run.

  python benchmarks/compare.py                             about ten minutes on two CPU cores
  python benchmarks/compare.py vae glow --quick            only these steps, in fewer rounds
  python benchmarks/compare.py --output new.json --before old.json

Each line shows a ratio: the time of a step of this library, divided by the time of a bare step in
TensorFlow or of an eager step in PyTorch. PyTorch is measured only if a separate environment has
PyTorch; see pytorch.py. All variants are measured alternately. The exit code is 1 if a ratio is
more than 1.1 times the ratio of the earlier run. Only ratios are compared, because the speed of
machines differs.
"""

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cyclegan_step
import pytorch
from turns import fit_in_turns, in_turns

import diffusion
import flows
import gan
import vae
from keras_gen.flows import Flow

SLOWER = 1.1  # ratio of ratios that is reported
IMAGES = (32, 32, 1)  # of the GANs


def adversarial(name, batches):
    """Returns the arguments of `fit_in_turns` for a GAN whose step uses several batches."""
    build = partial(gan.MODELS[name].for_images, IMAGES, filters=32)
    return dict(build=build, batch=64 * batches, chunk=5, shape=IMAGES, bare=gan.bare_step)


def cyclegan(policy):
    """Returns a function that measures CycleGAN's step, for other variants and rounds."""

    def measure(others, rounds):
        ours, _ = cyclegan_step.our_step(cyclegan_step.build(policy, 64), 4, 64)
        bare = cyclegan_step.textbook_step(cyclegan_step.build(policy, 64), 4, 64)
        return in_turns({"fit": ours, "bare": bare, **others}, rounds)

    return measure


def fitted(build, batch, chunk, **options):
    """Returns a function that measures steps of `fit`, for other variants and rounds."""

    def measure(others, rounds):
        return fit_in_turns(build, batch, rounds, chunk, others, **options)

    return measure


STEPS = {
    "vae": fitted(vae.MODELS["vae"], vae.BATCH, vae.MANY, per_execution=vae.MANY),
    "iwae": fitted(vae.MODELS["iwae"], vae.BATCH, 10),
    "vq-vae": fitted(vae.MODELS["vq-vae"], vae.BATCH, 10),
    "dcgan": fitted(**adversarial("dcgan", 1)),
    "wgan-gp": fitted(**adversarial("wgan-gp", 5)),
    "glow": fitted(
        lambda: Flow(flows.FLOWS["glow"](), levels=flows.LEVELS),
        flows.BATCH,
        10,
        bare=flows.bare_step,
    ),
    "ddpm": fitted(partial(diffusion.MODELS["ddpm"], vae.SHAPE), diffusion.BATCH, 5),
    "cyclegan float32": cyclegan("float32"),
    "cyclegan bfloat16": cyclegan("mixed_bfloat16"),
}


def slower(found: dict, before: dict) -> list[str]:
    """Returns a sentence for each ratio that has grown by more than 10% since an earlier run."""
    return [
        f"{name}: the time relative to {way} has grown from {before[name][way]:.2f} to {ratio:.2f}"
        for name, ratios in found.items()
        for way, ratio in ratios.items()
        if way in before.get(name, {}) and ratio > SLOWER * before[name][way]
    ]


def main() -> None:
    """Prints and writes the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"steps to measure: {', '.join(STEPS)}")
    parser.add_argument("--quick", action="store_true", help="run fewer rounds")
    parser.add_argument("--output", type=Path, help="JSON file to write the ratios to")
    parser.add_argument(
        "--before", type=Path, help="JSON file written by an earlier run, for comparison"
    )
    options = parser.parse_args()
    names = options.names or list(STEPS)
    if unknown := set(names) - set(STEPS):
        parser.error(
            f"there is no step {sorted(unknown)[0]}: expected one of {', '.join(STEPS)}"
        )
    print(f"{os.cpu_count()} cores", flush=True)
    found: dict = {}
    with pytorch.steps(*(name for name in names if name in pytorch.STEPS)) as in_torch:
        for name in names:
            others = {"PyTorch": in_torch[name]} if name in in_torch else {}
            seconds = STEPS[name](others, 3 if options.quick else 9)
            own = seconds.pop("fit")
            found[name] = {way: own / other for way, other in seconds.items()}
            ratios = "; ".join(f"fit/{way} {ratio:.2f}" for way, ratio in found[name].items())
            print(f"{name}: {own * 1e3:.1f} ms per step; time ratios: {ratios}", flush=True)
    if options.output:
        options.output.write_text(json.dumps(found, indent=2) + "\n")
    if options.before and options.before.exists():
        sentences = slower(found, json.loads(options.before.read_text()))
        sys.exit("\n".join(sentences) or None)


if __name__ == "__main__":
    main()
