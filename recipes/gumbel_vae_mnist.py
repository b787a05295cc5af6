"""Gumbel-softmax VAEs with categorical and binary latents on MNIST.

Jang, Gu, Poole: "Categorical Reparameterization with Gumbel-Softmax", ICLR 2017, and Maddison,
Mnih, Teh: "The Concrete Distribution: A Continuous Relaxation of Discrete Random Variables", ICLR
2017.

  python recipes/gumbel_vae_mnist.py                   about 15 minutes on two CPU cores
  python recipes/gumbel_vae_mnist.py --preset smoke    under a minute

Expected result of the cpu preset: a bound of 102.4 nats with categorical latents and 106.6 with
binary latents (boosted trees: 91.8; Bernoulli mixture: 123.6).

As in the first paper, the models have 20 latents with 10 categories, or 200 binary latents, without
a hidden layer between latents and pixels (784-200-784). The loss contains the KL divergence of hard
codes from the uniform prior, and the temperature is max(0.5, exp(-rate * step)). With 1,000 samples
of hard codes, the paper's models reach 101.5 and 105.0 nats on the test set (table 1). `--estimator
straight_through` trains the decoder on hard codes, and `--prior relaxed` uses the divergence of
relaxed codes, as in Maddison et al. In `classes.png`, each row varies one latent of a digit over
its categories.

Deviations: digits are binarized once, as in the paper, but with different random values, and all
60,000 digits are used for training; Adam is used instead of gradient descent with momentum. In fig.
4, the network for categorical latents ends with 200 units; here, it ends with the pixels.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import binary_baselines

import dataclasses
import math
from typing import Literal

from keras.optimizers import Adam

from keras_gen.core.schedules import Exponential
from keras_gen.data import Source, binarize, small_images
from keras_gen.metrics import importance_weighted_nll, nll_summary
from keras_gen.networks import mlp_networks
from keras_gen.vae import GumbelVAE
from keras_gen.workshop.visualize import class_traversals, samples


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    learning_rate: float = 3e-3  # Adam's learning rate; linear decay to 0 in the second half
    anneal_rate: float = 1e-4
    """Decay rate of the temperature per training step (paper: 1e-5 or 1e-4)."""
    estimator: Literal["gumbel", "straight_through"] = "gumbel"
    """Decoder input in training: gumbel uses relaxed codes; straight_through uses hard codes with
    the gradient of relaxed codes."""
    prior: Literal["categorical", "relaxed"] = "categorical"
    """Prior in the KL divergence. categorical: prior over hard codes, with the divergence in closed
    form. relaxed: prior with the codes' temperature, with the divergence estimated from one
    sample."""
    nll_samples: int = 1000  # Number of samples per test image for the NLL bound (paper: 1,000)
    templates: str = "300 1000"
    """Candidate numbers of components in the Bernoulli mixture, a baseline; the best number is
    chosen on held-out training digits."""
    boosted: int = 800_000  # Number of pixels used to train the boosted trees, a baseline


PRESETS = {
    "smoke": dict(epochs=2, steps_per_epoch=20, batch_size=20, nll_samples=5,
                  templates="5 10", boosted=1000),
    "cpu": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20,
                steps_per_execution=100),
    "paper": dict(epochs=1000, steps_per_epoch=600, batch_size=100, grid_every=50,
                  anneal_rate=1e-5, steps_per_execution=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist"))
    train = data.train.arrays(s.seed, binarize)
    test = data.test.arrays(s.seed, binarize)

    temperature = Exponential(1.0, 0.5, steps=round(math.log(2) / s.anneal_rate))
    with run.strategy.scope():
        # Compare 20 variables with 10 categories and 200 variables with two categories.
        categorical = build(run, s, (20, 10), temperature)
        binary = build(run, s, (200, 2), temperature)

    # Each step: one joint update of the encoder and the decoder.
    run.fit(binary, Source(train), part="binary")
    run.fit(categorical, Source(train), samples)
    run.export(categorical)

    baselines = binary_baselines(run, train, test)

    with run.evaluation(categorical) as metrics:
        for name, model in (("categorical", categorical), ("binary", binary)):
            run.say(
                f"estimating the bound of {len(test)} test images with {s.nll_samples} samples "
                f"each ({name} latents)"
            )
            nats = importance_weighted_nll(model, test, s.nll_samples, seed=s.seed)
            metrics |= nll_summary(nats, f"{name}_")
        metrics |= baselines
        run.draw("classes", class_traversals(categorical, test[:1]))


def build(run, s, latents, temperature):
    """Returns a compiled VAE with the given numbers of variables and categories."""
    encoder, decoder = mlp_networks(latent_dim=latents, hidden=())
    model = GumbelVAE(
        encoder,
        decoder,
        temperature=temperature,
        straight_through=s.estimator == "straight_through",
        prior_temperature=temperature if s.prior == "relaxed" else None,
        seed=s.seed,
    )
    run.compile(model, Adam(run.in_halves(s.learning_rate)))
    return model


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
