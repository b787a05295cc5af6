"""One-dimensional GAN, and two remedies for distributions that do not overlap.

Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014, algorithm 1 and fig. 1.

  python recipes/gan_one_dimension.py                    7 minutes on one of two CPU cores
  python recipes/gan_one_dimension.py --preset smoke     under a minute

Expected result of the cpu preset (median of three seeds): an earth mover's distance of 0.030 from
held-out numbers (fitted normal distribution: 0.018). Instance noise brings all seeds to the data.

The data and the model are densities on a line. If the densities are equal, the optimal
discriminator outputs 1/2 everywhere. `progress.gif` and `strip.png` show the data, the model, and
D(x) during training.

In a second experiment, the data and the model start far apart, at -1 and at 1, each with standard
deviation `width`. The optimal discriminator then has no slope at the samples. With the minimax
loss, the generator therefore receives no gradient unless annealed instance noise (Sønderby et al.
2017) makes the two distributions overlap. The analytic form of the noise (Roth et al. 2017)
vanishes where D is certain; as in the authors' code, it is combined with the non-saturating loss. A
run counts as converged if the model and the data end less than 0.1 apart; `overlap.png` shows the
end points.

Deviations: Adam instead of momentum, a small R1 penalty against circling, and five discriminator
updates per step. With one update, as in the paper's experiments, D outputs 1/2 everywhere,
regardless of the generator.

Data: normally distributed numbers sampled at run time. The papers report no metrics for them.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial
from typing import Literal

import numpy as np
from keras.optimizers import SGD, Adam

from keras_gen.core.schedules import Exponential
from keras_gen.data import Split, points_around
from keras_gen.files.images import read_image
from keras_gen.gan import GAN, InstanceNoiseGAN
from keras_gen.losses import R1, JensenShannonRegularizer
from keras_gen.metrics import earth_movers_distance
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.workshop.visualize import densities, film_strip


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    hidden: int = 32  # Units in each of the two hidden layers
    objective: Literal["minimax", "non_saturating"] = "non_saturating"
    """Objective: minimax, eq. (1) of the paper, or non_saturating, which sec. 3 recommends."""
    discriminator_steps: int = 5  # Number of discriminator updates per generator update
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    r1: float = 1e-3  # Weight of the R1 penalty
    ema: float = 0.99
    """EMA momentum for both networks; evaluation uses the averaged weights. 0 disables EMA."""
    seeds: int = 10  # Number of runs per method in the instance-noise experiment
    width: float = 0.05
    """Standard deviation of the data and the model in the instance-noise experiment."""
    apart_steps: int = 2000
    """Number of training steps for each run in the instance-noise experiment."""
    noise: float = 1.0
    """Initial standard deviation of the instance noise, which decreases to --width."""
    gamma: float = 0.5  # Weight of the analytic regularizer


PRESETS = {
    "smoke": dict(hidden=8, epochs=2, steps_per_epoch=20, batch_size=32, seeds=2,
                  apart_steps=20),
    "cpu": dict(epochs=40, steps_per_epoch=500, batch_size=256, steps_per_execution=100),
    "paper": dict(epochs=100, steps_per_epoch=1000, batch_size=1024, steps_per_execution=100),
}  # fmt: skip

METHODS = ("minimax", "non_saturating", "noise", "regularizer")
IN_WORDS = {"noise": "minimax with instance noise", "regularizer": "non-saturating, regularized"}


def main(run: Run, s: Settings):
    normal = partial(points_around, np.ones((1, 1)), 0.5)
    data = run.load(Split(normal(50_000, s.seed), normal(10_000, s.seed + 1)))
    train = data.train.arrays()
    test = data.test.arrays()

    with run.strategy.scope():
        model = GAN(
            mlp_decoder((1,), **layers(s)),
            mlp_encoder((1,), **layers(s)),
            s.objective,
            R1(s.r1),
            discriminator_steps=s.discriminator_steps,
            seed=s.seed,
            data="vectors",
        )
        d_rate = run.in_halves(s.learning_rate, updates=s.discriminator_steps)
        g_rate = run.in_halves(s.learning_rate)
        d_optimizer = run.averaged(Adam(d_rate, 0.5))
        g_optimizer = run.averaged(Adam(g_rate, 0.5))
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    # Each step: `discriminator_steps` updates of the discriminator, then one update of the
    # generator.
    stream = partial(data.train.stream, s.batch_size * s.discriminator_steps, s.seed)
    run.fit(model, stream, partial(densities, data=train))
    run.export(model, default="sample")

    # Train each method with several seeds; the data and the model start far apart.
    distances = {}
    for name in METHODS:
        distances[name] = []
        for seed in range(s.seeds):
            end = run.once(f"{name}_{seed}", train_apart, run, s, name, seed)
            distances[name].append(end["distance"])

    with run.evaluation(model) as metrics:
        # Interval that contains 99% of the data.
        low, high = np.quantile(train, [0.005, 0.995])
        points = np.linspace(low, high, 200, dtype="float32")[:, None]
        logits = model.discriminator(points, training=False).numpy()
        metrics["d_error"] = np.abs(1 / (1 + np.exp(-logits)) - 0.5).max()
        drawn = model.sample(len(test), seed=s.seed)
        fitted = np.random.default_rng(s.seed).normal(train.mean(), train.std(), test.shape)
        metrics["distance"] = earth_movers_distance(drawn, test)
        metrics["distance_normal"] = earth_movers_distance(fitted, test)
        metrics["floor_distance"] = earth_movers_distance(train[: len(test)], test)
        for name in METHODS:
            metrics[f"met_{name}"] = np.less(distances[name], 0.1).mean()
            metrics[f"apart_{name}"] = np.median(distances[name])
        frames = sorted((run.directory / "samples").glob("epoch-*.png"))
        named = {f"epoch {int(path.stem.split('-')[1])}": read_image(path) for path in frames}
        run.draw("strip", film_strip(named))
        ends = {}
        for name in METHODS:
            ends[IN_WORDS.get(name, name)] = read_image(run.directory / f"overlap_{name}.png")
        run.draw("overlap", film_strip(ends))


def layers(s):
    return dict(latent_dim=1, hidden=(s.hidden, s.hidden), activation="tanh")


def train_apart(run, s, name, seed):
    """Returns the final distance between data and model, which start at -1 and 1."""
    data = points_around(-np.ones((1, 1)), s.width, 50_000, seed)
    std = Exponential(s.noise, s.width, s.apart_steps)
    regularizer = JensenShannonRegularizer(s.gamma)
    method = {
        "minimax": partial(GAN, objective="minimax"),
        "non_saturating": partial(GAN, objective="non_saturating"),
        "noise": partial(InstanceNoiseGAN, objective="minimax", std=std),
        "regularizer": partial(GAN, objective="non_saturating", penalty=regularizer),
    }[name]

    generator = mlp_decoder((1,), latent_dim=1, hidden=())
    generator.set_weights([np.full((1, 1), s.width), np.ones(1)])
    discriminator = mlp_encoder((1,), **layers(s))
    model = method(generator, discriminator, discriminator_steps=5, seed=seed, data="vectors")
    run.compile(model, d_optimizer=Adam(1e-2, 0.5), g_optimizer=SGD(0.05))
    model.fit(data.stream(320, seed), steps_per_epoch=s.apart_steps, verbose=0)

    if not seed:
        run.draw(f"overlap_{name}", densities(model, data.arrays(), (-2.0, 2.0)))
    drawn = model.sample(10_000, seed=seed)
    return {"distance": earth_movers_distance(drawn, data.arrays()[:10_000])}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
