"""WGAN critics as estimates of the earth mover's distance.

Arjovsky, Chintala, Bottou: "Wasserstein Generative Adversarial Networks", ICML 2017. The critic
estimates the distance.

  python recipes/wgan_distances.py                    3 minutes on one of two CPU cores
  python recipes/wgan_distances.py --preset smoke     under a minute

Expected result of the cpu preset in one dimension (median of three seeds): a relative error of 0.05
with the gradient penalty and 0.09 with clipped weights (exact distance of 50,000 samples: 0.04).

Critics are trained on pairs of normal distributions at known distances, with the one-sided gradient
penalty (Gulrajani et al. 2017) or with clipped weights. Clipping does not determine the scale of
the estimates, so the scale that best fits all distances is used. Then, a WGAN with the one-sided
penalty learns a ring of eight normal distributions; `distance.png` shows its critic's estimate and
the exact distance.

Deviation: the penalty is one-sided, the alternative in Gulrajani et al., sec. 4. A two-sided
penalty requires a slope of 1 even where data and model agree, and a critic that starts with the
wrong sign cannot correct the sign. With the two-sided penalty, the samples found the ring and then
lost it.

Data: points sampled at run time. The papers do not use them.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import SGD, Adam
from scipy.stats import wasserstein_distance

from keras_gen.data import Split, points_around
from keras_gen.gan import WGAN
from keras_gen.losses import GradientPenalty
from keras_gen.metrics import critic_distances, earth_movers_distance, ring_centers
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.workshop.visualize import code_scatter, line_plot


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    hidden: int = 64  # Units in each of the two hidden layers
    critic_steps: int = 5
    """Number of critic updates per generator update in the ring experiment."""
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    clip: float = 0.1  # Maximum absolute value of the weights of a clipped critic
    critic_updates: int = 2000
    """Number of training steps for each critic that compares two fixed distributions."""
    distances: str = "0.25 0.5 1 2"  # Distances between the fixed distributions
    compared: int = 1000  # Number of points used to compute the exact distance


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
        generator = mlp_decoder((2,), 2, (s.hidden, s.hidden))
        critic = build_critic(2, s)
        options = dict(discriminator_steps=s.critic_steps, seed=s.seed, data="vectors")
        model = WGAN(generator, critic, **PENALTY, **options)
        d_rate = run.in_halves(s.learning_rate, updates=s.critic_steps)
        g_rate = run.in_halves(s.learning_rate)
        d_optimizer = Adam(d_rate, 0.0, 0.9)
        g_optimizer = Adam(g_rate, 0.0, 0.9)
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    # Each step: `critic_steps` critic updates, then one generator update.
    stream = partial(data.train.stream, s.batch_size * s.critic_steps, s.seed)
    validate = partial(critic_distances, points=test)
    run.fit(model, stream, partial(draw_points, test), validate=validate)
    run.export(model, default="sample")

    # Train critics for normal distributions at known distances, in one and two dimensions.
    lengths = np.array([float(length) for length in s.distances.split()])
    estimates = {}
    for kind in ("penalty", "clipping"):
        for size in (1, 2):
            found = []
            for number, length in enumerate(lengths):
                name = f"{kind}_{size}d_{number}"
                found.append(run.once(name, estimate, run, s, kind, size, length)["critic"])
            estimates[kind, size] = np.array(found)

    with run.evaluation(model) as metrics:
        for (kind, size), found in estimates.items():
            unit = 1 if kind == "penalty" else found @ lengths / np.dot(found, found)
            error = np.abs(unit * found - lengths) / lengths
            metrics[f"error_{kind}_{size}d"] = error.mean()
        for size in (1, 2):
            error = np.abs(exact_distances(s, size, lengths) - lengths) / lengths
            metrics[f"error_exact_{size}d"] = error.mean()
        for name, distance in critic_distances(model, test, s.seed).items():
            metrics[f"ring_{name}"] = distance
        floor = ring(s.compared, s.seed).arrays()
        metrics["floor_ring_exact"] = earth_movers_distance(floor, test)
        lines = validation_lines(run, metrics["floor_ring_exact"])
        if all(epochs for epochs, _ in lines.values()):
            run.draw("distance", line_plot(lines, "epoch", "earth mover's distance"))


def draw_points(points, model):
    panels = {"data": points, "WGAN-GP": model.sample(len(points), seed=0)}
    return code_scatter(
        panels, np.zeros(len(points), int), names=["points"], axis_names=("x", "y")
    )


def validation_lines(run, floor):
    """Returns lines of the critic's estimate, the exact distance, and the reference, by epoch."""
    epochs, exact = run.logged("val_exact")
    return {
        "estimate of the critic": run.logged("val_critic"),
        "exact, samples": (epochs, exact),
        "exact, training points": (epochs, [floor] * len(epochs)),
    }


def build_critic(size, s):
    hidden = (s.hidden, s.hidden)
    return mlp_encoder((size,), 1, hidden, activation="leaky_relu", name="critic")


def exact_distances(s, size, lengths):
    """Returns exact distances between samples: all points in 1-D, `compared` points in 2-D."""
    points = points_around(np.zeros((1, size)), 1.0, 50_000, s.seed).arrays()
    others = np.random.default_rng(s.seed + 1000).normal(size=points.shape)
    found = []
    for length in lengths:
        moved = others + length * np.eye(size)[0]
        if size == 1:
            found.append(wasserstein_distance(points[:, 0], moved[:, 0]))
        else:
            found.append(earth_movers_distance(points[: s.compared], moved[: s.compared]))
    return np.array(found)


def estimate(run, s, kind, size, length):
    """Returns a critic's estimate for two normal distributions at a distance."""
    generator = mlp_decoder((size,), size, hidden=())
    generator.set_weights([np.eye(size), length * np.eye(size)[0]])
    hold = PENALTY if kind == "penalty" else dict(clip=s.clip)
    critic = build_critic(size, s)
    model = WGAN(generator, critic, discriminator_steps=1, seed=s.seed, data="vectors", **hold)
    run.compile(model, d_optimizer=Adam(s.learning_rate, 0.0, 0.9), g_optimizer=SGD(0.0))

    points = points_around(np.zeros((1, size)), 1.0, 50_000, s.seed)
    model.fit(points.stream(s.batch_size, s.seed), steps_per_epoch=s.critic_updates, verbose=0)
    other = points_around(np.zeros((1, size)), 1.0, 50_000, s.seed + 1)
    found = model.evaluate(other.batches(5000), return_dict=True, verbose=0)
    return {"critic": found["wasserstein_distance"]}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
