"""DCGAN on CelebA with few images and differentiable augmentation.

Radford, Metz, Chintala: "Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks", ICLR 2016. Zhao, Liu, Lin, Zhu, Han: "Differentiable Augmentation for
Data-Efficient GAN Training", NeurIPS 2020. Real and generated images are augmented (color,
translation, and cutout) before the discriminator sees them.

  python recipes/dcgan_celeb_a.py                       53 minutes on one of two CPU cores
  python recipes/dcgan_celeb_a.py --dataset cifar10     15 minutes, small photographs
  python recipes/dcgan_celeb_a.py --preset smoke        under a minute

Expected result of the cpu preset: a kernel distance of 0.13, about the same as for a Gaussian
mixture. The standard error is 0.08, because only 100 test faces are available.

Samples are evaluated as in dcgan_fashion_mnist, here with the features of classifiers that predict
sex and smile for faces, or labels for photographs. The first paper's latent arithmetic is
automated. A classifier finds samples of smiling women, unsmiling women, and unsmiling men, and then
classifies the result.

Deviations in the cpu preset: narrow networks; the weights of the evaluated generator are averaged.

Data: celeb_a or cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The papers
report no metrics for faces of this size.
"""

from keras_gen.workshop.run import LEAST_COMPARED, Run, RunSettings, run_recipe

import dataclasses
from pathlib import Path
from typing import Literal

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import Source, faces, small_images
from keras_gen.gan import GAN
from keras_gen.metrics import sample_report, trained_extractors
from keras_gen.networks import dcgan_discriminator, dcgan_generator
from keras_gen.workshop.baselines import mixture_samples
from keras_gen.workshop.visualize import arithmetic, interpolations, sample_neighbors, samples

FACES = ("women", "men", "smiling women", "smiling men")  # names of the classes, numbered from 0


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    ZERO = (*RunSettings.ZERO, "terms")
    PYRAMIDS = ("size",)

    dataset: Literal["celeb_a", "cifar10"] = "celeb_a"
    """Dataset: faces (celeb_a) or small photographs (cifar10)."""
    images: Path | None = None  # Your own image folder, with or without class subfolders
    size: int = 64  # Side length of the face images, in pixels; 32 for CIFAR-10
    latent_dim: int = 100  # Number of latent dimensions
    filters: int = 128  # Channels of the discriminator's first layer, doubled at each stage
    augmentation: str = "color translation cutout"
    """Augmentations applied to all images that the discriminator receives."""
    learning_rate: float = 2e-4  # Adam's learning rate for both networks
    beta_1: float = 0.5  # Adam's beta_1, the decay rate of the gradients' running average
    ema: float = 0.0
    """EMA momentum for the generator; evaluation uses the averaged weights. 0 disables EMA."""
    compared: int = 10_000
    """Maximum number of images to compare from each set: samples, test images, and training
    images."""
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier
    sought: int = 2000  # Number of samples searched for the attributes in the latent arithmetic
    terms: str = "2 0 1 3"
    """Four classes a, b, c, and d for latent arithmetic in which a - b + c gives d. By default,
    smiling women minus women plus men gives smiling men."""

    def __post_init__(self):
        super().__post_init__()
        if len(self.terms.split()) != 4:
            raise ValueError(
                f"--terms is {self.terms!r}: expected four classes, such as 2 0 1 3."
            )


PRESETS = {
    "smoke": dict(size=32, filters=4, ema=0.9, epochs=2, steps_per_epoch=5, batch_size=16,
                  compared=50, classifier_steps=20, sought=100),
    "cpu": dict(size=32, filters=32, ema=0.999, epochs=30, steps_per_epoch=250, batch_size=64,
                grid_every=3),
    "paper": dict(epochs=100, steps_per_epoch=1580, batch_size=128, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    if s.dataset == "celeb_a":
        data = faces(s.size, images=s.images, labels=True)
    else:
        data = small_images(s.dataset, images=s.images, labels=True)
    data = run.load(data, train=s.batch_size, test=LEAST_COMPARED)
    images, labels = data.train.arrays()
    held_out, _ = data.test.take(s.compared).arrays()
    *terms, result = [int(label) for label in s.terms.split()]

    with run.strategy.scope():
        shape = images.shape[1:]
        generator = dcgan_generator(shape, s.latent_dim, s.filters)
        discriminator = dcgan_discriminator(shape, s.filters)
        model = GAN(generator, discriminator, augmentation=s.augmentation.split(), seed=s.seed)
        d_optimizer = Adam(s.learning_rate, s.beta_1)
        g_optimizer = run.averaged(Adam(s.learning_rate, s.beta_1))
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    # Each step: one update of the discriminator, then one update of the generator.
    run.fit(model, Source(images), samples)
    run.export(model, default="sample", half=True)

    # Train the classifiers whose features are compared.
    extractors = trained_extractors(images, labels, s.classifier_steps)

    # Sample from the baseline, a Gaussian mixture over pixels.
    mixture = mixture_samples(images, len(held_out), seed=s.seed)

    with run.evaluation(model) as metrics:
        run.say(
            "comparing samples with training images, using two classifiers and image patches"
        )
        drawn = model.sample(len(held_out), seed=s.seed)
        sets = {"": drawn, "baseline_": mixture}
        metrics |= sample_report(extractors, images, held_out, sets, s.seed)

        if s.dataset == "celeb_a" and {*terms, result} <= set(labels):
            # Show the samples that represent the terms most clearly, and the result of the
            # arithmetic.
            latents = model.draw_latents(s.sought, seed=s.seed)
            drawn = model.generate(latents)
            logits = {kind: extract(drawn)["logits"] for kind, extract in extractors.items()}
            a, b, c = [latents[clearest(logits, term)[:3]] for term in terms]
            classes = (
                FACES if s.images is None else [f"label {n}" for n in range(labels.max() + 1)]
            )
            names = [classes[term] for term in terms]
            run.draw("arithmetic", arithmetic(model, a, b, c, names=names))
            drawn = model.latent_arithmetic(a, b, c, n=100, seed=s.seed)
            for kind, extract in extractors.items():
                predicted = extract(drawn)["logits"].argmax(axis=1)
                metrics[f"arithmetic_{kind}"] = (predicted == result).mean()
                by_chance = logits[kind].argmax(axis=1)
                metrics[f"arithmetic_by_chance_{kind}"] = (by_chance == result).mean()
        else:
            run.say(
                "skipping latent arithmetic: it requires --dataset celeb_a and images of the "
                f"classes {s.terms}"
            )

        run.draw("neighbors", sample_neighbors(model, images))
        starts, ends = np.split(model.draw_latents(12, seed=1), 2)
        run.draw("arcs", interpolations(model, starts, ends, spherical=True))


def clearest(logits, label):
    """Returns indices sorted by the certainty of the less certain classifier, highest first."""
    margins = []
    for each in logits.values():
        others = np.delete(each, label, axis=1)
        margins.append(each[:, label] - others.max(axis=1))
    return np.argsort(-np.min(margins, axis=0))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
