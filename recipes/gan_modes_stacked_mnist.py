"""Mode coverage of a GAN and PacGAN on Stacked MNIST (1,000 modes).

Lin, Khetan, Fanti, Oh: "PacGAN: The Power of Two Samples in Generative Adversarial Networks",
NeurIPS 2018, sec. 4.2; the data are from Metz et al.: "Unrolled Generative Adversarial Networks",
ICLR 2017.

  python recipes/gan_modes_stacked_mnist.py    about 31 minutes on one of two CPU cores
  python recipes/gan_modes_stacked_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: PacGAN with packs of two covers 876 modes (GAN: 966; Gaussian
mixture: 462).

The color channels of an image are three digits, and the labels of these digits define the image's
mode. A digit classifier counts the modes among 26,000 samples, and compares them with the modes of
50,000 stacked training images. Both methods use the same network, the same number of images, and
the same number of steps. A Gaussian mixture over pixels is the baseline.

Deviations: InfoGAN's networks for digits; a weak generator and discriminator, as in Metz et al.;
and fewer steps than in the papers.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

from keras.optimizers import Adam

from keras_gen.data import Source, small_images, stacked_digits
from keras_gen.gan import GAN, PacGAN
from keras_gen.metrics import stacked_modes, trained_extractor
from keras_gen.networks import info_gan_discriminator, info_gan_generator
from keras_gen.workshop.baselines import mixture_samples
from keras_gen.workshop.visualize import samples


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    images: int = 128_000  # Number of stacked training images
    latent_dim: int = 100  # Number of latent dimensions
    filters: int = 64  # Channels at the highest resolution
    hidden: int = 1024  # Units in the generator's dense layer
    discriminator_hidden: int = 256  # Units in the discriminator's dense layer
    learning_rate: float = 2e-4  # Adam's learning rate for both networks
    beta_1: float = 0.5  # Adam's beta_1, the decay rate of the gradients' running average
    compared: int = 26_000  # Number of samples whose modes are counted
    classifier_steps: int = 1500  # Number of training steps for the digit classifier


PRESETS = {
    "smoke": dict(images=500, filters=4, hidden=16, discriminator_hidden=8, latent_dim=4,
                  epochs=2, steps_per_epoch=10, batch_size=32, compared=200,
                  classifier_steps=20, steps_per_execution=5),
    "cpu": dict(images=60_000, filters=24, hidden=256, discriminator_hidden=64, epochs=10,
                steps_per_epoch=500, batch_size=128, grid_every=2, steps_per_execution=50),
    "paper": dict(epochs=50, steps_per_epoch=2000, batch_size=64, grid_every=5,
                  steps_per_execution=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    digits, labels = data.train.arrays()
    test_digits, test_labels = data.test.arrays()
    images, _ = stacked_digits(digits, labels, s.images, s.seed)

    with run.strategy.scope():
        gan = GAN(*build_networks(s, images.shape[1:], pack=1), seed=s.seed)
        pac2 = PacGAN(*build_networks(s, images.shape[1:], pack=2), pack=2, seed=s.seed)
        for model in (gan, pac2):
            d_optimizer = Adam(s.learning_rate, s.beta_1)
            g_optimizer = Adam(s.learning_rate, s.beta_1)
            run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    # Each step: one update of the discriminator, then one update of the generator.
    run.fit(gan, Source(images), samples, part="gan")
    run.fit(pac2, Source(images), samples)
    run.export(pac2, default="sample")

    # Prepare the classifier that counts modes, the baseline, and enough real images to cover all
    # modes.
    extractor = trained_extractor(digits, labels, s.classifier_steps)
    classify = partial(logits, extractor)
    mixture = mixture_samples(images, s.compared, seed=s.seed)
    _, real_modes = stacked_digits(digits, labels, 50_000, s.seed)
    floor, _ = stacked_digits(test_digits, test_labels, s.compared, s.seed)

    with run.evaluation(pac2) as metrics:
        run.say(f"counting the modes of {s.compared} samples with a digit classifier")
        sets = {
            "pac2": pac2.sample(s.compared, seed=s.seed),
            "gan": gan.sample(s.compared, seed=s.seed),
            "mixture": mixture,
            "floor": floor,
        }
        for name, each in sets.items():
            modes = stacked_modes(each, classify, reference=real_modes)
            metrics |= {f"{key}_{name}": value for key, value in modes.items()}
        found = extractor(test_digits)["logits"].argmax(axis=1)
        metrics["classifier_accuracy"] = (found == test_labels).mean()


def build_networks(s, shape, pack):
    """Returns a generator, and a discriminator for packs of images stacked along the channels."""
    height, width, channels = shape
    packs = (height, width, pack * channels)
    discriminator = info_gan_discriminator(packs, s.filters, s.discriminator_hidden)
    generator = info_gan_generator(shape, s.latent_dim, s.filters, s.hidden)
    return generator, discriminator


def logits(extractor, images):
    return extractor(images, batch_size=512)["logits"]


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
