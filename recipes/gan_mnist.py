"""The first GAN: dense networks that draw digits, with the number that its paper reports.

Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014, algorithm 1 and table 1: the Parzen
estimate of 10,000 samples is 225 nats per test digit.

  python recipes/gan_mnist.py                    17 minutes at most on one of two CPU cores
  python recipes/gan_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a Parzen estimate of 161 nats; 262 of a mixture of Gaussians.

The same estimate is made of as many training digits and of a mixture of Gaussians. Such estimates
prefer blur, so other measures of generators are taken too. As in the authors' code the generator
starts with the mean digit, and pixels that the discriminator's dropout removes are black.

Deviations: Adam in place of stochastic gradient descent with a momentum that rises; Normal latents;
images in [-1, 1], by a tanh where the authors have a sigmoid; what is measured in the cpu preset is
an average of the generator's weights.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The width of the Parzen
windows was chosen by 1,000 digits of the training set that were not trained on.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import pad_to, small_images
from keras_gen.gan import GAN
from keras_gen.metrics import (
    best_parzen_std,
    parzen_log_likelihood,
    sample_report,
    trained_extractors,
)
from keras_gen.networks import maxout_discriminator, mlp_decoder, start_at_mean
from keras_gen.workshop.baselines import mixture_samples
from keras_gen.workshop.visualize import samples


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 100  # Dimensions of the latents
    hidden: int = 1200  # Units of each of the generator's two hidden layers
    maxout: int = 240  # Units of each of the discriminator's two hidden layers, of five pieces
    dropout: float = 0.5  # Fraction of these that are set to zero in training
    learning_rate: float = 2e-4  # Adam's rate for both, in the second half linear to zero
    ema: float = 0.0  # Momentum of the generator's weight average, which is evaluated; 0: none
    compared: int = 10_000  # Samples, test images and training images that are compared
    classifier_steps: int = 1500
    """Training steps of each classifier whose features they are compared in."""


PRESETS = {
    "smoke": dict(latent_dim=4, hidden=16, maxout=8, epochs=2, steps_per_epoch=10,
                  batch_size=20, steps_per_execution=5, compared=100, classifier_steps=20),
    "cpu": dict(hidden=600, maxout=120, dropout=0.3, learning_rate=5e-4, ema=0.998, epochs=16,
                steps_per_epoch=1000, batch_size=100, grid_every=4, steps_per_execution=50),
    "paper": dict(epochs=200, steps_per_epoch=500, batch_size=100, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    split = data.for_validation(len(data.train) // 6)
    train = split.train.map(without_label)
    held_out = split.test.map(without_label)
    test = data.test.map(without_label)
    images, labels = split.train.arrays()

    with run.strategy.scope():
        generator = mlp_decoder(
            latent_dim=s.latent_dim,
            hidden=(s.hidden, s.hidden),
            activation="relu",
            output_activation="tanh",
            name="generator",
        )
        start_at_mean(generator, images / np.float32(255))
        discriminator = maxout_discriminator(hidden=(s.maxout, s.maxout), dropout=s.dropout)
        model = GAN(generator, discriminator, seed=s.seed)
        d_optimizer = Adam(run.in_halves(s.learning_rate), 0.5)
        g_optimizer = run.averaged(Adam(run.in_halves(s.learning_rate), 0.5))
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    # Each step: one update of the discriminator, then one of the generator.
    run.fit(model, partial(train.stream, s.batch_size, s.seed), samples)
    run.export(model, default="sample")

    # The baseline, and the classifiers in whose features samples are compared. The pyramids of
    # patches want a side that is a power of two.
    mixture = mixture_samples(images, s.compared, seed=s.seed)
    padded_images = pad_to(images, 32).numpy()
    extractors = trained_extractors(padded_images, labels, s.classifier_steps)
    compared = test.take(s.compared).arrays()
    padded_compared = pad_to(compared, 32).numpy()
    padded_mixture = mixture_samples(padded_images, len(compared), seed=s.seed)

    with run.evaluation(model) as metrics:
        run.say("comparing samples with digits, by windows, two classifiers and patches")
        drawn = model.sample(s.compared, seed=s.seed)
        choosing = held_out.take(s.compared // 10).arrays()
        centers = {
            "parzen": drawn,
            "parzen_digits": images[: s.compared],
            "parzen_mixture": mixture,
        }
        for name, each in centers.items():
            std = best_parzen_std(each, choosing)
            metrics[name] = parzen_log_likelihood(each, compared, std).mean()
        sets = {"": pad_to(drawn, 32).numpy(), "baseline_": padded_mixture}
        metrics |= sample_report(extractors, padded_images, padded_compared, sets, s.seed)
        metrics |= model.evaluate(test.batches(100), return_dict=True, verbose=0)


def without_label(image, _):
    return image


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
