"""Compares training steps of GANs with bare TensorFlow, the textbook loop, and PyTorch.

  python benchmarks/gan.py            about twelve minutes on two CPU cores
  python benchmarks/gan.py --quick    fewer steps

The bare step consists of the forward pass, the backward pass, and the Keras Adam optimizer for the
same networks; passes and weights that need no gradient are not recorded on the tape. The textbook
loop is the loop of common tutorials: it calls TensorFlow for each update, records everything on the
tape, and reads the loss after each step. PyTorch comes from a separate environment, if there is
one; see pytorch.py, which does not contain StyleGAN. All variants are measured alternately in a
single run.
"""

import argparse
import os
import resource

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytorch
import tensorflow as tf
from turns import fit_in_turns, images

from keras_gen.gan import GAN, WGANGP, StyleGAN

MODELS = {"dcgan": GAN, "wgan-gp": WGANGP, "stylegan": StyleGAN}


def bare_step(model):
    """Returns a handwritten step of `model`: a function that maps a batch to D's loss."""
    d_update, g_update = updates(model, frugal=True)

    @tf.function(autograph=False)
    def step(batch):
        for real in tf.split(model.prepare(batch), model.discriminator_steps):
            loss = d_update(real)
        g_update(real)
        return loss

    return step


def textbook_step(model):
    """Returns the same step with each update in a separate graph."""
    d_update, g_update = (tf.function(f, autograph=False) for f in updates(model, frugal=False))

    def step(batch):
        for real in tf.split(model.prepare(batch), model.discriminator_steps):
            loss = d_update(real)
        g_update(real)
        return float(loss)

    return step


def updates(model, frugal):
    """Returns both updates of a model's networks, as functions of the real images."""
    method = BY_HAND[type(model)](model)
    g_variables = [v for network in method.makers for v in network.trainable_variables]
    d_variables = model.discriminator.trainable_variables
    g_adam, d_adam = (keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in "gd")
    g_adam.build(g_variables)
    d_adam.build(d_variables)

    def update(adam, variables, loss_of):
        values = [v.value for v in variables]
        with tf.GradientTape(watch_accessed_variables=not frugal) as tape:
            tape.watch(values)
            loss = loss_of(tf.cast(adam.iterations.value, tf.int32))
        adam.apply(tape.gradient(loss, values), variables)
        return loss

    def d_update(real):
        made = method.fake(real) if frugal else None

        def loss(step):
            return method.d_loss(real, made if frugal else method.fake(real), step)

        return update(d_adam, d_variables, loss)

    def g_update(real):
        return update(g_adam, g_variables, lambda step: method.g_loss(real, step))

    return d_update, g_update


class ByHand:
    """The generated images and the losses of a GAN, written by hand."""

    def __init__(self, model):
        self.model, self.makers = model, [model.generator]

    def logits_of(self, images):
        return self.model.discriminator(images, training=True)

    def fake(self, real):
        noise = tf.random.normal([real.shape[0], self.model.latent_dim])
        return self.model.generator(noise, training=True)

    def d_loss(self, real, fake, step):
        return tf.reduce_mean(
            tf.nn.softplus(-self.logits_of(real)) + tf.nn.softplus(self.logits_of(fake))
        )

    def g_loss(self, real, step):
        return tf.reduce_mean(tf.nn.softplus(-self.logits_of(self.fake(real))))

    def slopes(self, images):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            logits = self.logits_of(images)
        return tape.gradient(logits, images)


class WassersteinByHand(ByHand):
    """The losses of WGAN-GP, written by hand."""

    def d_loss(self, real, fake, step):
        mix = tf.random.uniform([real.shape[0], 1, 1, 1])
        slopes = self.slopes(mix * real + (1 - mix) * fake)
        lengths = tf.norm(tf.reshape(slopes, [real.shape[0], -1]), axis=1)
        apart = tf.reduce_mean(self.logits_of(fake) - self.logits_of(real))
        return apart + 10 * tf.reduce_mean((lengths - 1) ** 2)

    def g_loss(self, real, step):
        return -tf.reduce_mean(self.logits_of(self.fake(real)))


class StyleByHand(ByHand):
    """The generated images and losses of StyleGAN, with R1 and path lengths every few steps."""

    def __init__(self, model):
        super().__init__(model)
        self.makers = [model.mapping, model.generator]

    def styles(self, real):
        n, layers = real.shape[0], self.model.layers_of_style
        w = self.model.mapping(tf.random.normal([2 * n, self.model.latent_dim]), training=True)
        first = tf.range(layers) < tf.random.uniform([n, 1], 1, 2 * layers, tf.int32)
        return tf.where(first[..., None], w[:n, None], w[n:, None])

    def synthesized(self, styles):
        noise = tf.random.normal([styles.shape[0], self.model.pixels])
        return self.model.generator([styles, noise], training=True)

    def fake(self, real):
        return self.synthesized(self.styles(real))

    def d_loss(self, real, fake, step):
        every = self.model.penalty.every

        def r1():
            return 5.0 * every * tf.reduce_mean(tf.reduce_sum(self.slopes(real) ** 2, [1, 2, 3]))

        return super().d_loss(real, fake, step) + tf.cond(step % every == 0, r1, lambda: 0.0)

    def g_loss(self, real, step):
        every = self.model.path_every

        def path():
            styles = self.styles(real)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(styles)
                along = tf.reduce_sum(self.synthesized(styles) * tf.random.normal(real.shape))
            squares = tf.reduce_sum(tape.gradient(along, styles) ** 2, 2)
            return every * tf.reduce_mean((tf.sqrt(tf.reduce_mean(squares, 1)) - 1) ** 2)

        return super().g_loss(real, step) + tf.cond(step % every == 0, path, lambda: 0.0)


BY_HAND = {GAN: ByHand, WGANGP: WassersteinByHand, StyleGAN: StyleByHand}


def compare(name, size, filters, batch, rounds, in_torch):
    """Prints the images per second of `fit`, and its ratios to the other variants."""
    shape, style = (size, size, 1), name == "stylegan"
    sizes = dict(latent_dim=64, width=size * filters) if style else {}
    chunk = 16 if style else 5  # of StyleGAN a turn has R1 once and path lengths twice

    def build():
        return MODELS[name].for_images(shape, filters=filters, **sizes)

    model = build()
    textbook, shown = textbook_step(model), batch * model.discriminator_steps
    batches = iter(images(shape=shape).stream(shown, seed=2))

    def run_textbook(count):
        for _ in range(count):
            textbook(next(batches))

    ways = {"textbook": run_textbook} | ({"PyTorch": in_torch[name]} if name in in_torch else {})
    took = fit_in_turns(build, shown, rounds, chunk, ways, shape=shape, bare=bare_step)
    parts = [f"fit {took['fit'] * 1e3:.2f} ms per step, {shown / took['fit']:.0f} images/s"]
    parts += [
        f"time ratio fit/{way} {took['fit'] / took[way]:.2f}" for way in took if way != "fit"
    ]
    print(f"{name}: {'; '.join(parts)}; peak memory so far {peak_memory():.2f} GiB", flush=True)


def peak_memory() -> float:
    """Returns the peak memory of this process, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main():
    """Prints the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="run fewer steps")
    parser.add_argument(
        "--size", type=int, default=32, help="side length of the images in pixels"
    )
    parser.add_argument(
        "--filters", type=int, default=32, help="number of filters in the networks"
    )
    parser.add_argument("--batch", type=int, default=64, help="number of images per update")
    told = parser.parse_args()
    sizes = told.size, told.filters, told.batch
    print(f"GANs for {told.size}x{told.size} images, {told.filters} filters, batch {told.batch}, "
          f"{os.cpu_count()} cores")  # fmt: skip
    # PyTorch's models have fixed sizes, the defaults.
    usual = sizes == tuple(parser.get_default(name) for name in ("size", "filters", "batch"))
    others = [name for name in MODELS if name in pytorch.STEPS]
    with pytorch.steps(*others if usual else ()) as in_torch:
        for name in MODELS:
            compare(name, *sizes, rounds=3 if told.quick else 9, in_torch=in_torch)


if __name__ == "__main__":
    main()
