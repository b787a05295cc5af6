"""StyleGAN on Fashion-MNIST, with style mixing and truncation.

Karras, Laine, Aila: "A Style-Based Generator Architecture for Generative Adversarial Networks",
CVPR 2019; Karras et al.: "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020.

  python recipes/style_gan_fashion_mnist.py    about 33 minutes on one of two CPU cores
  python recipes/style_gan_fashion_mnist.py --styling adain    the networks of 2019
  python recipes/style_gan_fashion_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a kernel distance of 0.11 (test images with swapped lower halves:
0.10; Gaussian mixture: 0.14).

Samples are evaluated as in dcgan_fashion_mnist: in the features of two independently trained
classifiers of the padded images (the worse result counts), and with a patch distance, which needs
no network. Test images are the reference, and a Gaussian mixture over pixels is the baseline. Path
lengths between latents and between styles are measured in the features of the first classifier.

Deviations in the cpu preset: a narrow generator, four mapping layers, the DCGAN discriminator
without normalization and with its own learning rate, an R1 weight for small images, and far fewer
training images than in the papers. With the papers' discriminator, reduced to the width of the
generator, clothes are speckled after the same training time.

Data: fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR), padded to
32x32. The papers do not use this dataset.
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe

import dataclasses
from functools import partial
from typing import Literal

import numpy as np
from keras import ops
from keras.optimizers import Adam

from keras_gen.data import Source, pad_to, small_images
from keras_gen.gan import StyleGAN
from keras_gen.losses import R1
from keras_gen.metrics import perceptual_path_length, sample_report, trained_extractors
from keras_gen.networks import (
    activation_maps,
    dcgan_discriminator,
    style_discriminator,
    style_generator,
    style_mapping,
)
from keras_gen.workshop.baselines import mixture_samples
from keras_gen.workshop.visualize import image_rows, samples, style_mixing

SHAPE = (32, 32, 1)
PSIS = (1.0, 0.7, 0.5, 0.2, 0.0, -0.5)


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    styling: Literal["modulated", "adain"] = "modulated"
    """Generator: modulated, as in StyleGAN2, or adain, as in StyleGAN."""
    latent_dim: int = 512  # Number of dimensions of the latents and of the styles
    depth: int = 8  # Number of layers in the mapping network
    filters: int = 512  # Maximum number of channels per map
    width: int = 16_384  # Maximum product of channels and side length for each feature map
    discriminator: Literal["residual", "dcgan"] = "residual"
    """Discriminator: residual, as in StyleGAN2, or dcgan, as in DCGAN."""
    d_filters: int = 64
    """Channels of the dcgan discriminator's first layer, doubled at each stage."""
    r1_weight: float = 10.0  # Weight of the R1 penalty, which is applied every 16 steps
    path_weight: float = 2.0
    """Weight of the path-length penalty, which is applied every 8 steps."""
    learning_rate: float = 2e-3  # Adam's learning rate for the mapping network and the generator
    d_learning_rate: float = 2e-3  # Adam's learning rate for the discriminator
    ema: float = 0.998
    """EMA momentum for the generator; evaluation uses the averaged weights. 0 disables EMA."""
    compared: int = 10_000
    """Number of images to compare from each set: samples, test images, and training images."""
    paths: int = 2000  # Number of paths used to measure the perceptual path length
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


PRESETS = {
    "smoke": dict(latent_dim=8, depth=2, filters=8, width=64, discriminator="dcgan",
                  d_filters=4, epochs=2, steps_per_epoch=4, batch_size=8, compared=200,
                  paths=20, classifier_steps=20),
    "cpu": dict(latent_dim=64, depth=4, filters=64, width=256, discriminator="dcgan",
                d_filters=32, r1_weight=0.1, d_learning_rate=4e-4, epochs=28,
                steps_per_epoch=500, batch_size=32, grid_every=4),
    "paper": dict(epochs=780, steps_per_epoch=1000, batch_size=32, grid_every=25),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("fashion_mnist", labels=True))
    images, labels = data.train.map(padded).arrays()
    held_out, _ = data.test.map(padded).take(s.compared).arrays()

    with run.strategy.scope():
        mapping = style_mapping(s.latent_dim, s.latent_dim, s.depth)
        generator = style_generator(SHAPE, s.latent_dim, s.filters, s.width, s.styling)
        if s.discriminator == "dcgan":
            discriminator = dcgan_discriminator(SHAPE, s.d_filters, normalization=None)
        else:
            discriminator = style_discriminator(SHAPE, s.filters, s.width)
        model = StyleGAN(
            mapping,
            generator,
            discriminator,
            penalty=R1(s.r1_weight, every=16),
            path_weight=s.path_weight,
            seed=s.seed,
        )
        options = dict(beta_1=0.0, beta_2=0.99, epsilon=1e-8)
        d_optimizer = Adam(s.d_learning_rate, **options)
        g_optimizer = run.averaged(Adam(s.learning_rate, **options))
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    # Each step: one update of the discriminator, then one update of the mapping network and the
    # generator.
    run.fit(model, Source(images), samples)
    run.export(model, default="sample")

    extractors = trained_extractors(images, labels, s.classifier_steps)
    features = partial(mean_activations, activation_maps(extractors["max"].model))

    # Sample from the baseline, a Gaussian mixture over pixels.
    mixture = mixture_samples(images, len(held_out), seed=s.seed, black=True)

    with run.evaluation(model) as metrics:
        run.say(
            "comparing samples with training images, using two classifiers and image patches"
        )
        drawn = model.sample(len(held_out), seed=s.seed)
        sets = {"": drawn, "baseline_": mixture}
        metrics |= sample_report(extractors, images, held_out, sets, s.seed)

        # Measure paths between latents, and between the styles of these latents.
        path_length = partial(perceptual_path_length, features=features, seed=s.seed)
        start, end = np.split(model.draw_latents(2 * s.paths, s.seed), 2)
        found = path_length(model.call, start=start, end=end, spherical=True)
        metrics["path_length_z"] = found["path_length"]
        start_style = one_style(model, start)
        end_style = one_style(model, end)
        found = path_length(model.from_style, start=start_style, end=end_style)
        metrics["path_length_w"] = found["path_length"]

        truncated = {f"psi {psi:g}": model.sample(10, seed=0, psi=psi) for psi in PSIS}
        run.draw("truncation", image_rows(truncated))
        rows, columns = np.split(model.draw_latents(12, seed=1), [4])
        run.draw("coarse_styles", style_mixing(model, rows, columns, layers=2))  # 4x4
        run.draw("middle_styles", style_mixing(model, rows, columns, layers=4))  # up to 8x8


def padded(image, label):
    return pad_to(image, 32), label


def mean_activations(maps, images):
    """Returns a classifier's last feature maps, averaged over positions, `[n, channels]`."""
    return ops.mean(maps(images)[-1], axis=(1, 2))


def one_style(model, latents):
    """Returns the style of each latent, repeated for all layers."""
    return model.style(latents)[:, 0]


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
