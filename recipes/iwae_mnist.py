"""IWAE with 1, 5, and 50 samples on binarized MNIST.

Burda, Grosse, Salakhutdinov: "Importance Weighted Autoencoders", ICLR 2016.

  python recipes/iwae_mnist.py                    44 minutes on two CPU cores (shared)
  python recipes/iwae_mnist.py --preset smoke     under a minute
  python recipes/iwae_mnist.py --start-from vae_mnist --epochs 30 --steps-per-epoch 600 \\
      --batch-size 100 --learning-rate 3e-4       71 minutes on one core: the published run

Expected result of the published run: a test NLL of 86.46 nats with k = 1, 85.88 with k = 5, and
85.46 with k = 50 (boosted trees: 91.8; Bernoulli mixture: 123.6).

The published run starts all three models from the weights of a long-trained VAE, the export of
`vae_mnist` with 86.66 nats, and trains each model, including k = 1, for 30 passes, so only the
bound differs. After a few passes from random weights, the models are worse than this VAE. The
authors also continued the training of a VAE with k = 50.

As in the paper, the setup is one layer of latents (200-200-50, tanh), dynamic binarization, batches
of 20, Adam with eps 1e-4, and a decoder that starts with the mean digit. Bounds with more samples
give better models: in table 1, the test NLL with 5,000 importance samples is 86.76 nats for k = 1
(the VAE), 85.54 for k = 5, and 84.78 for k = 50. Here, all three models are trained for the same
number of steps, although a step with k = 50 decodes 50 times as many latents. Half of the time is
spent on the test NLL.

Deviations: Adam's learning rate is constant in the first half and then decays linearly, whereas the
paper uses eight successive rates, each for three times as many passes as the previous rate.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import binary_baselines

import dataclasses
from functools import partial
from typing import Literal

from keras.optimizers import Adam

from keras_gen.data import binarize, small_images
from keras_gen.metrics import active_units, importance_weighted_nll, nll_summary
from keras_gen.networks import mlp_networks, start_at_mean
from keras_gen.serving.export import load_weights
from keras_gen.vae import IWAE
from keras_gen.workshop.visualize import samples


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 50  # Number of latent dimensions
    hidden: int = 200  # Units in each of the two hidden layers of the encoder and decoder
    estimator: Literal["standard", "dreg"] = "standard"
    """Estimator of the encoder's gradient: standard, as in the paper, or dreg (Tucker et al.,
    2019), which has the same mean and a lower variance."""
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    nll_samples: int = 5000  # Number of importance samples for the test NLL (paper: 5,000)
    templates: str = "300 1000"
    """Candidate numbers of components in the Bernoulli mixture, a baseline; the best number is
    chosen on held-out training digits."""
    boosted: int = 800_000  # Number of pixels used to train the boosted trees, a baseline


PRESETS = {
    "smoke": dict(hidden=32, latent_dim=8, epochs=2, steps_per_epoch=20, batch_size=20,
                  nll_samples=10, templates="5 10", boosted=1000),
    "cpu": dict(epochs=16, steps_per_epoch=3000, batch_size=20, grid_every=4,
                steps_per_execution=100),
    "paper": dict(epochs=3280, steps_per_epoch=3000, batch_size=20, grid_every=100,
                  steps_per_execution=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist"))
    train = data.train.arrays(s.seed, binarize)
    test = data.test.arrays(s.seed, binarize)

    models = {}
    for k in (1, 5, 50):
        with run.strategy.scope():
            encoder, decoder = mlp_networks(
                latent_dim=s.latent_dim,
                hidden=(s.hidden, s.hidden),
                heads=("mean", "log_variance"),
            )
            start_at_mean(decoder, train)
            models[k] = IWAE(encoder, decoder, samples=k, estimator=s.estimator, seed=s.seed)
            if s.start_from:  # all three models start from it, not only the main model
                load_weights(models[k], s.start_from)
            run.compile(models[k], Adam(run.in_halves(s.learning_rate), epsilon=1e-4))

    # Each step: one joint update of the encoder and the decoder. The main model uses 50 samples.
    stream = partial(data.train.stream, s.batch_size, s.seed, augment_batch=binarize)
    run.fit(models[1], stream, part="k1")
    run.fit(models[5], stream, part="k5")
    run.fit(models[50], stream, samples)
    run.export(models[50])

    baselines = binary_baselines(run, train, test)

    with run.evaluation(models[50]) as metrics:
        for k in (50, 5, 1):
            run.say(
                f"estimating the NLL of {len(test)} test images with {s.nll_samples} importance "
                f"samples each (k = {k})"
            )
            nats = importance_weighted_nll(models[k], test, s.nll_samples, seed=s.seed)
            means, *_ = models[k].encode(test)
            in_use, _ = active_units(means)
            metrics |= nll_summary(nats, f"k{k}_")
            metrics[f"k{k}_active_units"] = in_use
        metrics |= baselines


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
