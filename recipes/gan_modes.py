"""Mode collapse on a ring of 8 modes and a grid of 25, and remedies.

Lin, Khetan, Fanti, Oh: "PacGAN: The Power of Two Samples in Generative Adversarial Networks",
NeurIPS 2018; Metz et al.: "Unrolled Generative Adversarial Networks", ICLR 2017; Salimans et al.:
"Improved Techniques for Training GANs", NeurIPS 2016.

  python recipes/gan_modes.py                    26 to 29 minutes on one of two CPU cores
  python recipes/gan_modes.py --preset smoke     under a minute

Expected result of the cpu preset: PacGAN with packs of two reaches 24 of the grid's 25 modes, but
only 10% of its samples are near a mode (paper: 91%).

The recipe compares a GAN with GANs that use packs of two, minibatch discrimination, a history of
samples, and 1, 5, and 10 unrolled steps. All methods use the same network and the same number of
points, and are trained with several seeds. A mode counts as covered if one of 2,500 samples is near
it. The pictures show training with the first seed. The baseline is a Gaussian mixture, which covers
every mode.

Deviations: all methods use the network from the unrolled GAN authors' notebook, learning rates that
decay to zero, and far fewer steps than the papers. The authors of PacGAN use wider and deeper
networks.

Data: points sampled at run time.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import keras
import numpy as np
from keras.optimizers import Adam
from sklearn.mixture import GaussianMixture

from keras_gen.arguments import checked_choice
from keras_gen.data import Sets, Split, points_around
from keras_gen.gan import GAN, HistoryGAN, PacGAN, UnrolledGAN
from keras_gen.layers import MinibatchDiscrimination
from keras_gen.metrics import gaussian_modes, grid_centers, mean_and_deviation, ring_centers
from keras_gen.networks import mlp_decoder, mlp_encoder, with_layer
from keras_gen.workshop.visualize import point_strips

METHODS = ("gan", "pac2", "minibatch", "history", "unrolled_1", "unrolled_5", "unrolled_10")


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    methods: str = " ".join(METHODS)
    """Methods to compare, separated by spaces."""
    seeds: int = 3  # Number of seeds per method, starting at --seed
    hidden: int = 128  # Units in each of the two hidden layers
    latent_dim: int = 256  # Number of latent dimensions
    unrolled_rate: float = 0.01  # Learning rate for the unrolled discriminator steps
    d_learning_rate: float = 1e-4
    """Adam's learning rate for the discriminator; linear decay to 0 in the second half."""
    g_learning_rate: float = 1e-3
    """Adam's learning rate for the generator; linear decay to 0 in the second half."""


PRESETS = {
    "smoke": dict(methods="gan pac2 minibatch", seeds=1, hidden=16, latent_dim=4, epochs=2,
                  steps_per_epoch=10, batch_size=64, steps_per_execution=5),
    "cpu": dict(seeds=2, latent_dim=32, d_learning_rate=2e-3, g_learning_rate=2e-3, epochs=4,
                steps_per_epoch=1500, batch_size=128, steps_per_execution=100),
    "paper": dict(seeds=10, epochs=5, steps_per_epoch=5000, batch_size=512,
                  steps_per_execution=100),
}  # fmt: skip

KEYS = ("modes", "high_quality_fraction")
IN_WORDS = {
    "minibatch": "minibatch discrimination",
    "history": "history of samples",
    "unrolled_1": "1 unrolled step",
    "unrolled_5": "5 unrolled steps",
    "unrolled_10": "10 unrolled steps",
}
# The centers and standard deviations are from Srivastava et al. (2017) and Lin et al.
MODES = {
    "ring": (ring_centers(8), 0.01),
    "grid": (grid_centers(5), 0.05),
}


def main(run: Run, s: Settings):
    methods = [checked_choice("methods", name, METHODS) for name in s.methods.split()]
    sets = {name: points_around(*modes, 100_000, s.seed) for name, modes in MODES.items()}
    splits = {name: Split(points, points) for name, points in sets.items()}
    run.load(Sets(**splits, only=tuple(f"train_{name}" for name in sets)), whole=True)
    real = {name: points.arrays()[:500] for name, points in sets.items()}

    # Train the main model, PacGAN on the grid. Each step: one update of the discriminator, then one
    # update of the generator.
    model = build(run, s, "pac2", s.seed)
    run.fit(model, sets["grid"], partial(draw_grid, real["grid"]))
    run.export(model, default="sample")

    # Train all methods with all seeds on both datasets, and fit a mixture to each dataset.
    found = {}
    mixtures = {}
    for name, (centers, _) in MODES.items():
        for method in methods:
            measure = partial(train_and_count, run, s, method, name, sets[name])
            found[name, method] = run.each_seed(f"{name}_{method}_{{}}", measure, s.seeds)
        mixture = GaussianMixture(len(centers), random_state=s.seed)
        mixtures[name] = mixture.fit(sets[name].arrays())

    with run.evaluation(model) as metrics:
        for name, (centers, std) in MODES.items():
            points, _ = mixtures[name].sample(2500)
            found[name, "mixture"] = [gaussian_modes(points, centers, std)]
            for method in (*methods, "mixture"):
                key = f"{name}_{{}}_{method}"
                metrics |= mean_and_deviation(found[name, method], key, KEYS)
            strips = {}
            for method in methods:
                first_seed = found[name, method][0]
                frames = [np.array(frame) for frame in first_seed["frames"]]
                strips[IN_WORDS.get(method, method)] = frames
            steps = [f"step {s.steps_per_epoch * (i + 1):,}" for i in range(s.epochs)]
            run.draw(name, point_strips(strips, steps, real[name]))


def draw_grid(real, model):
    drawn = model.sample(500, seed=0)
    return point_strips({"pac2": [drawn]}, ["samples"], real)


def build(run, s, method, seed):
    """Returns a compiled model; models differ only in D's first or last layer."""
    keras.utils.set_random_seed(seed)
    sizes = dict(hidden=(s.hidden, s.hidden), activation="tanh")
    methods = {
        "gan": GAN,
        "pac2": partial(PacGAN, pack=2),
        "minibatch": GAN,
        "history": HistoryGAN,
        "unrolled_1": partial(UnrolledGAN, unrolled_steps=1, unrolled_rate=s.unrolled_rate),
        "unrolled_5": partial(UnrolledGAN, unrolled_steps=5, unrolled_rate=s.unrolled_rate),
        "unrolled_10": partial(UnrolledGAN, unrolled_steps=10, unrolled_rate=s.unrolled_rate),
    }
    with run.strategy.scope():
        values = 4 if method == "pac2" else 2
        discriminator = mlp_encoder((values,), 1, **sizes, name="discriminator")
        if method == "minibatch":
            discriminator = with_layer(discriminator, MinibatchDiscrimination(features=8, row=4))
        generator = mlp_decoder((2,), s.latent_dim, **sizes, name="generator")
        model = methods[method](generator, discriminator, seed=seed, data="vectors")
        d_optimizer = Adam(run.in_halves(s.d_learning_rate), 0.5)
        g_optimizer = Adam(run.in_halves(s.g_learning_rate), 0.5)
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)
    return model


def train_and_count(run, s, method, name, points, seed):
    """Returns the modes that a method covers after training, and samples after each epoch."""
    model = build(run, s, method, seed)
    frames = []
    for epoch in range(s.epochs):
        stream = points.stream(s.batch_size, seed, epoch * s.steps_per_epoch)
        model.fit(stream, steps_per_epoch=s.steps_per_epoch, verbose=0)
        drawn = model.sample(500, seed=0, batch_size=500)
        frames.append(drawn.round(4).tolist())
    last = model.sample(2500, seed=0, batch_size=2500)
    return gaussian_modes(last, *MODES[name]) | {"frames": frames}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
