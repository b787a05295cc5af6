"""VAE on time series: position and speed of a pendulum.

Kingma, Welling: "Auto-Encoding Variational Bayes", ICLR 2014, with a normal likelihood, whose mean
and standard deviation the decoder returns.

  python recipes/vae_series_oscillations.py                  about 4 minutes on one of two CPU cores
  python recipes/vae_series_oscillations.py --preset smoke   under a minute

Expected result of the cpu preset: a log-likelihood 1.8 nats below the known density (mixture of
factor analyzers: 0.4; Gaussian mixture: 4.1; Gaussian: 8.4).

An example is a series `[steps, channels]` with 32 time steps and two channels, in millimeters and
millimeters per second. `VAE.for_vectors` computes each channel's mean and standard deviation in the
first call to `fit`, and returns samples and nats in these units. Each series has its own frequency
and phase, which the latents have to represent.

The density of the series is known, so the mean of log p - log q over test series can be measured,
where log q is the bound. This mean is the sum of the KL divergence KL(p || q) and the gap between
the bound and the likelihood. It is also measured for a normal distribution with full covariance,
for probabilistic PCA with the best number of components on held-out series, and for two mixtures
with the best number of components, each of which can represent one frequency and phase: of
Gaussians with full covariance, and of factor analyzers, which need far fewer series per component.

Data: series generated at run time. The paper does not use them.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import with_standard_error

import dataclasses

import numpy as np
from keras.optimizers import Adam
from sklearn.decomposition import PCA

from keras_gen.data import Oscillations, Sets, Source, Split
from keras_gen.metrics import active_units
from keras_gen.vae import VAE
from keras_gen.workshop.baselines import FactorMixture, best_mixture
from keras_gen.workshop.visualize import line_plot

SWINGS = Oscillations()
COMPONENTS = (2, 4, 8, 16, 32)  # numbers of principal components to try


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    series: int = 50_000  # Number of training series
    compared: int = 2000
    """Number of test series, and number of series held out to choose the baselines' settings."""
    latent_dim: int = 6  # Number of latent dimensions
    hidden: int = 128  # Units in each of the two hidden layers of the encoder and decoder
    learning_rate: float = 2e-3  # Adam's learning rate; linear decay to 0 in the second half
    most_normals: int = 40
    """Maximum number of mixture components; 1/2 and 1/4 of this number are also tried."""
    mixed: int = 10_000  # Number of training series used to fit the Gaussian mixture
    analyzers: str = "60 120 240"
    """Candidate numbers of factor analyzers in the mixture fitted to all training series; the best
    number is chosen."""


PRESETS = {
    "smoke": dict(series=500, compared=50, hidden=8, most_normals=4, mixed=500, analyzers="4",
                  epochs=2, steps_per_epoch=10, batch_size=20, steps_per_execution=5),
    "cpu": dict(epochs=30, steps_per_epoch=1000, batch_size=100, steps_per_execution=100,
                grid_every=10),
    "paper": dict(series=500_000, hidden=512, epochs=100, steps_per_epoch=2000, batch_size=100,
                  steps_per_execution=100, grid_every=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    train, test = (
        Source(SWINGS.sample(n, seed), origin=f"oscillations, {n} series, seed {seed}")
        for n, seed in ((s.series, s.seed), (s.compared, s.seed + 1))
    )
    run.load(Sets(oscillations=Split(train, test)), whole=True)

    with run.strategy.scope():
        hidden = (s.hidden, s.hidden)
        model = VAE.for_vectors(
            (SWINGS.steps, 2), s.latent_dim, hidden, likelihood="unbounded_normal", seed=s.seed
        )
        run.compile(model, Adam(run.in_halves(s.learning_rate)))

    def draw(model):
        shown = test.arrays()[:2]
        sets = {
            "measured": shown,
            "reconstructed by the VAE": model.reconstruct(shown),
            "sampled from the VAE": model.sample(2, seed=s.seed),
        }
        times = np.arange(SWINGS.steps) / SWINGS.steps
        lines = {
            f"{name} {number}": (times, one[:, 0])
            for name, series in sets.items()
            for number, one in enumerate(series, 1)
        }
        return line_plot(lines, "time (seconds)", "position (millimeters)")

    # Each step: one joint gradient update of the encoder and the decoder on the bound.
    run.fit(model, train, draw)
    run.export(model, default="sample")

    run.say("fitting normal distributions and mixtures")
    held_out = SWINGS.sample(s.compared, s.seed + 2)
    densities = baselines(s, flat(train.arrays()), flat(held_out))
    with run.evaluation(model) as metrics:
        series = test.arrays()
        truth = SWINGS.log_density(series)
        found = {"vae": model.log_prob(series)}
        found |= {name: log_density(flat(series)) for name, log_density in densities.items()}
        for name, log_q in found.items():
            metrics |= with_standard_error(f"kl_{name}", truth - log_q)
        metrics["entropy"] = -truth.mean()
        means, _ = model.encode(series)
        metrics["active_units"], _ = active_units(means)


def baselines(s, train, held_out):
    """Returns a function for each method that computes log-densities of flat series."""
    normal = best_mixture(train, held_out, [1], s.seed)
    fitted = [PCA(count).fit(train) for count in COMPONENTS]
    components = max(fitted, key=lambda one: one.score(held_out))
    sizes = [s.most_normals // divisor for divisor in (4, 2, 1)]
    mixture = best_mixture(train[: s.mixed], held_out, sizes, s.seed)
    numbers = [int(number) for number in s.analyzers.split()]
    several = [FactorMixture(train, number, seed=s.seed) for number in numbers]
    factors = max(several, key=lambda one: one.log_prob(held_out).mean())
    return {
        "normal": normal.score_samples,
        "pca": components.score_samples,
        "mixture": mixture.score_samples,
        "factors": factors.log_prob,
    }


def flat(series):
    return series.reshape(len(series), -1).astype(np.float64)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
