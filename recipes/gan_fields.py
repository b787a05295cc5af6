"""How two players of one number each move: steps at once, in turn, with consensus, and with R1.

Mescheder, Nowozin, Geiger: "The Numerics of GANs", NeurIPS 2017; Mescheder, Geiger, Nowozin:
"Which Training Methods for GANs do actually Converge?", ICML 2018. In the Dirac-GAN with the
Wasserstein objective, steps at once leave the equilibrium, steps in turn circle around it, and
consensus optimization and the penalty R1 go there. `fields.png` shows the fields and a path in
each; measured are where the paths end, and the eigenvalues of a step at the equilibrium beside
theory.

  python recipes/gan_fields.py                    under a minute on two CPU cores
  python recipes/gan_fields.py --preset smoke     a few seconds

Data: the number 0, over and over. The papers report no number on it.
"""

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import SGD

from keras_gen.data import Split, points_around
from keras_gen.gan import GAN, ConsensusGAN
from keras_gen.losses import R1
from keras_gen.metrics import trajectory, update_field, update_jacobian
from keras_gen.networks import dirac_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import vector_fields


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    rate: float = 0.1  # Of gradient descent
    moves: int = 200  # Steps of the paths
    gamma: float = 0.6  # Weight of the consensus, and of R1


PRESETS = {
    "smoke": dict(moves=5, epochs=2, steps_per_epoch=2, batch_size=4),
    "cpu": dict(epochs=4, steps_per_epoch=50, batch_size=4),
    "paper": dict(epochs=4, steps_per_epoch=50, batch_size=4),
}  # fmt: skip

START, REST = np.full(2, 0.5), np.zeros(2)  # of theta and psi
ZERO = np.zeros((1, 1))  # what a step is on
NAMES = ["θ of the generator", "ψ of the discriminator"]


def main(run: Run, s: Settings):
    zeros = points_around(ZERO, 0.0, 1000, s.seed)
    data = run.load(Split(zeros, zeros))
    with run.strategy.scope():
        ways = games(run, s)
    model, _ = ways["consensus"]
    run.fit(model, data.train, partial(drawn, s))

    with run.evaluation(model) as metrics:
        panels, errors = {}, []
        for name, (game, theory) in ways.items():
            panels[name] = panel(game, START, s.moves)
            step = update_jacobian(game, ZERO, REST)
            found, expected = (np.sort_complex(np.linalg.eigvals(m)) for m in (step, theory))
            errors.append(np.abs(found - expected).max())
            metrics[f"end_{name}"] = np.linalg.norm(panels[name][2][-1])
            metrics[f"modulus_{name}"] = np.abs(found).max()
        metrics["eigenvalue_error"] = max(errors)
        run.draw("fields", vector_fields(panels, NAMES))
    run.export(model, default="sample")


def games(run, s):
    """Ways to play the bilinear game, and the matrix by which a step multiplies (theta, psi)."""
    h, c = s.rate, s.gamma
    ways = {
        "consensus": (ConsensusGAN, dict(gamma=c), [[1 - c * h, h], [-h, 1 - c * h]]),
        "simultaneous": (ConsensusGAN, dict(gamma=0.0), [[1, h], [-h, 1]]),
        "alternating": (GAN, {}, [[1 - h * h, h], [-h, 1]]),
        "r1": (GAN, dict(penalty=R1(c)), [[1 - h * h, h * (1 - h * c)], [-h, 1 - h * c]]),
    }
    for name, (method, options, matrix) in ways.items():
        model = method(*dirac_networks(*START), "wasserstein", **options, data="vectors")
        run.compile(model, d_optimizer=SGD(h), g_optimizer=SGD(h))
        ways[name] = model, np.array(matrix)
    return ways


def panel(game, start, moves):
    """A grid of points, the arrows there, and a path."""
    axis = np.linspace(-2, 2, 15)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    return points, update_field(game, ZERO, points), trajectory(game, ZERO, start, moves)


def drawn(s, model):
    """What lies before the players, from where they are."""
    place = np.concatenate([w.ravel() for n in model.networks.values() for w in n.get_weights()])
    return vector_fields({"consensus": panel(model, place, s.moves)}, NAMES)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
