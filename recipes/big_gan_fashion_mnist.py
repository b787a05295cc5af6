"""Small BigGAN on Fashion-MNIST.

Brock, Donahue, Simonyan: "Large Scale GAN Training for High Fidelity Natural Image Synthesis",
ICLR 2019.

  python recipes/big_gan_fashion_mnist.py                 about 33 minutes on one of two CPU cores
  python recipes/big_gan_fashion_mnist.py --preset smoke  under a minute

Expected result of the cpu preset: a kernel distance of 0.04 and a recall of 0.19 (Gaussian
mixture: 0.14 and 0.72; test images with swapped lower halves: a kernel distance of 0.10).

Latents are truncated at several thresholds. With lower thresholds, more samples look like training
images (precision), but fewer training images look like samples (recall). Samples are compared with
training images in the features of two independently trained classifiers of the padded images (the
worse result counts), and with a patch distance, which needs no network. Test images are the
reference, and a Gaussian mixture over pixels is the baseline.

Deviations in the cpu preset: narrow networks with attention on 8x8 maps, batches of 32 instead of
2,048, one discriminator update per generator update, and higher learning rates. The generator's
learning rate is eight times the paper's rate, because with twice the paper's rate, no clothes were
recognizable after 600 steps with batches of 64.

Data: fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR), padded to
32x32. The paper does not use this dataset.
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import Source, pad_to, small_images
from keras_gen.gan import BigGAN
from keras_gen.metrics import sample_report, trained_extractors
from keras_gen.workshop.baselines import mixture_samples
from keras_gen.workshop.visualize import image_rows, line_plot, samples

SHAPE = (32, 32, 1)
CLASSES = 10
THRESHOLDS = (0.1, 0.25, 0.5, 1.0, 2.0)  # truncation, in standard deviations of the latents
NO_THRESHOLD = 10.0  # above any latent, so nothing is truncated


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    latent_dim: int = 80
    """Number of latent dimensions; the first map and each of the three blocks receive a quarter."""
    filters: int = 256  # Channels of each feature map
    attention: int = 16  # Side length of the feature maps with self-attention
    discriminator_steps: int = 2  # Number of discriminator updates per generator update
    orthogonal_weight: float = 1e-4  # Weight of the generator's orthogonal regularization
    d_learning_rate: float = 2e-4  # Adam's learning rate for the discriminator
    g_learning_rate: float = 5e-5  # Adam's learning rate for the generator
    ema: float = 0.9999
    """EMA momentum for the generator; evaluation uses the averaged weights. 0 disables EMA."""
    compared: int = 10_000
    """Number of images to compare from each set: samples, test images, and training images."""
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


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
    images, labels = data.train.arrays()
    test_images, _ = data.test.arrays()
    images = pad_to(images, SHAPE[0]).numpy()
    test_images = pad_to(test_images, SHAPE[0]).numpy()

    with run.strategy.scope():
        model = BigGAN.for_images(
            SHAPE,
            classes=CLASSES,
            latent_dim=s.latent_dim,
            filters=s.filters,
            attention=s.attention,
            discriminator_steps=s.discriminator_steps,
            orthogonal_weight=s.orthogonal_weight,
            seed=s.seed,
        )
        d_optimizer = Adam(s.d_learning_rate, 0.0)
        g_optimizer = run.averaged(Adam(s.g_learning_rate, 0.0))
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    # Each step: discriminator updates, each with its own batch, then one update of the
    # generator.
    batch_size = s.batch_size * s.discriminator_steps
    run.fit(model, partial(Source((images, labels)).stream, batch_size, s.seed), samples)
    run.export(model, default="sample")

    # Train the classifiers whose features are compared.
    extractors = trained_extractors(images, labels, s.classifier_steps)

    # Sample from the baseline, a Gaussian mixture over pixels.
    held_out = test_images[: s.compared]
    mixture = mixture_samples(images, len(held_out), seed=s.seed, black=True)

    with run.evaluation(model) as metrics:
        run.say(
            "comparing samples with training images, using two classifiers and image patches"
        )
        sets = {"": model.sample(len(held_out), seed=s.seed)}
        for threshold in THRESHOLDS:
            drawn = model.sample(len(held_out), seed=s.seed, truncation=threshold)
            sets[prefix_of(threshold)] = drawn
        sets["baseline_"] = mixture
        metrics |= sample_report(extractors, images, held_out, sets, s.seed)

        thresholds = [*THRESHOLDS, NO_THRESHOLD]
        prefixes = [*map(prefix_of, THRESHOLDS), ""]
        lines = {}
        for name in ("precision", "recall"):
            lines[name] = (thresholds, [metrics[prefix + name] for prefix in prefixes])
        run.draw("truncation", line_plot(lines, "truncation threshold", "fraction", log_x=True))
        rows = {}
        for threshold in thresholds:
            every_label = np.arange(CLASSES)
            drawn = model.sample(CLASSES, s.seed, label=every_label, truncation=threshold)
            rows[f"truncated to {threshold:g}"] = drawn
        run.draw("classes", image_rows(rows))


def prefix_of(threshold):
    """Returns the prefix of metrics for samples from truncated latents."""
    return f"at_{round(100 * threshold):03d}_"


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
