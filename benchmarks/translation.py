"""Compares translation steps with bare TensorFlow, and tiled with whole-image enlargement.

  python benchmarks/translation.py            about five minutes on two CPU cores
  python benchmarks/translation.py --quick    fewer steps, smaller images

The bare step consists of the forward pass, the backward pass, and the Keras Adam optimizer for the
same networks, without the checks, the stateless seeds, and the reports of `fit`. Steps are measured
alternately. Each way to translate a large image is measured in a separate process.
"""

import argparse
import os
import resource
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from turns import fit_in_turns

from keras_gen.data import Source
from keras_gen.networks import patch_discriminator, sr_resnet, unet_generator
from keras_gen.serving.tiles import Tiled
from keras_gen.translation import SRGAN, Pix2Pix

FACTOR = 4
TILE = 256  # pixels
WAYS = ("whole", "tiles")


def pix2pix():
    """Builds the networks of the recipe's cpu preset."""
    generator = unet_generator((64, 64, 3), filters=24)
    return Pix2Pix(generator, patch_discriminator((64, 64, 6), 24, strided_layers=1))


def sr_res_net():
    """Builds the network of the recipe's cpu preset."""
    design = dict(normalization=False, from_bicubic=True, edge_kernel=3)
    return SRGAN(sr_resnet(filters=32, blocks=6, factor=FACTOR, **design))


def pairs(small, large, count=500):
    """Returns pairs of noise, which cost as much as images."""
    random = np.random.default_rng(0)
    images = (random.integers(0, 256, (count, s, s, 3), "uint8") for s in (small, large))
    return Source(tuple(images))


def scaled(batch):
    """Returns images scaled to [-1, 1]."""
    return [tf.cast(images, tf.float32) / 127.5 - 1 for images in batch]


def bare_pix2pix(model):
    """Returns a bare step: an update of the generator, and then an update of the discriminator."""
    generator = model.generator
    discriminator = model.discriminator
    optimizers = [keras.optimizers.Adam() for _ in range(2)]
    optimizers[0].build(generator.trainable_variables)
    optimizers[1].build(discriminator.trainable_variables)

    @tf.function(autograph=False)
    def step(batch):
        x, y = scaled(batch)
        with tf.GradientTape() as tape:
            predicted = generator(x, training=True)
            logits = discriminator(tf.concat([x, predicted], -1), training=True)
            distance = tf.reduce_mean(tf.abs(predicted - y))
            g_loss = tf.reduce_mean(tf.nn.softplus(-logits)) + 100 * distance
        apply(optimizers[0], tape, g_loss, generator)
        with tf.GradientTape() as tape:
            real = discriminator(tf.concat([x, y], -1), training=True)
            fake = discriminator(tf.concat([x, predicted], -1), training=True)
            d_loss = tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))
        apply(optimizers[1], tape, d_loss, discriminator)
        return g_loss

    return step


def bare_sr_res_net(model):
    """Returns a bare step: an update of the generator on the squared error."""
    generator = model.generator
    optimizer = keras.optimizers.Adam()
    optimizer.build(generator.trainable_variables)

    @tf.function(autograph=False)
    def step(batch):
        x, y = scaled(batch)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(generator(x, training=True) - y))
        apply(optimizer, tape, loss, generator)
        return loss

    return step


def apply(optimizer, tape, loss, network):
    """Updates a network with its gradients."""
    variables = network.trainable_variables
    optimizer.apply(tape.gradient(loss, variables), variables)


STEPS = {
    "pix2pix, 64x64, batch 1": (pix2pix, bare_pix2pix, 1, (64, 64)),
    "SRResNet, 12x12 to 48x48, batch 8": (sr_res_net, bare_sr_res_net, 8, (12, 48)),
}


def enlarge(way, side):
    """Prints the speed and the peak memory of one way to enlarge an image."""
    model = sr_res_net()
    image = np.random.default_rng(0).integers(0, 256, (side, side, 3), "uint8")

    def network(piece):
        return model.translate(piece[None])[0]

    apply_it = Tiled(network, TILE if way == "tiles" else 0)
    apply_it(image)
    began = time.perf_counter()
    output = apply_it(image)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    megapixels = output.shape[0] * output.shape[1] / 1e6
    print(
        f"enlarging {side}x{side} by {FACTOR}, {way}: {megapixels / seconds:.2f} megapixels "
        f"per second, peak memory {peak:.2f} GiB",
        flush=True,
    )


def main():
    """Prints the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="run fewer steps with smaller images"
    )
    parser.add_argument("--way", choices=WAYS, help="measure only this way to enlarge an image")
    parser.add_argument(
        "--side", type=int, default=512, help="side length of the image to enlarge"
    )
    told = parser.parse_args()
    if told.way:
        enlarge(told.way, told.side)
        return
    print(f"Image translation, {os.cpu_count()} cores")
    for name, (build, bare, batch, sizes) in STEPS.items():
        rounds = 2 if told.quick else 9
        took = fit_in_turns(build, batch, rounds, chunk=20, bare=bare, source=pairs(*sizes))
        print(
            f"{name}: fit {took['fit'] * 1e3:.1f} ms per step, bare {took['bare'] * 1e3:.1f}; "
            f"throughput ratio fit/bare {took['bare'] / took['fit']:.2f}",
            flush=True,
        )
    side = "300" if told.quick else str(told.side)
    for way in WAYS:
        subprocess.run([sys.executable, __file__, "--way", way, "--side", side], check=True)


if __name__ == "__main__":
    main()
