"""Reflow on a 2-D checkerboard: one-step sampling.

Liu, Gong, Liu: "Flow Straight and Fast: Learning to Generate and Transfer Data with Rectified
Flow", ICLR 2023.

  python recipes/reflow_plane.py                 at most 18 minutes on two CPU cores
  python recipes/reflow_plane.py --preset smoke  under a minute

First, a flow (the teacher) learns straight lines from any noise to any point. The teacher then maps
noise to points, and a second flow (the student) learns the lines between these pairs. Three metrics
are reported for both flows: the fraction of samples from a few Euler steps that are on white
squares, where the density is zero; the straightness of the paths, which is 0 for straight lines;
and the KL divergence from the known density, in nats.

Data: points sampled at run time. The paper does not use them.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import with_standard_error

import dataclasses
from functools import partial

import keras
import numpy as np
from keras.optimizers import Adam

from keras_gen.data import Sets, Source, Split, checkerboard
from keras_gen.diffusion import FlowMatching, Reflow
from keras_gen.workshop.baselines import best_mixture, point_densities
from keras_gen.workshop.visualize import planar_densities


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    points: int = 50_000  # Number of training points
    pairs: int = 200_000  # Number of pairs of noise and teacher samples
    compared: int = 20_000  # Number of test points, and number of samples to compare with them
    paths: int = 5000  # Number of paths whose straightness is measured
    width: int = 128  # Units in each of the four hidden layers
    learning_rate: float = 2e-3  # Adam's learning rate; linear decay to 0 in the second half


PRESETS = {
    "smoke": dict(points=1000, pairs=500, compared=200, paths=50, width=8, epochs=2,
                  steps_per_epoch=10, batch_size=64, steps_per_execution=5),
    "cpu": dict(epochs=40, steps_per_epoch=500, batch_size=256, steps_per_execution=100,
                grid_every=10),
    "paper": dict(points=500_000, pairs=1_000_000, epochs=50, steps_per_epoch=1000,
                  batch_size=512, steps_per_execution=100),
}  # fmt: skip

BOARD = checkerboard()
FEW = (1, 2, 4, 50)  # numbers of sampling steps
GAUSSIANS = (10, 20, 40, 80)  # candidate numbers of Gaussians in the mixture


def main(run: Run, s: Settings):
    train, test = (
        Source(BOARD.sample(n, seed), origin=f"checkerboard, {n} points, seed {seed}")
        for n, seed in ((s.points, s.seed), (s.compared, s.seed + 1))
    )
    run.load(Sets(checkerboard=Split(train, test)), whole=True)

    models = {}
    for name, method in {"teacher": FlowMatching, "student": Reflow}.items():
        keras.utils.set_random_seed(s.seed)
        with run.strategy.scope():
            model = method.for_vectors(2, s.width, standardize=False, seed=s.seed)
            run.compile(model, Adam(run.in_halves(s.learning_rate)))
        models[name] = model
    teacher, student = models.values()

    # Each step: one gradient update on the loss of eq. (1).
    run.fit(teacher, train, draw_steps, part="teacher")
    run.say(f"mapping {s.pairs} noise samples to points, using the teacher")
    noise = np.random.default_rng(s.seed).normal(size=(s.pairs, 2)).astype("float32")
    pairs = Source((teacher.decode(noise, batch_size=5000), noise))
    run.fit(student, pairs, draw_steps)
    run.export(student, default="sample")

    held_out = BOARD.sample(s.compared, s.seed + 2)
    mixture = best_mixture(train.arrays(), held_out, GAUSSIANS, s.seed)
    rivals = point_densities(train.arrays(), held_out, s.seed)
    rivals["mixture"] = mixture.score_samples

    with run.evaluation(student) as metrics:
        points = test.arrays()
        densities = {
            name: partial(model.log_prob, batch_size=5000) for name, model in models.items()
        }
        for name, log_q in (densities | rivals).items():
            nats = BOARD.log_density(points) - log_q(points)
            metrics |= with_standard_error(f"kl_{name}", nats)
        drawn, _ = mixture.sample(s.compared)
        metrics["off_mixture"] = float(np.isinf(BOARD.log_density(drawn)).mean())
        # The mass of the other baselines on white squares is estimated at uniform points.
        low, high = train.arrays().min(axis=0), train.arrays().max(axis=0)
        anywhere = np.random.default_rng(s.seed).uniform(low, high, (400_000, 2))
        is_white = np.isinf(BOARD.log_density(anywhere))
        for name in ("histogram", "trees"):
            mass = np.exp(rivals[name](anywhere))
            metrics[f"off_{name}"] = mass[is_white].sum() / mass.sum()
        for name, model in models.items():
            metrics[f"straightness_{name}"] = model.straightness(s.paths, s.seed + 1)
            for steps in FEW:
                drawn = draw(model, s.compared, s.seed, steps)
                metrics[f"off_{name}_{steps}"] = float(np.isinf(BOARD.log_density(drawn)).mean())
        known = {"known": BOARD.log_density}
        rows = {
            f"{name}, 1 step": (draw(model, 5000, s.seed, 1), known)
            for name, model in models.items()
        }
        run.draw("one_step", planar_densities(rows))


def draw(model, n, seed, steps):
    return model.sample(n, seed=seed, steps=steps, solver="euler", batch_size=5000)


def draw_steps(model):
    known = {"known": BOARD.log_density}
    rows = {f"{steps} steps": (draw(model, 5000, 0, steps), known) for steps in (1, 4)}
    return planar_densities(rows)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
