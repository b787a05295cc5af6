"""How many of the 1,000 modes of stacked digits a GAN draws, and PacGAN.

Lin, Khetan, Fanti, Oh: "PacGAN: The Power of Two Samples in Generative Adversarial Networks",
NeurIPS 2018, sec. 4.2; the data are those of Metz et al.: "Unrolled Generative Adversarial
Networks", ICLR 2017: the colors of an image are three digits, whose classes are its mode. Modes are
counted among 26,000 samples by a classifier of single digits, and compared with those of 50,000
images of training digits. Both methods have one network, see as many images, and take as many
steps. A mixture of Gaussians of the pixels is the baseline.

Deviations: InfoGAN's networks for digits, a weak generator and discriminator as in Metz et al.;
fewer steps than in the papers.

  python recipes/gan_modes_stacked_mnist.py    about 31 minutes on one of two CPU cores
  python recipes/gan_modes_stacked_mnist.py --preset smoke     under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses

from keras.optimizers import Adam

from keras_gen.baselines import mixture_samples
from keras_gen.data import Source, small_images, stacked_digits
from keras_gen.gan import GAN, PacGAN
from keras_gen.metrics import stacked_modes, trained_extractor
from keras_gen.networks import info_gan_discriminator, info_gan_generator
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import samples


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    images: int = 128_000  # Stacked images that are trained on
    latent_dim: int = 100  # Dimensions of the latents
    filters: int = 64  # Channels where the images are largest
    hidden: int = 1024  # Units of the generator's dense layer
    discriminator_hidden: int = 256  # Units of the discriminator's dense layer
    learning_rate: float = 2e-4  # Adam's rate for both networks
    beta_1: float = 0.5  # Adam's first momentum
    compared: int = 26_000  # Samples whose modes are counted
    classifier_steps: int = 1500  # Training steps of the classifier of digits


PRESETS = {
    "smoke": dict(images=500, filters=4, hidden=16, discriminator_hidden=8, latent_dim=4, epochs=2,
                  steps_per_epoch=10, batch_size=32, compared=200, classifier_steps=20,
                  steps_per_execution=5),
    "cpu": dict(images=60_000, filters=24, hidden=256, discriminator_hidden=64, epochs=10,
                steps_per_epoch=500, batch_size=128, grid_every=2, steps_per_execution=50),
    "paper": dict(epochs=50, steps_per_epoch=2000, batch_size=64, grid_every=5,
                  steps_per_execution=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    digits, labels = data.train.arrays()
    images, _ = stacked_digits(digits, labels, s.images, s.seed)
    shape, models = images.shape[1:], {}
    with run.strategy.scope():
        for name, pack in (("gan", 1), ("pac2", 2)):
            packs = (*shape[:2], pack * shape[2])
            discriminator = info_gan_discriminator(packs, s.filters, s.discriminator_hidden)
            networks = info_gan_generator(shape, s.latent_dim, s.filters, s.hidden), discriminator
            options = dict(pack=pack) if pack > 1 else {}
            models[name] = (PacGAN if pack > 1 else GAN)(*networks, **options, seed=s.seed)
            d_optimizer, g_optimizer = (Adam(s.learning_rate, s.beta_1) for _ in "dg")
            run.compile(models[name], d_optimizer=d_optimizer, g_optimizer=g_optimizer)
    run.fit(models["gan"], Source(images), samples, part="gan")
    run.fit(models["pac2"], Source(images), samples)

    with run.evaluation(models["pac2"]) as metrics:
        run.say(f"counting the modes of {s.compared} samples by a classifier of digits")
        extractor = trained_extractor(digits, labels, s.classifier_steps, s.seed)
        sets = {f"_{name}": model.sample(s.compared, seed=s.seed) for name, model in models.items()}
        sets["_mixture"] = mixture_samples(images, s.compared, seed=s.seed)
        test = data.test.arrays()
        sets["_floor"] = stacked_digits(*test, s.compared, s.seed)[0]
        modes = stacked_digits(digits, labels, 50_000, s.seed)[1]  # enough to have all of them
        for name in ("_pac2", "_gan", "_mixture", "_floor"):
            found = stacked_modes(sets[name], classify(extractor), reference=modes)
            metrics |= {key + name: value for key, value in found.items()}
        right = extractor(test[0])["logits"].argmax(axis=1) == test[1]
        metrics["classifier_accuracy"] = right.mean()
    run.export(models["pac2"], default="sample")


def classify(extractor):
    """Digits to logits."""
    return lambda images: extractor(images, batch_size=512)["logits"]


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
