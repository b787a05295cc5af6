"""What the critic of a Wasserstein GAN says, beside the exact earth mover's distance.

Arjovsky, Chintala, Bottou: "Wasserstein Generative Adversarial Networks", ICML 2017: the critic
estimates the distance. Critics learn between normal distributions at known distances, held by the
one-sided gradient penalty (Gulrajani et al. 2017) or by clipped weights, which leaves the unit
open: it is the one that fits all distances best. Then a WGAN with that penalty learns a ring of
eight normal distributions; `distance.png` has its critic's estimate beside the exact distance.

Deviation: the penalty has one side, the alternative of Gulrajani et al., sec. 4. With two sides it
asks for a slope of 1 where data and model are alike, and holds a critic that begins with the
wrong sign: the ring was found and lost again.

  python recipes/wgan_distances.py                    5 minutes on one of two CPU cores
  python recipes/wgan_distances.py --preset smoke     under a minute

Data: points drawn at run time. The papers report no number on them.
"""

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import SGD, Adam

from keras_gen.data import Split, points_around
from keras_gen.gan import WGAN
from keras_gen.losses import GradientPenalty
from keras_gen.metrics import critic_distances, earth_movers_distance, ring_centers
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import code_scatter, line_plot


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    hidden: int = 64  # Units of each of two hidden layers
    critic_steps: int = 5  # Updates of the critic for one of the generator, of the ring
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero
    clip: float = 0.1  # Largest weight of a clipped critic
    critic_updates: int = 2000  # Of each critic between distributions at rest
    distances: str = "0.25 0.5 1 2"  # Between them
    compared: int = 1000  # Points that are compared exactly


PRESETS = {
    "smoke": dict(hidden=8, epochs=2, steps_per_epoch=10, batch_size=32, compared=50,
                  critic_updates=10, distances="0.5 1"),
    "cpu": dict(epochs=40, steps_per_epoch=200, batch_size=128, steps_per_execution=50),
    "paper": dict(epochs=100, steps_per_epoch=1000, batch_size=256, steps_per_execution=50),
}  # fmt: skip


PENALTY = dict(clip=None, penalty=GradientPenalty(one_sided=True))


def main(run: Run, s: Settings):
    ring = partial(points_around, ring_centers(), 0.1)
    data = run.load(Split(ring(50_000, s.seed), ring(s.compared, s.seed + 1)))
    test = data.test.arrays()
    with run.strategy.scope():
        options = dict(critic_steps=s.critic_steps, seed=s.seed, data="vectors")
        networks = mlp_decoder((2,), 2, (s.hidden, s.hidden)), critic(2, s)
        model = WGAN(*networks, **PENALTY, **options)
        rates = (run.in_halves(s.learning_rate, updates=n) for n in (s.critic_steps, 1))
        d, g = (Adam(rate, 0.0, 0.9) for rate in rates)
        run.compile(model, d_optimizer=d, g_optimizer=g)

    stream = partial(data.train.stream, s.batch_size * s.critic_steps, s.seed)
    run.fit(model, stream, partial(beside, test), validate=partial(critic_distances, points=test))
    lengths = np.array([float(length) for length in s.distances.split()])
    said = {(kind, d): [run.once(f"{kind}_{d}d_{n}", between, run, s, kind, d, length)["critic"]
                        for n, length in enumerate(lengths)]
            for kind in ("penalty", "clipping") for d in (1, 2)}  # fmt: skip

    with run.evaluation(model) as metrics:
        for (kind, d), estimates in said.items():
            unit = 1 if kind == "penalty" else estimates @ lengths / np.dot(estimates, estimates)
            error = np.abs(unit * np.array(estimates) - lengths) / lengths
            metrics[f"error_{kind}_{d}d"] = error.mean()
        metrics |= {f"ring_{k}": v for k, v in critic_distances(model, test, s.seed).items()}
        metrics["floor_ring_exact"] = earth_movers_distance(ring(s.compared, s.seed).arrays(), test)
        logs = [(n, log) for n, log in enumerate(run.state.logs, 1) if "val_exact" in log]
        lines = {name: ([n for n, _ in logs], [log[f"val_{name}"] for _, log in logs])
                 for name in ("critic", "exact")}  # fmt: skip
        run.draw("distance", line_plot(lines, "epoch", "earth mover's distance"))
    run.export(model, default="sample")


def beside(points, model):
    panels = {"data": points, "model": model.sample(len(points), seed=0)}
    return code_scatter(panels, np.zeros(len(points), int), names=["points"])


def critic(size, s):
    hidden = (s.hidden, s.hidden)
    return mlp_encoder((size,), 1, hidden, activation="leaky_relu", name="critic")


def between(run, s, kind, size, length):
    """What a critic says of two normal distributions of that distance, the second being held."""
    points = points_around(np.zeros((1, size)), 1.0, 50_000, s.seed)
    generator = mlp_decoder((size,), size, hidden=())
    generator.set_weights([np.eye(size), length * np.eye(size)[0]])
    hold = PENALTY if kind == "penalty" else dict(clip=s.clip)
    model = WGAN(generator, critic(size, s), critic_steps=1, seed=s.seed, data="vectors", **hold)
    run.compile(model, d_optimizer=Adam(s.learning_rate, 0.0, 0.9), g_optimizer=SGD(0.0))
    model.fit(points.stream(s.batch_size, s.seed), steps_per_epoch=s.critic_updates, verbose=0)
    other = points_around(np.zeros((1, size)), 1.0, 50_000, s.seed + 1)
    found = model.evaluate(other.batches(5000), return_dict=True, verbose=0)
    return {"critic": found["wasserstein_distance"]}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
