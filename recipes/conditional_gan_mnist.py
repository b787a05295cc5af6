"""Digits of a class that is asked for, by three ways to tell a GAN of it.

Mirza, Osindero: "Conditional Generative Adversarial Nets", 2014, where both players are told the
class; Odena, Olah, Shlens: "Conditional Image Synthesis with Auxiliary Classifier GANs", ICML 2017,
where the discriminator has to find it; Miyato, Koyama: "cGANs with Projection Discriminator", ICLR
2018, where it takes an inner product with it. Two classifiers that were trained apart say how often
samples show the class that was asked for, beside how often they are right on test images; the worse
one counts. One clear image of each class would agree best, so the kernel distance of each class in
their features stands beside it. A mixture of Gaussians of each class is the baseline.

Deviations: one network for all three, that of InfoGAN for digits.

  python recipes/conditional_gan_mnist.py                        6 minutes on one of two CPU cores
  python recipes/conditional_gan_mnist.py --method projection --dataset fashion_mnist
  python recipes/conditional_gan_mnist.py --preset smoke         under a minute

Data: mnist or fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from typing import Literal

import numpy as np
from keras.optimizers import Adam

from keras_gen.baselines import mixture_samples
from keras_gen.data import small_images
from keras_gen.gan import ACGAN, ConditionalGAN
from keras_gen.media.images import grid
from keras_gen.metrics import class_report, trained_extractor
from keras_gen.networks import (
    info_gan_discriminator,
    info_gan_generator,
    with_head,
    with_labels,
    with_projection,
)
from keras_gen.run import Run, ShortStepSettings, run_recipe


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    dataset: Literal["mnist", "fashion_mnist"] = "mnist"  # Data set of tensorflow-datasets
    method: Literal["conditional", "ac", "projection"] = "conditional"
    """How the discriminator knows of the class: it is told, it tells, or an inner product."""
    latent_dim: int = 62  # Dimensions of the latents
    filters: int = 64  # Channels where the images are largest
    hidden: int = 1024  # Units of the dense layers
    objective: Literal["non_saturating", "hinge", "least_squares"] = "non_saturating"
    """What the two networks minimize."""
    d_learning_rate: float = 2e-4  # Adam's rate for the discriminator
    g_learning_rate: float = 1e-3  # Adam's rate for the generator
    beta_1: float = 0.5  # Adam's first momentum
    ema: float = 0.0  # Momentum of the generator's weight average, which is evaluated; 0: none
    compared: int = 10_000  # Samples and training images that are compared
    classifier_steps: int = 1500  # Training steps of each classifier


PRESETS = {
    "smoke": dict(filters=4, hidden=16, latent_dim=4, epochs=2, steps_per_epoch=10, batch_size=40,
                  compared=200, classifier_steps=20, steps_per_execution=5),
    "cpu": dict(filters=16, hidden=256, ema=0.998, epochs=10, steps_per_epoch=600, batch_size=100,
                grid_every=2, steps_per_execution=50),
    "paper": dict(epochs=100, steps_per_epoch=600, batch_size=100, grid_every=5),
}  # fmt: skip

SHAPE, CLASSES = (28, 28, 1), 10


def main(run: Run, s: Settings):
    data = run.load(small_images(s.dataset, labels=True))
    with run.strategy.scope():
        inputs = s.latent_dim + CLASSES
        generator = with_labels(info_gan_generator(SHAPE, inputs, s.filters, s.hidden), CLASSES)
        told = (28, 28, 1 + CLASSES) if s.method == "conditional" else SHAPE
        discriminator = info_gan_discriminator(told, s.filters, s.hidden)
        if s.method == "ac":
            method, discriminator = ACGAN, with_head(discriminator, CLASSES, "classes")
        else:
            telling = with_projection if s.method == "projection" else with_labels
            method, discriminator = ConditionalGAN, telling(discriminator, CLASSES)
        model = method(generator, discriminator, CLASSES, s.objective, seed=s.seed)
        g_optimizer = run.averaged(Adam(s.g_learning_rate, s.beta_1))
        run.compile(model, d_optimizer=Adam(s.d_learning_rate, s.beta_1), g_optimizer=g_optimizer)

    def of_all_classes(model, n=80):
        return model.sample(n, seed=s.seed, label=np.arange(n) % CLASSES)

    run.fit(model, data.train, lambda model: grid(of_all_classes(model), CLASSES))

    with run.evaluation(model) as metrics:
        run.say("asking two classifiers for the classes of samples")
        images, labels = data.train.arrays()
        sets = {"": (of_all_classes(model, s.compared), np.arange(s.compared) % CLASSES)}
        count, each = s.compared // CLASSES, [images[labels == c] for c in range(CLASSES)]
        mixtures = [mixture_samples(x, count, seed=s.seed) for x in each]
        sets["baseline_"] = np.concatenate(mixtures), np.repeat(np.arange(CLASSES), count)
        sets["floor_"] = data.test.arrays()
        known, found = slice(s.compared), {prefix: [] for prefix in sets}
        for kind in ("conv", "mlp"):
            extractor = trained_extractor(images, labels, s.classifier_steps, s.seed, kind=kind)
            real = extractor(images[known])
            for prefix, (made, classes) in sets.items():
                report = class_report(real, labels[known], extractor(made), classes, s.seed)
                metrics |= {f"{prefix}{name}_{kind}": value for name, value in report.items()}
                found[prefix].append(report["agreement"])
        metrics |= {f"{prefix}agreement": min(both) for prefix, both in found.items()}
    run.export(model, default="sample", half=True)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
