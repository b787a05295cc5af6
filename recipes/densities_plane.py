"""MADE and a flow on 2-D densities, compared with a Gaussian mixture.

Germain et al.: "MADE: Masked Autoencoder for Distribution Estimation", ICML 2015, with the
conditionals of Uria et al.: "RNADE: The Real-valued Neural Autoregressive Density-Estimator", NIPS
2013; Dinh et al.: "Density Estimation Using Real NVP", ICLR 2017.

  python recipes/densities_plane.py                    6 to 14 minutes on one of two CPU cores
  python recipes/densities_plane.py --preset smoke     under a minute

Expected result of the cpu preset: a KL divergence from the checkerboard of 0.05 nats for MADE
(histogram: 0.001; Gaussian mixture: 0.13).

The data are two moons, three rings, and a checkerboard. Because the densities are known, the KL
divergence KL(p || q) between the data and each model can be measured as the mean of log p - log q
over test points. Moons and rings are themselves mixtures of hundreds of Gaussians, which favors the
Gaussian mixture, although it has fewer components. The number of components is chosen on held-out
points. `densities.png` shows the points, the known density, and the density of each model.

Data: points sampled at run time. The papers do not use them.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import with_standard_error

import dataclasses
from functools import partial

import keras
from keras.optimizers import Adam

from keras_gen.autoregressive import MADE
from keras_gen.data import Sets, Source, Split, checkerboard, rings, two_moons
from keras_gen.flows import Flow
from keras_gen.losses import NormalMixture
from keras_gen.networks import coupling_flow, made
from keras_gen.workshop.baselines import best_mixture, point_densities
from keras_gen.workshop.visualize import planar_densities


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    points: int = 50_000  # Number of training points per dataset
    compared: int = 20_000  # Number of test points per dataset
    mixtures: int = 20
    """Number of Gaussians in each conditional distribution of the autoregressive model."""
    couplings: int = 16  # Number of coupling layers in the flow
    hidden: int = 64  # Units in each of the two hidden layers of both models
    learning_rate: float = 3e-3  # Adam's learning rate; linear decay to 0 in the second half
    most_gaussians: int = 80
    """Maximum number of mixture components; 1/2, 1/4, and 1/8 of this number are also tried."""


PRESETS = {
    "smoke": dict(points=1000, compared=500, mixtures=4, couplings=2, hidden=8, most_gaussians=8,
                  epochs=2, steps_per_epoch=10, batch_size=64, steps_per_execution=5),
    "cpu": dict(epochs=40, steps_per_epoch=500, batch_size=256, steps_per_execution=100,
                grid_every=10),
    "paper": dict(points=500_000, epochs=50, steps_per_epoch=1000, batch_size=512,
                  steps_per_execution=100),
}  # fmt: skip

DISTRIBUTIONS = {"moons": two_moons(), "rings": rings(), "checkerboard": checkerboard()}
METHODS = ("made", "flow")
IN_WORDS = {"made": "MADE", "flow": "affine couplings", "mixture": "Gaussian mixture"}
MAIN = ("checkerboard", "made")


def main(run: Run, s: Settings):
    sets = {}
    for name, distribution in DISTRIBUTIONS.items():
        train, test = (
            Source(distribution.sample(n, seed), origin=f"{name}, {n} points, seed {seed}")
            for n, seed in ((s.points, s.seed), (s.compared, s.seed + 1))
        )
        sets[name] = Split(train, test)
    run.load(Sets(**sets), whole=True)

    models = {}
    for name in DISTRIBUTIONS:
        for method in METHODS:
            models[name, method] = build(run, s, method)

    # Each step: one gradient update on the exact log-likelihood.
    for (name, method), model in models.items():
        part = "" if (name, method) == MAIN else f"{name}_{method}"
        run.fit(model, sets[name].train, partial(draw_density, name, method), part=part)
    run.export(models[MAIN], default="sample")

    sizes = [s.most_gaussians // divisor for divisor in (8, 4, 2, 1)]
    with run.evaluation(models[MAIN]) as metrics:
        rows = {}
        for name, distribution in DISTRIBUTIONS.items():
            held_out = distribution.sample(s.compared, s.seed + 2)
            mixture = best_mixture(sets[name].train.arrays(), held_out, sizes, s.seed)
            metrics[f"gaussians_{name}"] = mixture.n_components
            densities = {method: log_density(models[name, method]) for method in METHODS}
            densities["mixture"] = mixture.score_samples
            rivals = point_densities(sets[name].train.arrays(), held_out, s.seed)
            test = sets[name].test.arrays()
            for method, log_q in (densities | rivals).items():
                nats = distribution.log_density(test) - log_q(test)
                metrics |= with_standard_error(f"kl_{name}_{method}", nats)
            shown = {IN_WORDS[method]: log_q for method, log_q in densities.items()}
            rows[name] = test, {"known density": distribution.log_density, **shown}
        run.draw("densities", planar_densities(rows))


def build(run, s, method):
    """Returns a compiled model for points."""
    keras.utils.set_random_seed(s.seed)
    with run.strategy.scope():
        if method == "made":
            likelihood = NormalMixture(s.mixtures)
            network = made(2, likelihood.params_per_value, hidden=(s.hidden, s.hidden))
            model = MADE(network, likelihood, seed=s.seed)
        else:
            network = coupling_flow((2,), steps=s.couplings, hidden=(s.hidden, s.hidden))
            model = Flow(network, seed=s.seed)
        run.compile(model, Adam(run.in_halves(s.learning_rate)))
    return model


def log_density(model):
    return partial(model.log_prob, batch_size=10_000)


def draw_density(name, method, model):
    distribution = DISTRIBUTIONS[name]
    densities = {"known density": distribution.log_density, IN_WORDS[method]: log_density(model)}
    return planar_densities({name: (distribution.sample(5000), densities)})


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
