"""Training dynamics of the Dirac-GAN: simultaneous, alternating, consensus, and R1.

Mescheder, Nowozin, Geiger: "The Numerics of GANs", NeurIPS 2017; Mescheder, Geiger, Nowozin:
"Which Training Methods for GANs do actually Converge?", ICML 2018.

  python recipes/gan_fields.py                    under a minute on two CPU cores
  python recipes/gan_fields.py --preset smoke     a few seconds

Expected result: after 200 steps, the distance to the equilibrium is 0.00001 with consensus
optimization, 0.002 with R1 of the same weight, 0.68 with alternating steps, and 1.91 with
simultaneous steps.

The game is the Dirac-GAN with the Wasserstein objective. Simultaneous steps leave the equilibrium,
alternating steps circle around it, and consensus optimization and R1 approach it. `fields.png`
shows the update field of each method, and a path in this field. The recipe reports the end points
of the paths, and the difference between a step's eigenvalues at the equilibrium and their
theoretical values.

Data: the number 0, repeated. The papers report no metrics for these data.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import SGD

from keras_gen.data import Split, points_around
from keras_gen.gan import GAN, ConsensusGAN
from keras_gen.losses import R1
from keras_gen.metrics import trajectory, update_field, update_jacobian
from keras_gen.networks import dirac_networks
from keras_gen.workshop.visualize import vector_fields


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    rate: float = 0.1  # Learning rate for gradient descent
    moves: int = 200  # Number of steps in each path
    gamma: float = 0.6  # Weight of the consensus-optimization regularizer and of the R1 penalty


PRESETS = {
    "smoke": dict(moves=5, epochs=2, steps_per_epoch=2, batch_size=4),
    "cpu": dict(epochs=4, steps_per_epoch=50, batch_size=4),
    "paper": dict(epochs=4, steps_per_epoch=50, batch_size=4),
}  # fmt: skip

ZERO = np.zeros((1, 1))  # the batch of each step
START = np.full(2, 0.5)  # theta and psi at the start of each path
EQUILIBRIUM = np.zeros(2)  # theta and psi at the equilibrium
NAMES = ["θ of the generator", "ψ of the discriminator"]
IN_WORDS = {"r1": "R1"}


def main(run: Run, s: Settings):
    zeros = points_around(ZERO, 0.0, 1000, s.seed)
    data = run.load(Split(zeros, zeros))

    with run.strategy.scope():
        games = build_games(run, s)
    model = games["consensus"]
    # Each step: both players are updated simultaneously, along their gradients and toward
    # consensus.
    run.fit(model, data.train, partial(draw_field, s))
    run.export(model, default="sample")

    theory = step_matrices(s)
    with run.evaluation(model) as metrics:
        panels = {}
        errors = []
        for name, game in games.items():
            shown = panel(game, START, s.moves)
            panels[IN_WORDS.get(name, name)] = shown
            _, _, path = shown
            step = update_jacobian(game, ZERO, EQUILIBRIUM)
            found = np.sort_complex(np.linalg.eigvals(step))
            expected = np.sort_complex(np.linalg.eigvals(theory[name]))
            errors.append(np.abs(found - expected).max())
            metrics[f"end_{name}"] = np.linalg.norm(path[-1])
            metrics[f"modulus_{name}"] = np.abs(found).max()
        metrics["eigenvalue_error"] = max(errors)
        run.draw("fields", vector_fields(panels, NAMES))


def build_games(run, s):
    """Returns compiled models of the bilinear game by method."""
    methods = {
        "consensus": partial(ConsensusGAN, gamma=s.gamma),
        "simultaneous": partial(ConsensusGAN, gamma=0.0),
        "alternating": GAN,
        "r1": partial(GAN, penalty=R1(s.gamma)),
    }
    games = {}
    for name, method in methods.items():
        generator, discriminator = dirac_networks(*START)
        model = method(generator, discriminator, "wasserstein", data="vectors")
        run.compile(model, d_optimizer=SGD(s.rate), g_optimizer=SGD(s.rate))
        games[name] = model
    return games


def step_matrices(s):
    """Returns the theoretical matrix that each method's step applies to (theta, psi)."""
    h = s.rate
    c = s.gamma
    return {
        "consensus": [[1 - c * h, h], [-h, 1 - c * h]],
        "simultaneous": [[1, h], [-h, 1]],
        "alternating": [[1 - h * h, h], [-h, 1]],
        "r1": [[1 - h * h, h * (1 - h * c)], [-h, 1 - h * c]],
    }


def panel(game, start, moves):
    """Returns a grid of points, the arrows at these points, and a path."""
    axis = np.linspace(-2, 2, 15)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    arrows = update_field(game, ZERO, points)
    path = trajectory(game, ZERO, start, moves)
    return points, arrows, path


def draw_field(s, model):
    """Returns the field, and the path that starts at the players' current position."""
    weights = [w.ravel() for network in model.networks.values() for w in network.get_weights()]
    place = np.concatenate(weights)
    return vector_fields({"consensus": panel(model, place, s.moves)}, NAMES)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
