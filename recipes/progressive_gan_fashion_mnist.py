"""Progressive growing of GANs on Fashion-MNIST, from 4x4 to 32x32.

Karras, Aila, Laine, Lehtinen: "Progressive Growing of GANs for Improved Quality, Stability, and
Variation", ICLR 2018.

  python recipes/progressive_gan_fashion_mnist.py    about 29 minutes on one of two CPU cores
  python recipes/progressive_gan_fashion_mnist.py --preset smoke    under a minute

Expected result of the cpu preset: a kernel distance of 0.12 (test images with swapped lower halves:
0.10; Gaussian mixture: 0.14).

Samples are evaluated as in dcgan_fashion_mnist: in the features of two independently trained
classifiers of the padded images (the worse result counts), and with a patch distance, which needs
no network. Test images are the reference, and a Gaussian mixture over pixels is the baseline.

Deviations in the cpu preset: narrow networks, with a discriminator twice as wide as the generator;
the non-saturating objective with R1 (every 16 steps) instead of WGAN-GP, which differentiates twice
in every step; and batches of 32. All sizes except the last are trained for fewer steps.

Data: fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR), padded to
32x32. The paper does not use this dataset.
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe

import dataclasses
from typing import Literal

from keras_gen.data import Source, pad_to, small_images
from keras_gen.gan import ProgressiveGAN
from keras_gen.gan.progressive_gan import JoiningAdam
from keras_gen.losses import R1, GradientPenalty, Wasserstein
from keras_gen.metrics import sample_report, trained_extractors
from keras_gen.networks import progressive_discriminator, progressive_generator
from keras_gen.workshop.baselines import mixture_samples
from keras_gen.workshop.visualize import samples

SHAPE = (32, 32, 1)


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    latent_dim: int = 512  # Number of latent dimensions
    filters: int = 512  # Maximum number of channels per map
    width: int = 16_384  # Maximum product of channels and side length in the generator
    d_width: int = 16_384
    """Maximum product of channels and side length in the discriminator."""
    objective: Literal["wasserstein", "non_saturating"] = "wasserstein"
    """Objective: wasserstein with a gradient penalty, or non_saturating with the R1 penalty."""
    r1_weight: float = 1.0  # Weight of the R1 penalty for the non_saturating objective
    stable_steps: int = 50_000  # Number of training steps at each size except the last
    fade_steps: int = 50_000  # Number of training steps during which each new size fades in
    learning_rate: float = 1e-3  # Adam's learning rate for the generator
    d_learning_rate: float = 1e-3  # Adam's learning rate for the discriminator
    ema: float = 0.999
    """EMA momentum for the generator; evaluation uses the averaged weights. 0 disables EMA."""
    compared: int = 10_000
    """Number of images to compare from each set: samples, test images, and training images."""
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


PRESETS = {
    "smoke": dict(latent_dim=8, filters=8, width=64, d_width=64,
                  objective="non_saturating", stable_steps=3, fade_steps=2, epochs=2,
                  steps_per_epoch=10, batch_size=32, compared=200, classifier_steps=20),
    "cpu": dict(latent_dim=64, filters=64, width=256, d_width=512,
                objective="non_saturating", r1_weight=0.1, d_learning_rate=4e-4, ema=0.998,
                stable_steps=500, fade_steps=500, epochs=28, steps_per_epoch=500,
                batch_size=32, grid_every=3),
    "paper": dict(epochs=750, steps_per_epoch=1000, batch_size=16, grid_every=25),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("fashion_mnist", labels=True))
    images, labels = data.train.map(padded).arrays()
    held_out, _ = data.test.map(padded).take(s.compared).arrays()

    if s.objective == "wasserstein":
        objective = Wasserstein(drift=1e-3)
        penalty = GradientPenalty(10.0)
    else:
        objective = s.objective
        penalty = R1(s.r1_weight, every=16)
    with run.strategy.scope():
        generator = progressive_generator(SHAPE, s.latent_dim, s.filters, s.width)
        discriminator = progressive_discriminator(SHAPE, s.filters, s.d_width)
        model = ProgressiveGAN(
            generator,
            discriminator,
            objective=objective,
            penalty=penalty,
            stable_steps=s.stable_steps,
            fade_steps=s.fade_steps,
            seed=s.seed,
        )
        # Layers that are added later have their own optimizer state.
        options = dict(beta_1=0.0, beta_2=0.99, epsilon=1e-8)
        d_optimizer = JoiningAdam(s.d_learning_rate, **options)
        g_optimizer = run.averaged(JoiningAdam(s.learning_rate, **options))
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    # Each step: one update of the discriminator, then one update of the generator, at the current
    # size.
    run.fit(model, Source(images), samples)
    run.export(model, default="sample")

    extractors = trained_extractors(images, labels, s.classifier_steps)

    # Sample from the baseline, a Gaussian mixture over pixels.
    mixture = mixture_samples(images, len(held_out), seed=s.seed, black=True)

    with run.evaluation(model) as metrics:
        run.say(
            "comparing samples with training images, using two classifiers and image patches"
        )
        drawn = model.sample(len(held_out), seed=s.seed)
        sets = {"": drawn, "baseline_": mixture}
        metrics |= sample_report(extractors, images, held_out, sets, s.seed)


def padded(image, label):
    return pad_to(image, 32), label


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
