"""DCGAN draws clothes: a GAN with convolutional networks on Fashion-MNIST.

Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014; Radford, Metz, Chintala:
"Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks",
ICLR 2016.

  python recipes/dcgan_fashion_mnist.py                    about 11 minutes on two CPU cores
  python recipes/dcgan_fashion_mnist.py --preset smoke     under a minute

Data: fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR), padded to
32x32. The papers report no number on it. Samples are compared with training images in the features
of two classifiers of clothes, trained apart on the padded images, of which the worse counts, and by
patches without a network. Test images compared alike give the floor, and a mixture of Gaussians of
the pixels the baseline.
"""

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

from keras.optimizers import Adam

from keras_gen.data import pad_to, small_images
from keras_gen.gan import GAN
from keras_gen.metrics import compare_sets, trained_extractors
from keras_gen.networks import dcgan_discriminator, dcgan_generator
from keras_gen.run import Run, RunSettings, run_recipe
from keras_gen.visualize import samples


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    images: Path | None = None  # Your own folder of images, by subfolders of classes
    latent_dim: int = 100  # Dimensions of the latents
    filters: int = 128  # Channels of the discriminator's first layer; they double with every stage
    objective: Literal["minimax", "non_saturating", "least_squares", "wasserstein", "hinge"] = (
        "non_saturating"
    )
    """What the two networks minimize: non_saturating is the paper's."""
    discriminator_steps: int = 1  # Updates of the discriminator for one of the generator
    learning_rate: float = 2e-4  # Adam's rate for both networks
    beta_1: float = 0.5  # Adam's first momentum
    ema: float = 0.0  # Momentum of the generator's weight average, which is evaluated; 0: none
    compared: int = 10_000  # Samples, test images and training images that are compared
    classifier_steps: int = 1500
    """Training steps of each classifier whose features they are compared in."""


PRESETS = {
    "smoke": dict(filters=8, epochs=2, steps_per_epoch=10, batch_size=32, compared=200,
                  classifier_steps=20),
    "cpu": dict(filters=32, ema=0.998, epochs=15, steps_per_epoch=468, batch_size=128,
                grid_every=3),
    "paper": dict(epochs=100, steps_per_epoch=468, batch_size=128, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("fashion_mnist", labels=True, images=s.images))
    labeled = data.train.map(lambda image, label: (pad_to(image, 32), label))
    train, test = (part.map(lambda image, _: pad_to(image, 32)) for part in (data.train, data.test))
    with run.strategy.scope():
        generator = dcgan_generator((32, 32, 1), s.latent_dim, s.filters)
        discriminator = dcgan_discriminator((32, 32, 1), s.filters)
        options = dict(objective=s.objective, discriminator_steps=s.discriminator_steps)
        model = GAN(generator, discriminator, **options, seed=s.seed)
        d_optimizer, g_optimizer = (Adam(s.learning_rate, s.beta_1) for _ in "dg")
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=run.averaged(g_optimizer))

    # A step takes as many batches as it updates the discriminator.
    size = s.batch_size * s.discriminator_steps
    run.fit(model, partial(train.stream, size, s.seed), samples)

    with run.evaluation(model) as metrics:
        run.say("comparing samples with images in the features of two classifiers, and by patches")
        images, labels = labeled.arrays()
        extractors = trained_extractors(images, labels, s.classifier_steps, s.seed)
        drawn, held_out = model.sample(s.compared, seed=s.seed), test.take(s.compared).arrays()
        metrics |= compare_sets(extractors, images, held_out, {"": drawn}, s.seed)
        metrics |= model.evaluate(test.batches(100), return_dict=True, verbose=0)
    run.export(model, default="sample")


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
