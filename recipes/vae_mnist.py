"""VAE on binarized MNIST.

Kingma, Welling: "Auto-Encoding Variational Bayes", ICLR 2014.

  python recipes/vae_mnist.py                    about 29 minutes on two CPU cores
  python recipes/vae_mnist.py --preset smoke     under a minute
  python recipes/vae_mnist.py --preset paper --steps-per-epoch 600 --batch-size 100 \\
      --steps-per-execution 600                  155 minutes on one core: the published run

Expected result of the published run: a test NLL of 86.66 nats (boosted trees: 92.0).

The network and the training follow Burda, Grosse, Salakhutdinov: "Importance Weighted
Autoencoders", ICLR 2016 (200-200-50, tanh, dynamic binarization, Adam with eps 1e-4; the decoder
starts with the mean digit, as in the authors' code). Their VAE with one sample reaches a test NLL
of 86.76 nats with 5,000 importance samples, which are also used here.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import binary_baselines

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from keras.optimizers import Adam
from keras.optimizers.schedules import PiecewiseConstantDecay

from keras_gen.data import binarize, small_images
from keras_gen.metrics import active_units, importance_weighted_nll, nll_summary
from keras_gen.networks import mlp_networks, start_at_mean
from keras_gen.vae import VAE
from keras_gen.workshop.visualize import interpolations, samples


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    images: Path | None = None  # Your own image folder
    latent_dim: int = 50  # Number of latent dimensions
    hidden: int = 200  # Units in each of the two hidden layers of the encoder and decoder
    beta: float = 1.0  # Weight of the KL divergence
    learning_rate: float = 1e-3  # Adam's initial learning rate
    schedule: Literal["burda", "linear"] = "burda"
    """Learning-rate schedule. burda divides the run into equal parts, as in the paper, and
    multiplies the rate by 10^(-1/7) after 1, 1 + 3, 1 + 3 + 9, ... of these parts. linear decreases
    the rate to 0 in the second half of the run, which works better for short runs."""
    nll_samples: int = 5000  # Number of importance samples for the test NLL (paper: 5,000)
    templates: str = "100 300 1000"
    """Candidate numbers of components in the Bernoulli mixture, a baseline; the best number is
    chosen on held-out training digits."""
    boosted: int = 800_000  # Number of pixels used to train the boosted trees, a baseline


PRESETS = {
    "smoke": dict(hidden=32, latent_dim=8, epochs=2, steps_per_epoch=20, batch_size=20,
                  nll_samples=10, templates="5 10", boosted=1000),
    "cpu": dict(epochs=600, steps_per_epoch=600, batch_size=100, grid_every=50,
                schedule="linear", steps_per_execution=100),
    "paper": dict(epochs=3280, steps_per_epoch=3000, batch_size=20, grid_every=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", images=s.images), train=s.batch_size)
    train = data.train.arrays(s.seed, binarize)
    test = data.test.batches(100, s.seed, augment_batch=binarize)
    test_images = np.concatenate(list(test.as_numpy_iterator()))

    with run.strategy.scope():
        encoder, decoder = mlp_networks(
            latent_dim=s.latent_dim,
            hidden=(s.hidden, s.hidden),
            heads=("mean", "log_variance"),
        )
        start_at_mean(decoder, train)
        model = VAE(encoder, decoder, likelihood="bernoulli", beta=s.beta, seed=s.seed)
        rate = run.in_halves(s.learning_rate) if s.schedule == "linear" else burda_schedule(s)
        run.compile(model, Adam(rate, epsilon=1e-4))

    # Each step: one joint update of the encoder and the decoder.
    stream = partial(data.train.stream, s.batch_size, s.seed, augment_batch=binarize)
    run.fit(model, stream, samples)
    run.export(model)

    baselines = binary_baselines(run, train, test_images)

    with run.evaluation(model) as metrics:
        count = len(test_images)
        run.say(
            f"estimating the NLL of {count} test images with {s.nll_samples} importance samples "
            "each"
        )
        nats = importance_weighted_nll(model, test_images, s.nll_samples, seed=s.seed)
        metrics |= nll_summary(nats)
        means, *_ = model.encode(test_images)
        metrics["active_units"], _ = active_units(means)
        metrics |= model.evaluate(test, return_dict=True, verbose=0)
        metrics |= baselines
        starts, ends = np.split(test_images[: 2 * min(8, count // 2)], 2)
        run.draw("lines", interpolations(model, starts, ends))


def burda_schedule(s):
    """Returns 3^i passes at 10^(-i/7) of the rate for i = 0 to 7, scaled to this run's length."""
    steps = s.epochs * s.steps_per_epoch
    ends = [steps * (3**i - 1) // (3**8 - 1) for i in range(1, 8)]
    rates = [s.learning_rate * 10 ** (-i / 7) for i in range(8)]
    return PiecewiseConstantDecay(ends, rates)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
