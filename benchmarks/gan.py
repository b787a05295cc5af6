"""What steps of GANs cost, against bare TensorFlow, the textbook loop and PyTorch, in one run.

  python benchmarks/gan.py            about four minutes on two CPU cores
  python benchmarks/gan.py --quick    fewer steps

The bare step is forwards, backwards and Keras' Adam of the same networks: a pass that no gradient
goes back through is on no tape, nor are weights that are not updated. The textbook loop is that of
tutorials: a call of TensorFlow for each update, all of it on the tape, and a look at the loss after
each step. PyTorch comes from an environment of its own, if there is one: see pytorch.py. Ways are
measured in turns.
"""

import argparse
import os
import resource

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytorch
import tensorflow as tf
from turns import fit_in_turns, images

from keras_gen.gan import GAN, WGANGP

MODELS = {"dcgan": GAN, "wgan-gp": WGANGP}


def bare_step(model):
    """A function of a batch that takes the step of `model` by hand and returns D's loss."""
    d_update, g_update = updates(model, frugal=True)

    @tf.function(autograph=False)
    def step(batch):
        for real in tf.split(model.prepare(batch), model.discriminator_steps):
            loss = d_update(real)
        g_update(real)
        return loss

    return step


def textbook_step(model):
    """The same, each update in a graph of its own."""
    d_update, g_update = (tf.function(f, autograph=False) for f in updates(model, frugal=False))

    def step(batch):
        for real in tf.split(model.prepare(batch), model.discriminator_steps):
            loss = d_update(real)
        g_update(real)
        return float(loss)

    return step


def updates(model, frugal):
    """Both updates of a model's networks, as functions of the real images."""
    generator, discriminator, critic = model.generator, model.discriminator, model.penalty
    networks = generator, discriminator
    g_adam, d_adam = (keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in networks)
    for adam, network in ((g_adam, generator), (d_adam, discriminator)):
        adam.build(network.trainable_variables)

    def noise(real):
        return tf.random.normal([real.shape[0], model.latent_dim])

    def tape(network):
        made = tf.GradientTape(watch_accessed_variables=not frugal)
        return made, [v.value for v in network.trainable_variables]

    def take(tape, loss, adam, network):
        slopes = tape.gradient(loss, [v.value for v in network.trainable_variables])
        adam.apply(slopes, network.trainable_variables)
        return loss

    def penalty(real, fake):
        mix = tf.random.uniform([real.shape[0], 1, 1, 1])
        between = mix * real + (1 - mix) * fake
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(between)
            logits = discriminator(between, training=True)
        slopes = inner.gradient(logits, between)
        return tf.reduce_mean((tf.norm(tf.reshape(slopes, [real.shape[0], -1]), axis=1) - 1) ** 2)

    def d_update(real):
        if frugal:
            fake = generator(noise(real), training=True)
        made, watched = tape(discriminator)
        with made:
            made.watch(watched)
            if not frugal:
                fake = generator(noise(real), training=True)
            logits = [discriminator(x, training=True) for x in (real, fake)]
            if critic:
                loss = tf.reduce_mean(logits[1] - logits[0]) + 10 * penalty(real, fake)
            else:
                loss = tf.reduce_mean(tf.nn.softplus(-logits[0]) + tf.nn.softplus(logits[1]))
        return take(made, loss, d_adam, discriminator)

    def g_update(real):
        made, watched = tape(generator)
        with made:
            made.watch(watched)
            judged = discriminator(generator(noise(real), training=True), training=True)
            loss = tf.reduce_mean(-judged if critic else tf.nn.softplus(-judged))
        return take(made, loss, g_adam, generator)

    return d_update, g_update


def compare(name, size, filters, batch, rounds, chunk, in_torch):
    """Prints images per second of `fit`, and its ratios to the other ways."""
    shape = (size, size, 1)

    def build():
        return MODELS[name].for_images(shape, filters=filters)

    textbook, shown = textbook_step(build()), batch * build().discriminator_steps
    batches = iter(images(shape=shape).stream(shown, seed=2))

    def run_textbook(count):
        for _ in range(count):
            textbook(next(batches))

    ways = {"textbook": run_textbook} | ({"PyTorch": in_torch[name]} if name in in_torch else {})
    took = fit_in_turns(build, shown, rounds, chunk, ways, shape=shape, bare=bare_step)
    parts = [f"fit {took['fit'] * 1e3:.2f} ms a step, {shown / took['fit']:.0f} images/s"]
    parts += [f"fit/{way} {took['fit'] / took[way]:.2f}" for way in took if way != "fit"]
    print(f"{name}: {'; '.join(parts)}; peak memory so far {peak_memory():.2f} GiB", flush=True)


def peak_memory() -> float:
    """GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main():
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer steps")
    parser.add_argument("--size", type=int, default=32, help="pixels of a side")
    parser.add_argument("--filters", type=int, default=32, help="channels of the widest maps")
    parser.add_argument("--batch", type=int, default=64, help="images in an update")
    told = parser.parse_args()
    sizes = told.size, told.filters, told.batch
    print(f"GANs of {told.size}x{told.size}, {told.filters} filters, batch {told.batch}, "
          f"{os.cpu_count()} cores")  # fmt: skip
    # PyTorch's side has the sizes that stand in its file.
    usual = sizes == tuple(parser.get_default(name) for name in ("size", "filters", "batch"))
    with pytorch.steps(*MODELS if usual else ()) as in_torch:
        for name in MODELS:
            compare(name, *sizes, rounds=3 if told.quick else 9, chunk=5, in_torch=in_torch)


if __name__ == "__main__":
    main()
