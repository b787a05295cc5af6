"""f-GANs fit one normal distribution to a two-mode mixture.

Nowozin, Cseke, Tomioka: "f-GAN: Training Generative Neural Samplers using Variational Divergence
Minimization", NeurIPS 2016. This is the paper's experiment with a one-dimensional mixture.

  python recipes/f_gan_line.py                    2 minutes on one of two CPU cores
  python recipes/f_gan_line.py --preset smoke     under a minute

The data are a mixture of two normal distributions, with four fifths of the mass around -1 and one
fifth around 2. The model is a single normal distribution, which cannot fit the data exactly. f-GANs
fit this distribution with each of four objectives. The results are compared with the optimum from
numerical integration, which requires the data density, whereas a GAN requires only samples. The KL
divergence and Pearson's chi-square cover both modes; the reverse KL and Jensen-Shannon divergences
select the higher mode. An f-GAN does not always reach the optimum. For a mixture with two thirds of
the mass at -1 and modes with a standard deviation of 0.5, the reverse KL divergence ended at 0.85
nats, although the minimum is 0.40. The probable reason is a missing gradient in the far tails,
where the discriminator sees almost no samples.

Three pictures show only formulas. `overlap.png` shows that if two distributions barely overlap, the
Jensen-Shannon divergence is at its bound, and has no slope that could pull them together. If both
distributions are wider, for example because noise is added, the slope is useful over a larger
range. `generator_losses.png` shows the generator's losses as functions of D(G(z)), and `slopes.png`
shows their slopes with respect to D's logit. Near D(G(z)) = 0, the slope vanishes for log(1 - D),
and is largest for -log D.

Deviations: a different mixture, because the paper does not state its parameters; Adam with a
learning rate that decays to zero; and five discriminator updates per step.

Data: numbers sampled at run time.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam
from scipy.stats import norm

from keras_gen.core import ConstantThenLinear
from keras_gen.data import Split, points_around
from keras_gen.gan import GAN
from keras_gen.losses import Minimax, NonSaturating
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.workshop.baselines import divergence, nearest_normal
from keras_gen.workshop.visualize import film_strip, line_plot

CENTERS = np.array([[-1.0], [-1.0], [-1.0], [-1.0], [2.0]])  # four of five: the higher mode
WIDTH = 0.6  # Standard deviation of each mode
GRID = np.linspace(-12.0, 12.0, 4801)
STEP = GRID[1] - GRID[0]
DIVERGENCES = {
    "kl": "KL divergence",
    "reverse_kl": "reverse KL divergence",
    "jensen_shannon": "Jensen-Shannon divergence",
    "pearson": "Pearson's chi-square",
}


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    hidden: int = 64  # Units in each of the discriminator's two hidden layers
    discriminator_steps: int = 5  # Number of discriminator updates per generator update
    learning_rate: float = 2e-3  # Adam's learning rate; linear decay to 0 in the second half
    fits: int = 4000  # Number of training steps for each of the other divergences


PRESETS = {
    "smoke": dict(hidden=8, epochs=2, steps_per_epoch=10, batch_size=32, fits=10),
    "cpu": dict(epochs=20, steps_per_epoch=200, batch_size=256, steps_per_execution=100),
    "paper": dict(epochs=20, steps_per_epoch=1000, batch_size=1024, fits=20_000,
                  steps_per_execution=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    mixture = partial(points_around, CENTERS, WIDTH)
    data = run.load(Split(mixture(100_000, s.seed), mixture(20_000, s.seed + 1)))

    with run.strategy.scope():
        model = game("jensen_shannon", s)
        d_rate = run.in_halves(s.learning_rate, updates=s.discriminator_steps)
        g_rate = run.in_halves(s.learning_rate)
        run.compile(model, d_optimizer=Adam(d_rate, 0.5), g_optimizer=Adam(g_rate, 0.5))

    # Each step: `discriminator_steps` updates of the discriminator, then one update of the
    # generator.
    stream = partial(data.train.stream, s.batch_size * s.discriminator_steps, s.seed)
    run.fit(model, stream, draw_densities)
    run.export(model, default="sample")

    fits = {"jensen_shannon": fit_of(model, data.test)}
    for name in DIVERGENCES:
        if name not in fits:
            fits[name] = run.once(name, train, run, s, name, stream(), data.test)

    with run.evaluation(model) as metrics:
        panels = {}
        for name, title in DIVERGENCES.items():
            fit = fits[name]
            density = norm.pdf(GRID, fit["mean"], fit["deviation"])
            mean, deviation, least = nearest_normal(name, GRID, of_data(GRID))
            metrics[f"mean_{name}"] = fit["mean"]
            metrics[f"mean_{name}_best"] = mean
            metrics[f"deviation_{name}"] = fit["deviation"]
            metrics[f"deviation_{name}_best"] = deviation
            metrics[f"estimate_{name}"] = fit["estimate"]
            metrics[f"divergence_{name}"] = divergence(name, of_data(GRID), density, STEP)
            metrics[f"divergence_{name}_best"] = least
            panels[title] = drawn_fit(density, norm.pdf(GRID, mean, deviation))
        drawn = data.train.arrays()
        moments = {"mean": drawn.mean(), "deviation": drawn.std()}
        metrics["largest_error"] = largest_error(metrics, fits)
        metrics["largest_error_moments"] = largest_error(metrics, dict.fromkeys(fits, moments))
        run.draw("fits", film_strip(panels))
        run.draw("overlap", overlap())
        losses, slopes = generator_losses()
        run.draw("generator_losses", losses)
        run.draw("slopes", slopes)


def game(objective, s):
    """Returns a generator of a normal distribution, initially standard, and a discriminator."""
    generator = mlp_decoder((1,), latent_dim=1, hidden=())
    generator.set_weights([np.ones((1, 1)), np.zeros(1)])
    discriminator = mlp_encoder((1,), 1, (s.hidden, s.hidden), activation="tanh")
    steps = dict(discriminator_steps=s.discriminator_steps)
    return GAN(generator, discriminator, objective, **steps, seed=s.seed, data="vectors")


def train(run, s, name, stream, test):
    """Fits the model with a given divergence."""
    with run.strategy.scope():
        model = game(name, s)
        updates = s.fits * s.discriminator_steps
        run.compile(
            model,
            d_optimizer=Adam(ConstantThenLinear.in_halves(s.learning_rate, updates), 0.5),
            g_optimizer=Adam(ConstantThenLinear.in_halves(s.learning_rate, s.fits), 0.5),
        )
    model.fit(stream, steps_per_epoch=s.fits, verbose=0)
    return fit_of(model, test)


def fit_of(model, test):
    """Returns the model's mean and standard deviation, and the estimated divergence."""
    kernel, bias = model.generator.get_weights()
    found = model.evaluate(test.batches(5000), return_dict=True, verbose=0)
    parameters = {"mean": float(bias[0]), "deviation": float(abs(kernel[0, 0]))}
    return parameters | {"estimate": -found["d_loss"]}


def largest_error(metrics, fits):
    """Minimizes over means and standard deviations, starting at the best normal distributions."""
    return max(
        abs(fit[key] - metrics[f"{key}_{name}_best"])
        for name, fit in fits.items()
        for key in ("mean", "deviation")
    )


def of_data(x):
    """Returns the density of the data."""
    return norm.pdf(x[:, None], CENTERS[:, 0], WIDTH).mean(axis=1)


# Images ------------------------------------------------------------------------------------------


def draw_densities(model):
    kernel, bias = model.generator.get_weights()
    return drawn_fit(norm.pdf(GRID, bias[0], abs(kernel[0, 0])))


def drawn_fit(fitted, best=None):
    """Plots the data density, a fit as markers, and the optimum."""
    shown = slice(1200, 3601, 10)  # from -6 to 6
    lines = {"data": (GRID[shown], of_data(GRID[shown]))}
    if best is not None:
        lines["best normal distribution"] = (GRID[shown], best[shown])
    marks = slice(1200, 3601, 60)
    lines["f-GAN"] = (GRID[marks], fitted[marks])
    return line_plot(lines, "x", "density")


def overlap():
    """Plots the Jensen-Shannon divergence of two normal distributions against their distance."""
    distances = np.linspace(0.0, 4.0, 81)
    lines = {}
    for width in (0.1, 0.5, 2.0):
        there = norm.pdf(GRID, 0.0, width)
        pairs = [(there, norm.pdf(GRID, distance, width)) for distance in distances]
        twice = [divergence("jensen_shannon", p, q, STEP) for p, q in pairs]
        lines[f"standard deviation {width}"] = (distances, np.array(twice) / 2)
    lines["bound, log 2"] = (distances, np.full(len(distances), np.log(2)))
    return line_plot(lines, "distance between the means", "Jensen-Shannon divergence (nats)")


def generator_losses():
    """Plots both generator losses, and their slopes with respect to D's logit, against D(G(z))."""
    decisions = np.linspace(0.01, 0.99, 99, dtype="float32")
    logits = np.log(decisions / (1 - decisions))
    minimax = Minimax().generator(logits[:, None]).numpy()
    non_saturating = NonSaturating().generator(logits[:, None]).numpy()
    losses = {
        "log(1 - D), minimax": (decisions, minimax),
        "-log D, non-saturating": (decisions, non_saturating),
    }
    slopes = {
        "log(1 - D), minimax": (decisions, np.gradient(minimax, logits)),
        "-log D, non-saturating": (decisions, np.gradient(non_saturating, logits)),
    }
    return (
        line_plot(losses, "D(G(z))", "generator loss"),
        line_plot(slopes, "D(G(z))", "slope with respect to D's logit"),
    )


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
