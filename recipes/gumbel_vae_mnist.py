"""VAEs of categorical and of binary latents on binarized MNIST, by the Gumbel-softmax.

Jang, Gu, Poole: "Categorical Reparameterization with Gumbel-Softmax", ICLR 2017, and Maddison,
Mnih, Teh: "The Concrete Distribution: A Continuous Relaxation of Discrete Random Variables", ICLR
2017.

  python recipes/gumbel_vae_mnist.py                   about 15 minutes on two CPU cores
  python recipes/gumbel_vae_mnist.py --preset smoke    under a minute

Expected result of the cpu preset: a bound of 102.4 nats with categorical latents and of 106.6 with
binary ones; a mixture of Bernoulli distributions reaches 123.6.

As in the first paper: 20 latents of 10 categories, and 200 binary ones, each without a hidden layer
between them and the pixels (784-200-784); the divergence of hard codes from the uniform prior; a
temperature max(0.5, exp(-rate * step)). By 1,000 samples of hard codes the first reaches 101.5 nats
on the test set, the second 105.0 (table 1). `--estimator straight_through` trains the decoder on
hard codes, and `--prior relaxed` takes the divergence of relaxed codes, as Maddison et al. do. In
`classes.png` the latents of a digit, one in each row, take each of their categories.

Deviations: digits are binarized once, as in the paper, but by a draw of their own, and all of the
60,000 are trained on; Adam in place of gradient descent with momentum. Where fig. 4 ends the
network of categorical latents with 200, here too it ends with the pixels.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import fit_bernoulli_mixture

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
    learning_rate: float = 3e-3  # Adam's rate, constant in the first half, then linear to zero
    anneal_rate: float = 1e-4  # Of the temperature: 1e-5 or 1e-4 in the paper
    estimator: Literal["gumbel", "straight_through"] = "gumbel"
    """What the decoder is trained on: relaxed codes, or hard codes with their gradient."""
    prior: Literal["categorical", "relaxed"] = "categorical"
    """What the divergence is from: hard codes' prior, in closed form; or a prior that is relaxed at
    the same temperature, by one draw."""
    nll_samples: int = 1000  # Samples of the test bound: 1,000 in the paper
    templates: str = "300 1000"
    """Components of the baseline, a mixture of Bernoulli distributions. Of several numbers one
    is chosen, with held-out training digits."""


PRESETS = {
    "smoke": dict(epochs=2, steps_per_epoch=20, batch_size=20, nll_samples=5,
                  templates="5 10"),
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
        # 20 variables of 10 categories, and 200 of two.
        categorical = build(run, s, (20, 10), temperature)
        binary = build(run, s, (200, 2), temperature)

    # Each step: one update of encoder and decoder together.
    run.fit(binary, Source(train), part="binary")
    run.fit(categorical, Source(train), samples)
    run.export(categorical)

    mixture = fit_bernoulli_mixture(run, train)

    with run.evaluation(categorical) as metrics:
        for name, model in (("categorical", categorical), ("binary", binary)):
            run.say(
                f"{name}: bound of {len(test)} test images by {s.nll_samples} samples of each"
            )
            nats = importance_weighted_nll(model, test, s.nll_samples, seed=s.seed)
            metrics |= nll_summary(nats, f"{name}_")
        metrics["nll_mixture"] = -mixture.log_prob(test).mean()
        run.draw("classes", class_traversals(categorical, test[:1]))


def build(run, s, latents, temperature):
    """A compiled VAE of so many variables with so many categories."""
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
