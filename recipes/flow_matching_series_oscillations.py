"""Flow matching on time series: position and speed of a pendulum.

Lipman, Chen, Ben-Hamu, Nickel, Le: "Flow Matching for Generative Modeling", ICLR 2023, with a
one-dimensional U-Net.

  python recipes/flow_matching_series_oscillations.py                5 minutes on two CPU cores
  python recipes/flow_matching_series_oscillations.py --preset smoke under a minute

Expected result of the cpu preset: a KL divergence of 0.7 nats from the known density (mixture
of factor analyzers: 0.4; dense network: 2.7; Gaussian mixture: 4.3), and a mean log density of
samples that is 0.8 nats below the mean for real series (baselines in this order: 0.3, 12, and 22).

An example is a series `[steps, channels]` with 32 time steps and two channels, in millimeters and
millimeters per second; see `vae_series_oscillations`, which has the same data. The convolutions of
`FlowMatching.for_series` treat all steps in the same way. The dense network of
`FlowMatching.for_vectors`, which is trained for four times as many updates, has to learn which time
steps are neighbors.

The density of the series is known, so three metrics are measured on 500 test series and 2,000
samples: the KL divergence from the data, computed from the likelihood of the differential equation;
the number of nats by which the mean log density of samples is below that of real series, which
reveals inconsistent values within a series; and the difference between the lag-1 correlations of
positions over time in samples and in real series. The baselines are the dense network, a
Gaussian mixture with the best number of components on held-out series, and a mixture of 120 factor
analyzers.

Data: series generated at run time. The paper does not use them.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import with_standard_error

import dataclasses

import keras
import numpy as np
from keras.optimizers import Adam

from keras_gen.data import Oscillations, Sets, Source, Split
from keras_gen.diffusion import FlowMatching
from keras_gen.workshop.baselines import FactorMixture, best_mixture
from keras_gen.workshop.visualize import line_plot

SWINGS = Oscillations()
SHAPE = (SWINGS.steps, 2)


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    series: int = 50_000  # Number of training series
    compared: int = 500  # Number of test series
    sampled: int = 2000
    """Number of samples, and number of series held out to choose the mixtures."""
    filters: int = 16  # Channels of the U-Net at full resolution, doubled at half resolution
    dense_width: int = 128  # Units in each of the four layers of the dense network
    dense_epochs: int = 32  # Number of epochs for the dense network, whose steps take less time
    learning_rate: float = 2e-3  # Adam's learning rate; linear decay to 0 in the second half
    most_normals: int = 40
    """Maximum number of mixture components; 1/2 and 1/4 of this number are also tried."""
    mixed: int = 10_000  # Number of training series used to fit the Gaussian mixture


PRESETS = {
    "smoke": dict(series=500, compared=20, sampled=50, filters=8, dense_width=8, dense_epochs=2,
                  most_normals=4, mixed=500, epochs=2, steps_per_epoch=10, batch_size=20,
                  steps_per_execution=5),
    "cpu": dict(epochs=8, steps_per_epoch=200, batch_size=64, steps_per_execution=50,
                grid_every=5),
    "paper": dict(series=500_000, filters=64, dense_epochs=400, epochs=100,
                  steps_per_epoch=1000, batch_size=128, steps_per_execution=100, grid_every=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    train, test = (
        Source(SWINGS.sample(n, seed), origin=f"oscillations, {n} series, seed {seed}")
        for n, seed in ((s.series, s.seed), (s.compared, s.seed + 1))
    )
    run.load(Sets(oscillations=Split(train, test)), whole=True)

    with run.strategy.scope():
        widths = (s.filters, 2 * s.filters)
        model = FlowMatching.for_series(SHAPE, widths, seed=s.seed)
        run.compile(model, Adam(run.in_halves(s.learning_rate)))

    def draw(model):
        sets = {"measured": test.arrays()[:2], "sampled": model.sample(2, seed=s.seed)}
        times = np.arange(SWINGS.steps) / SWINGS.steps
        lines = {
            f"{name} {number}": (times, one[:, 0])
            for name, series in sets.items()
            for number, one in enumerate(series, 1)
        }
        return line_plot(lines, "time (seconds)", "position (millimeters)")

    # Each step: one gradient update on the loss of eq. (23).
    run.fit(model, train, draw)
    run.export(model, default="sample")

    keras.utils.set_random_seed(s.seed)
    with run.strategy.scope():
        dense = FlowMatching.for_vectors(SHAPE, s.dense_width, seed=s.seed)
        run.compile(dense, Adam(run.in_halves(s.learning_rate, s.dense_epochs)))
    run.fit(dense, train, part="dense", epochs=s.dense_epochs)

    run.say("fitting mixtures of Gaussians and of factor analyzers")
    sizes = [s.most_normals // divisor for divisor in (4, 2, 1)]
    held_out = flat(SWINGS.sample(s.sampled, s.seed + 2))
    mixture = best_mixture(flat(train.arrays()[: s.mixed]), held_out, sizes, s.seed)
    factors = FactorMixture(flat(train.arrays()), seed=s.seed)

    with run.evaluation(model) as metrics:
        series = test.arrays()
        truth = SWINGS.log_density(series)
        found = {name: each.log_prob(series) for name, each in (("", model), ("dense_", dense))}
        found["mixture_"] = mixture.score_samples(flat(series))
        found["factors_"] = factors.log_prob(flat(series))
        for name, log_q in found.items():
            metrics |= with_standard_error(f"{name}kl", truth - log_q)
        others = SWINGS.sample(s.sampled, s.seed + 3)
        samples = {
            "": model.sample(s.sampled, seed=s.seed),
            "dense_": dense.sample(s.sampled, seed=s.seed),
            "mixture_": mixture.sample(s.sampled)[0].reshape(-1, *SHAPE),
            "factors_": factors.sample(s.sampled, s.seed).reshape(-1, *SHAPE),
            "real_": SWINGS.sample(s.sampled, s.seed + 4),
        }
        density = SWINGS.log_density(others).mean()
        for name, drawn in samples.items():
            metrics[f"{name}excess"] = density - SWINGS.log_density(drawn).mean()
            metrics[f"{name}lag"] = lag_correlation(drawn)
            metrics[f"{name}lag_error"] = abs(lag_correlation(drawn) - lag_correlation(others))


def lag_correlation(series):
    """Returns the correlation of the positions at neighboring time steps."""
    return np.corrcoef(series[:, :-1, 0].ravel(), series[:, 1:, 0].ravel())[0, 1]


def flat(series):
    return series.reshape(len(series), -1).astype(np.float64)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
