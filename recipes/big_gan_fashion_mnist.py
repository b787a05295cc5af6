"""BigGAN in small draws clothes of a class, better ones or more different ones.

Brock, Donahue, Simonyan: "Large Scale GAN Training for High Fidelity Natural Image Synthesis",
ICLR 2019. Latents are truncated at several thresholds; the lower one is, the more samples look like
training images (precision), and the fewer training images are like a sample (recall).

  python recipes/big_gan_fashion_mnist.py                 about 33 minutes on one of two CPU cores
  python recipes/big_gan_fashion_mnist.py --preset smoke  under a minute

Data: fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR), padded to
32x32. The paper reports no number on it. Samples are compared with training images in the features
of two classifiers of clothes, trained apart on the padded images, of which the worse counts, and by
patches without a network. Test images compared alike give the floor, and a mixture of Gaussians of
the pixels the baseline.

Deviations in the cpu preset: narrow networks with attention to maps of 8x8, batches of 32 in place
of 2,048, one update of the discriminator for one of the generator, and higher learning rates, the
generator's eightfold: with twice it had drawn no clothes after 600 steps of 64.
"""

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import pad_to, small_images
from keras_gen.gan import BigGAN
from keras_gen.media.images import grid
from keras_gen.metrics import compare_sets, trained_extractors
from keras_gen.run import Run, RunSettings, run_recipe
from keras_gen.visualize import line_plot, samples

THRESHOLDS = (0.1, 0.25, 0.5, 1.0, 2.0)  # standard deviations of the latents


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    latent_dim: int = 80  # Dimensions of the latents, a quarter for each part of the generator
    filters: int = 256  # Channels of all maps
    attention: int = 16  # Side of the maps with self-attention
    discriminator_steps: int = 2  # Updates of the discriminator for one of the generator
    orthogonal_weight: float = 1e-4  # Weight of the orthogonal regularization of the generator
    d_learning_rate: float = 2e-4  # Adam's rate for the discriminator
    g_learning_rate: float = 5e-5  # Adam's rate for the generator
    ema: float = 0.9999  # Momentum of the generator's weight average, which is evaluated; 0: none
    compared: int = 5000  # Samples, test images and training images that are compared
    classifier_steps: int = 1500
    """Training steps of each classifier whose features they are compared in."""


PRESETS = {
    "smoke": dict(latent_dim=8, filters=8, ema=0.9, epochs=2, steps_per_epoch=4, batch_size=8,
                  compared=200, classifier_steps=20),
    "cpu": dict(filters=32, attention=8, discriminator_steps=1, d_learning_rate=4e-4,
                g_learning_rate=4e-4, ema=0.998, epochs=15, steps_per_epoch=600, batch_size=32,
                grid_every=3),
    "paper": dict(epochs=100, steps_per_epoch=468, batch_size=2048, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("fashion_mnist", labels=True))
    train, test = (part.map(lambda x, y: (pad_to(x, 32), y)) for part in (data.train, data.test))
    with run.strategy.scope():
        sizes = dict(latent_dim=s.latent_dim, filters=s.filters, attention=s.attention)
        steps = dict(discriminator_steps=s.discriminator_steps, seed=s.seed)
        weight = dict(orthogonal_weight=s.orthogonal_weight)
        model = BigGAN.for_images((32, 32, 1), classes=10, **sizes, **steps, **weight)
        g_optimizer = run.averaged(Adam(s.g_learning_rate, 0.0))
        run.compile(model, d_optimizer=Adam(s.d_learning_rate, 0.0), g_optimizer=g_optimizer)

    # A step takes as many batches as it updates the discriminator.
    run.fit(model, partial(train.stream, s.batch_size * s.discriminator_steps, s.seed), samples)

    with run.evaluation(model) as metrics:
        run.say("comparing samples with images in the features of two classifiers, and by patches")
        images, labels = train.arrays()
        extractors = trained_extractors(images, labels, s.classifier_steps, s.seed)
        draw = partial(model.sample, s.compared, seed=s.seed)
        held_out = test.take(s.compared).arrays()[0]
        sets = {f"at_{round(100 * t):03d}_": draw(truncation=t) for t in THRESHOLDS}
        metrics |= compare_sets(extractors, images, held_out, {"": draw()} | sets, s.seed)
        prefixes = [*(f"at_{round(100 * t):03d}_" for t in THRESHOLDS), ""]
        curves = {of: [metrics[p + of] for p in prefixes] for of in ("precision", "recall")}
        xs = [*THRESHOLDS, 10.0]  # which is no threshold
        lines = {name: (xs, values) for name, values in curves.items()}
        run.draw("truncation", line_plot(lines, "truncation (std)", "fraction", log_x=True))
        by_label = [model.sample(10, s.seed, label=np.arange(10), truncation=t) for t in xs]
        run.draw("classes", grid(np.concatenate(by_label), 10))
    run.export(model, default="sample")


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
