"""DCGAN on Fashion-MNIST.

Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014; Radford, Metz, Chintala:
"Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks",
ICLR 2016.

  python recipes/dcgan_fashion_mnist.py                    about 11 minutes on two CPU cores
  python recipes/dcgan_fashion_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a kernel distance of 0.009 (test images shifted by one pixel:
0.007; test images with swapped lower halves: 0.10; Gaussian mixture: 0.14).

Samples are compared with training images in the features of two independently trained classifiers
of the padded images (the worse result counts), and with a patch distance, which needs no network.
Test images are the reference, and a Gaussian mixture over pixels is the baseline.

Data: fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR), padded to
32x32. The papers do not use this dataset.
"""

from keras_gen.workshop.run import LEAST_COMPARED, Run, RunSettings, run_recipe

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

from keras.optimizers import Adam

from keras_gen.data import Source, pad_to, small_images
from keras_gen.gan import GAN
from keras_gen.metrics import sample_report, trained_extractors
from keras_gen.networks import dcgan_discriminator, dcgan_generator
from keras_gen.workshop.baselines import mixture_samples
from keras_gen.workshop.visualize import sample_neighbors, samples

SHAPE = (32, 32, 1)
Objective = Literal["minimax", "non_saturating", "least_squares", "wasserstein", "hinge"]


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    images: Path | None = None  # Your own image folder, with or without class subfolders
    latent_dim: int = 100  # Number of latent dimensions
    filters: int = 128  # Channels of the discriminator's first layer, doubled at each stage
    objective: Objective = "non_saturating"  # Adversarial objective (paper: non_saturating)
    discriminator_steps: int = 1  # Number of discriminator updates per generator update
    learning_rate: float = 2e-4  # Adam's learning rate for both networks
    beta_1: float = 0.5  # Adam's beta_1, the decay rate of the gradients' running average
    ema: float = 0.0
    """EMA momentum for the generator; evaluation uses the averaged weights. 0 disables EMA."""
    compared: int = 10_000
    """Number of images to compare from each set: samples, test images, and training images."""
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


PRESETS = {
    "smoke": dict(filters=8, epochs=2, steps_per_epoch=10, batch_size=32, compared=200,
                  classifier_steps=20),
    "cpu": dict(filters=32, ema=0.998, epochs=15, steps_per_epoch=468, batch_size=128,
                grid_every=3),
    "paper": dict(epochs=100, steps_per_epoch=468, batch_size=128, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    batch_size = s.batch_size * s.discriminator_steps
    data = small_images("fashion_mnist", labels=True, images=s.images)
    data = run.load(data, train=batch_size, test=LEAST_COMPARED)
    images, labels = data.train.arrays()
    test_images, _ = data.test.arrays()
    images = pad_to(images, SHAPE[0]).numpy()
    test_images = pad_to(test_images, SHAPE[0]).numpy()

    with run.strategy.scope():
        generator = dcgan_generator(SHAPE, s.latent_dim, s.filters)
        discriminator = dcgan_discriminator(SHAPE, s.filters)
        model = GAN(
            generator,
            discriminator,
            objective=s.objective,
            discriminator_steps=s.discriminator_steps,
            seed=s.seed,
        )
        d_optimizer = Adam(s.learning_rate, s.beta_1)
        g_optimizer = run.averaged(Adam(s.learning_rate, s.beta_1))
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    # Each step: discriminator updates, each with its own batch, then one update of the
    # generator.
    run.fit(model, partial(Source(images).stream, batch_size, s.seed), samples)
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
        drawn = model.sample(len(held_out), seed=s.seed)
        sets = {"": drawn, "baseline_": mixture}
        metrics |= sample_report(extractors, images, held_out, sets, s.seed)
        test = Source(test_images).batches(100)
        metrics |= model.evaluate(test, return_dict=True, verbose=0)
        run.draw("neighbors", sample_neighbors(model, images))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
