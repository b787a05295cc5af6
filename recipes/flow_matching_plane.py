"""Flow matching with three probability paths on a 2-D checkerboard.

Lipman, Chen, Ben-Hamu, Nickel, Le: "Flow Matching for Generative Modeling", ICLR 2023; Tong et al.:
"Improving and Generalizing Flow-Based Generative Models with Minibatch Optimal Transport", TMLR
2024.

  python recipes/flow_matching_plane.py                 at most 45 minutes on two CPU cores
  python recipes/flow_matching_plane.py --preset smoke  under a minute

The same network learns the velocity on three paths: the path of diffusion models (cosine), straight
lines from any noise to any point (straight), and the shortest straight lines between the noise and
the points in a batch (optimal). Two results are reported: the KL divergence KL(p || q) from the
known density, computed from the likelihood of the differential equation, and the fraction of
samples on white squares, where the density is zero, with few Euler steps.

Data: points sampled at run time. The papers do not use them.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import with_standard_error

import dataclasses
from functools import partial

import keras
import numpy as np
from keras.optimizers import Adam

from keras_gen.data import Sets, Source, Split, checkerboard
from keras_gen.diffusion import CosinePath, FlowMatching
from keras_gen.workshop.baselines import best_mixture, point_densities
from keras_gen.workshop.visualize import flowing, planar_densities


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    points: int = 50_000  # Number of training points
    compared: int = 20_000  # Number of test points, and number of samples to compare with them
    width: int = 128  # Units in each of the four hidden layers
    learning_rate: float = 2e-3  # Adam's learning rate; linear decay to 0 in the second half
    most_gaussians: int = 80
    """Maximum number of mixture components; 1/2, 1/4, and 1/8 of this number are also tried."""


PRESETS = {
    "smoke": dict(points=1000, compared=200, width=8, most_gaussians=8, epochs=2,
                  steps_per_epoch=10, batch_size=64, steps_per_execution=5),
    "cpu": dict(epochs=40, steps_per_epoch=500, batch_size=256, steps_per_execution=100,
                grid_every=10),
    "paper": dict(points=500_000, epochs=50, steps_per_epoch=1000, batch_size=512,
                  steps_per_execution=100),
}  # fmt: skip

BOARD = checkerboard()
METHODS = {
    "cosine": dict(probability_path=CosinePath(offset=0.0)),
    "straight": dict(),
    "optimal": dict(pairing="optimal"),
}
FEW = (1, 2, 4, 50)  # numbers of sampling steps


def main(run: Run, s: Settings):
    train, test = (
        Source(BOARD.sample(n, seed), origin=f"checkerboard, {n} points, seed {seed}")
        for n, seed in ((s.points, s.seed), (s.compared, s.seed + 1))
    )
    run.load(Sets(checkerboard=Split(train, test)), whole=True)

    models = {}
    for method, options in METHODS.items():
        keras.utils.set_random_seed(s.seed)
        with run.strategy.scope():
            model = FlowMatching.for_vectors(
                2, s.width, standardize=False, seed=s.seed, **options
            )
            run.compile(model, Adam(run.in_halves(s.learning_rate)))
        models[method] = model

    # Each step: one gradient update on the loss of eq. (23).
    for method, model in models.items():
        run.fit(model, train, draw_density, part="" if method == "optimal" else method)
    run.export(models["optimal"], default="sample")

    sizes = [s.most_gaussians // divisor for divisor in (8, 4, 2, 1)]
    held_out = BOARD.sample(s.compared, s.seed + 2)
    mixture = best_mixture(train.arrays(), held_out, sizes, s.seed)
    rivals = point_densities(train.arrays(), held_out, s.seed)
    rivals["mixture"] = mixture.score_samples

    with run.evaluation(models["optimal"]) as metrics:
        points = test.arrays()
        densities = {method: log_density(model) for method, model in models.items()}
        for method, log_q in (densities | rivals).items():
            nats = BOARD.log_density(points) - log_q(points)
            metrics |= with_standard_error(f"kl_{method}", nats)
        for method, model in models.items():
            for steps in FEW:
                metrics[f"off_{method}_{steps}"] = off_board(model, s.compared, s.seed, steps)
        drawn, _ = mixture.sample(s.compared)
        metrics["off_mixture"] = float(np.isinf(BOARD.log_density(drawn)).mean())
        # The mass of the other baselines on white squares is estimated at uniform points.
        low, high = train.arrays().min(axis=0), train.arrays().max(axis=0)
        anywhere = np.random.default_rng(s.seed).uniform(low, high, (400_000, 2))
        is_white = np.isinf(BOARD.log_density(anywhere))
        for name in ("histogram", "trees"):
            mass = np.exp(rivals[name](anywhere))
            metrics[f"off_{name}"] = mass[is_white].sum() / mass.sum()
        rows = {"checkerboard": (points, {"known density": BOARD.log_density, **densities})}
        run.draw("densities", planar_densities(rows))
        run.animate("flowing", flowing(models))


def log_density(model):
    return partial(model.log_prob, batch_size=5000)


def off_board(model, n, seed, steps):
    """Returns the fraction of samples on white squares or outside the board."""
    drawn = model.sample(n, seed=seed, steps=steps, solver="euler", batch_size=5000)
    return float(np.isinf(BOARD.log_density(drawn)).mean())


def draw_density(model):
    densities = {"known density": BOARD.log_density, "flow matching": log_density(model)}
    return planar_densities({"checkerboard": (BOARD.sample(5000), densities)})


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
