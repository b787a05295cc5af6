"""Conditional GANs on MNIST: concatenation, AC-GAN, and projection.

Mirza, Osindero: "Conditional Generative Adversarial Nets", 2014, where both networks receive the
label; Odena, Olah, Shlens: "Conditional Image Synthesis with Auxiliary Classifier GANs", ICML 2017,
where the discriminator predicts the label; Miyato, Koyama: "cGANs with Projection Discriminator",
ICLR 2018, where the discriminator uses an inner product with the label's embedding.

  python recipes/conditional_gan_mnist.py                    7 to 14 minutes on one of two CPU cores
  python recipes/conditional_gan_mnist.py --method projection --dataset fashion_mnist
  python recipes/conditional_gan_mnist.py --preset smoke         under a minute

Expected result of the cpu preset: 0.94 of the samples show the requested class (median of three
seeds; Gaussian mixture per digit: 0.99), and 0.999 with AC-GAN.

Two independently trained classifiers measure how often samples show the requested class; the worse
result counts, and their accuracy on test images is the reference. A generator that repeats one
clear image per digit would score best, so the kernel distance within each class is also measured in
the classifiers' features. Before a generator has learned the labels, it often generates other
digits; the recipe plots how often this happens during training (class leakage).

Deviations: all three methods use the same network, InfoGAN's network for digits.

Data: mnist or fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import prefixed, suffixed

import dataclasses
from typing import Literal

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import small_images
from keras_gen.gan import ACGAN, ConditionalGAN
from keras_gen.metrics import class_report, trained_extractors
from keras_gen.networks import (
    info_gan_discriminator,
    info_gan_generator,
    with_head,
    with_labels,
    with_projection,
)
from keras_gen.workshop.baselines import mixture_samples
from keras_gen.workshop.visualize import captioned, line_plot

SHAPE = (28, 28, 1)
CLASSES = 10
LOOKED_AT = 1000  # number of samples to classify after each epoch


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    dataset: Literal["mnist", "fashion_mnist"] = "mnist"  # Dataset from tensorflow-datasets
    method: Literal["conditional", "ac", "projection"] = "conditional"
    """Use of the label in the discriminator: as additional input channels (conditional), as a
    prediction target (ac), or in an inner product of its embedding and the features
    (projection)."""
    latent_dim: int = 62  # Number of latent dimensions
    filters: int = 64  # Channels at the highest resolution
    hidden: int = 1024  # Units in each dense layer
    objective: Literal["non_saturating", "hinge", "least_squares"] = "non_saturating"
    """Adversarial objective of both networks."""
    d_learning_rate: float = 2e-4  # Adam's learning rate for the discriminator
    g_learning_rate: float = 1e-3  # Adam's learning rate for the generator
    beta_1: float = 0.5  # Adam's beta_1, the decay rate of the gradients' running average
    ema: float = 0.0
    """EMA momentum for the generator; evaluation uses the averaged weights. 0 disables EMA."""
    compared: int = 10_000
    """Number of images to compare from each set: samples and training images."""
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


PRESETS = {
    "smoke": dict(filters=4, hidden=16, latent_dim=4, epochs=2, steps_per_epoch=10,
                  batch_size=40, compared=200, classifier_steps=20, steps_per_execution=5),
    "cpu": dict(filters=16, hidden=256, ema=0.998, epochs=10, steps_per_epoch=600,
                batch_size=100, grid_every=2, steps_per_execution=50),
    "paper": dict(epochs=100, steps_per_epoch=600, batch_size=100, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images(s.dataset, labels=True))
    images, labels = data.train.arrays()

    with run.strategy.scope():
        generator = info_gan_generator(SHAPE, s.latent_dim + CLASSES, s.filters, s.hidden)
        generator = with_labels(generator, CLASSES)
        if s.method == "conditional":
            height, width, channels = SHAPE
            inputs = (height, width, channels + CLASSES)
            discriminator = info_gan_discriminator(inputs, s.filters, s.hidden)
            discriminator = with_labels(discriminator, CLASSES)
            method = ConditionalGAN
        elif s.method == "projection":
            discriminator = info_gan_discriminator(SHAPE, s.filters, s.hidden)
            discriminator = with_projection(discriminator, CLASSES)
            method = ConditionalGAN
        else:
            discriminator = info_gan_discriminator(SHAPE, s.filters, s.hidden)
            discriminator = with_head(discriminator, CLASSES, "classes")
            method = ACGAN
        model = method(generator, discriminator, CLASSES, s.objective, seed=s.seed)
        d_optimizer = Adam(s.d_learning_rate, s.beta_1)
        g_optimizer = run.averaged(Adam(s.g_learning_rate, s.beta_1))
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    def draw(model):
        drawn = model.sample(80, seed=s.seed, label=every_label(80))
        names = [str(digit) for digit in range(CLASSES)]
        return captioned(np.split(drawn, 8), column_names=names)

    extractors = trained_extractors(images, labels, s.classifier_steps)

    def leakage(model):
        """Returns the fraction of samples classified as a class other than the requested one."""
        asked = every_label(LOOKED_AT)
        drawn = model.sample(LOOKED_AT, seed=s.seed, label=asked)
        named = [extract(drawn)["logits"].argmax(axis=1) for extract in extractors.values()]
        return {"leakage": max(np.mean(each != asked) for each in named)}

    # Each step: one update of the discriminator, then one update of the generator.
    run.fit(model, data.train, draw, validate=leakage)
    run.export(model, default="sample", half=True)

    # Sample from the baseline, a Gaussian mixture per digit.
    count = s.compared // CLASSES
    mixtures = []
    for label in range(CLASSES):
        mixtures.append(mixture_samples(images[labels == label], count, seed=s.seed, black=True))
    mixture_labels = np.repeat(np.arange(CLASSES), count)

    with run.evaluation(model) as metrics:
        run.say("classifying samples with two classifiers")
        sample_labels = every_label(s.compared)
        sets = {
            "": (model.sample(s.compared, seed=s.seed, label=sample_labels), sample_labels),
            "baseline_": (np.concatenate(mixtures), mixture_labels),
            "floor_": data.test.arrays(),
        }
        reports = {prefix: [] for prefix in sets}
        known_labels = labels[: s.compared]
        for kind, extractor in extractors.items():
            known_features = extractor(images[: s.compared])
            for prefix, (drawn, asked) in sets.items():
                found = extractor(drawn)
                report = class_report(known_features, known_labels, found, asked, s.seed)
                metrics |= prefixed(prefix, suffixed(report, f"_{kind}"))
                reports[prefix].append(report)
        # Keep the worse result of the two classifiers.
        for prefix, found in reports.items():
            agreements = [report["agreement"] for report in found]
            distances = [report["class_distance"] for report in found]
            metrics[f"{prefix}agreement"] = min(agreements)
            metrics[f"{prefix}class_distance"] = max(distances)
        epochs, leaked = run.logged("val_leakage")
        if epochs:
            lines = {"samples": (epochs, leaked)}
            for name, prefix in (
                ("Gaussian mixture", "baseline_"),
                ("test images", "floor_"),
            ):
                lines[name] = (epochs, [1 - metrics[f"{prefix}agreement"]] * len(epochs))
            run.draw("leakage", line_plot(lines, "epoch", "class leakage (fraction)"))


def every_label(count):
    """Returns the given number of labels, equally distributed."""
    return np.arange(count) % CLASSES


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
