"""Compares CycleGAN steps with other implementations, and measures memory and startup time.

  python benchmarks/cyclegan_step.py            about four minutes on two CPU cores
  python benchmarks/cyclegan_step.py --quick    only steps of one size and the input pipeline

The library's step is compared with the textbook step (four gradient calls, without shared passes),
with PyTorch's step if PyTorch is available (see pytorch.py), and with the peak convolution speed of
this machine. All variants are measured alternately.
"""

import argparse
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytorch
import tensorflow as tf
from turns import in_turns

from keras_gen.data import Source, random_crop_flip, unpaired
from keras_gen.networks import patch_discriminator, resnet_generator
from keras_gen.translation import CycleGAN

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "cyclegan_monet.py"


def build(policy, size, filters=32, blocks=6):
    """Returns a compiled CycleGAN whose discriminators are as wide as its generators."""
    keras.config.set_dtype_policy(policy)
    shape = (size, size, 3)
    networks = [resnet_generator(shape, filters, blocks) for _ in range(2)]
    networks += [patch_discriminator(shape, filters) for _ in range(2)]
    model = CycleGAN(*networks)
    model.compile()
    return model


def our_step(model, batch, size):
    """Returns the model's step as a graph on fixed images, and its floating-point operations."""
    images = tf.random.uniform([2, batch, size, size, 3], -1, 1)
    step = tf.function(lambda: model.train_step((images[0], images[1])), autograph=False)
    # Each generator translates two images and cycles one, forwards and backwards, which costs
    # twice the forward pass. Each discriminator sees a real and a pooled image likewise, and a
    # fresh fake one without a gradient for its own weights.
    generators = 3 * 3 * sum(flops(n) for n in (model.generator_xy, model.generator_yx))
    discriminators = (2 * 3 + 2) * sum(
        flops(n) for n in (model.discriminator_x, model.discriminator_y)
    )
    return lambda: float(step()["g_loss"]), batch * (generators + discriminators)


def textbook_step(model, batch, size):
    """Returns the step of Zhu et al. as often written: separate passes, a gradient per network."""
    g, f = model.generator_xy, model.generator_yx
    d_x, d_y = model.discriminator_x, model.discriminator_y
    networks = [g, f, d_x, d_y]
    optimizers = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in networks]
    for network, optimizer in zip(networks, optimizers, strict=True):
        optimizer.build(network.trainable_variables)
    x, y = tf.unstack(tf.random.uniform([2, batch, size, size, 3], -1, 1))

    def l1(a, b):
        return tf.reduce_mean(tf.abs(a - b))

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape(persistent=True) as tape:
            fake_y, fake_x = g(x, training=True), f(y, training=True)
            cycled_x, cycled_y = f(fake_y, training=True), g(fake_x, training=True)
            same_y, same_x = g(y, training=True), f(x, training=True)
            real_x_logits, real_y_logits = d_x(x, training=True), d_y(y, training=True)
            fake_x_logits, fake_y_logits = d_x(fake_x, training=True), d_y(fake_y, training=True)
            cycle = 10 * (l1(cycled_x, x) + l1(cycled_y, y))
            g_loss = tf.reduce_mean((fake_y_logits - 1) ** 2) + cycle + 5 * l1(same_y, y)
            f_loss = tf.reduce_mean((fake_x_logits - 1) ** 2) + cycle + 5 * l1(same_x, x)
            d_x_loss, d_y_loss = (
                0.5 * (tf.reduce_mean((real - 1) ** 2) + tf.reduce_mean(fake**2))
                for real, fake in [
                    (real_x_logits, fake_x_logits),
                    (real_y_logits, fake_y_logits),
                ]
            )
        losses = [g_loss, f_loss, d_x_loss, d_y_loss]
        for loss, network, optimizer in zip(losses, networks, optimizers, strict=True):
            gradients = tape.gradient(loss, network.trainable_variables)
            optimizer.apply(gradients, network.trainable_variables)
        return g_loss

    return lambda: float(step())


def convolution_peak(dtype):
    """Returns one large convolution, and its number of floating-point operations."""
    images = tf.cast(tf.random.normal([8, 64, 64, 128]), dtype)
    kernel = tf.cast(tf.random.normal([3, 3, 128, 128]), dtype)

    @tf.function
    def convolve():
        return tf.reduce_sum(tf.nn.conv2d(images, kernel, 1, "SAME")[:, 0, 0, 0])

    return lambda: float(convolve()), 2 * 8 * 64 * 64 * 128 * 128 * 9


def flops(network) -> int:
    """Returns the floating-point operations of the convolutions in a forward pass of one image."""
    total = 0
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
            # A transposed convolution visits each pixel of its input, the other of its output.
            transposed = isinstance(layer, keras.layers.Conv2DTranspose)
            height, width = (layer.input if transposed else layer.output).shape[1:3]
            total += 2 * math.prod(layer.kernel.shape) * height * width
    return total


def seconds_to_first_step() -> float:
    """Measures the time from launching the recipe's cpu preset to the report of the first step."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, RECIPE, "--preset", "cpu", "--steps-per-epoch", "1"]
        process = subprocess.Popen(
            [*command, "--output", f"{folder}/run"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for line in process.stdout:
            if line.startswith(b"1/1 - "):
                break
        seconds = time.monotonic() - began
        process.kill()
        process.communicate()
    return seconds


def main():
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--quick",
        action="store_true",
        help="measure only steps of one size and the input pipeline",
    )
    quick = parser.parse_args().quick
    size, batch = 64, 4
    print(
        f"CycleGAN, {size}x{size}, 32 filters, 6 blocks, batch {batch}, {os.cpu_count()} cores"
    )
    functions, operations, models = {}, {}, {}
    for name, policy in {"float32": "float32", "bfloat16": "mixed_bfloat16"}.items():
        models[name] = build(policy, size)
        functions[name], operations[name] = our_step(models[name], batch, size)
        functions[f"textbook {name}"] = textbook_step(build(policy, size), batch, size)
        functions[f"peak {name}"], operations[f"peak {name}"] = convolution_peak(name)
    with pytorch.steps("cyclegan float32", "cyclegan bfloat16") as in_torch:
        seconds = in_turns(functions | in_torch)
    for name in models:
        rate = operations[name] / seconds[name]
        peak = operations[f"peak {name}"] / seconds[f"peak {name}"]
        other = seconds.get(f"cyclegan {name}")
        print(
            f"{name}: {seconds[name] * 1e3:.0f} ms, {operations[name] / 1e9:.1f} GFLOP per step; "
            f"time ratio textbook/ours {seconds[f'textbook {name}'] / seconds[name]:.2f}; "
            f"fraction of the convolution peak ({peak / 1e9:.0f} GFLOP/s): {rate / peak:.2f}"
            + (f"; time ratio ours/PyTorch {seconds[name] / other:.2f}" if other else "")
        )
    print(f"time ratio float32/bfloat16: {seconds['float32'] / seconds['bfloat16']:.2f}")

    images = Source(np.zeros([200, 72, 72, 3], "uint8"))
    stream = iter(unpaired(images, images, batch, augment=random_crop_flip(size)))
    next(stream)
    began = time.perf_counter()
    for _ in range(300):
        next(stream)
    share = (time.perf_counter() - began) / 300 / seconds["float32"]
    print(f"time of the input pipeline alone, as a fraction of the float32 step: {share:.3f}")
    if quick:
        return

    for batch, size in ((1, 64), (8, 64), (1, 128), (1, 256)):
        step, operations = our_step(build("float32", size), batch, size)
        took = in_turns({"step": step}, rounds=3)["step"]
        print(
            f"batch {batch}, {size}x{size}: {took / seconds['float32']:.2f} times the float32 step "
            f"above; {operations / took / 1e9:.0f} GFLOP/s"
        )
    print(f"peak memory of this process: {peak_memory():.1f} GiB")
    print(f"time from launch to first step, cpu preset: {seconds_to_first_step():.0f} s")


def peak_memory() -> float:
    """Returns the peak memory of this process, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
