"""The original GAN on MNIST, evaluated with the metric from its paper.

Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014, algorithm 1 and table 1. In the
paper, the Parzen estimate from 10,000 samples is 225 nats per test digit.

  python recipes/gan_mnist.py                    at most 17 minutes on one of two CPU cores
  python recipes/gan_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a Parzen estimate of 161 nats (Gaussian mixture: 262).

The estimate is also computed for the same number of training digits and for a Gaussian mixture.
Such estimates favor blurred images, so other sample metrics are also reported. As in the authors'
code, the generator starts with the mean digit, and pixels removed by the discriminator's dropout
are black.

Deviations: Adam instead of stochastic gradient descent with increasing momentum; normal latents;
images in [-1, 1] with a tanh output instead of a sigmoid. In the cpu preset, the generator is
evaluated with averaged weights.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The width of the Parzen
window was chosen on 1,000 training digits that are not used for training.
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
    latent_dim: int = 100  # Number of latent dimensions
    hidden: int = 1200  # Units in each of the generator's two hidden layers
    maxout: int = 240
    """Five-piece maxout units in each of the discriminator's two hidden layers."""
    dropout: float = 0.5  # Fraction of the maxout units set to zero in training
    learning_rate: float = 2e-4
    """Adam's learning rate for both networks; linear decay to 0 in the second half."""
    ema: float = 0.0
    """EMA momentum for the generator; evaluation uses the averaged weights. 0 disables EMA."""
    compared: int = 10_000
    """Number of images to compare from each set: samples, test images, and training images."""
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


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

    # Each step: one update of the discriminator, then one update of the generator.
    run.fit(model, partial(train.stream, s.batch_size, s.seed), samples)
    run.export(model, default="sample")

    # Sample from the baseline, and train the classifiers whose features are compared. Images are
    # padded, because patch pyramids require a side length that is a power of two.
    mixture = mixture_samples(images, s.compared, seed=s.seed)
    padded_images = pad_to(images, 32).numpy()
    extractors = trained_extractors(padded_images, labels, s.classifier_steps)
    compared = test.take(s.compared).arrays()
    padded_compared = pad_to(compared, 32).numpy()
    padded_mixture = mixture_samples(padded_images, len(compared), seed=s.seed)

    with run.evaluation(model) as metrics:
        run.say(
            "comparing samples with digits, using Parzen windows, classifiers, and image patches"
        )
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
