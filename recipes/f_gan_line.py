"""Which normal distribution is nearest to a mixture of two? Each divergence has its own answer.

Nowozin, Cseke, Tomioka: "f-GAN: Training Generative Neural Samplers using Variational Divergence
Minimization", NeurIPS 2016: the experiment with a mixture on the line.

  python recipes/f_gan_line.py                    2 minutes on one of two CPU cores
  python recipes/f_gan_line.py --preset smoke     under a minute

The data are a mixture of two normal distributions, with four fifths around -1 and one fifth around
2. The model is one normal distribution, which cannot be right. An f-GAN fits it with each of four
objectives; beside it stands the best one, found by numeric integration, which needs the density of
the data, where a GAN needs only samples. The KL divergence and Pearson's chi-square cover both
hills; the reverse KL divergence and that of Jensen and Shannon choose the higher one. An f-GAN does
not always get there: of a mixture with two thirds at -1 and hills of deviation .5 it left a reverse
KL divergence of .85 nats where .40 is the least. What it lacked is probably the slope in the far
tails, where the discriminator sees hardly any number.

Three images are of formulas alone. `overlap.png`: where two distributions hardly overlap, the
Jensen-Shannon divergence has reached its bound and has no slope that could pull them together;
the wider they are, as noise on both makes them, the farther it reaches. `generator_losses.png`:
what the generator minimizes, as a function of D(G(z)), and `slopes.png` its slope by D's logit,
which is lost for D(G(z)) near 0 with log(1 - D), and is largest there with -log D.

Deviations: the mixture is ours, for the paper does not print its own; Adam with a rate that falls
to zero, and five updates of the discriminator in a step.

Data: numbers drawn at run time.
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

CENTERS = np.array([[-1.0], [-1.0], [-1.0], [-1.0], [2.0]])  # four of five are the higher hill
WIDTH = 0.6  # Standard deviation of each hill
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
    hidden: int = 64  # Units of each of the discriminator's two hidden layers
    discriminator_steps: int = 5  # Updates of the discriminator for one of the generator
    learning_rate: float = 2e-3  # Adam's rate, constant in the first half, then linear to zero
    fits: int = 4000  # Training steps with each other divergence


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

    # Each step: `discriminator_steps` updates of the discriminator, then one of the generator.
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
    """A generator of one mean and one deviation, which begin at 0 and 1, and a discriminator."""
    generator = mlp_decoder((1,), latent_dim=1, hidden=())
    generator.set_weights([np.ones((1, 1)), np.zeros(1)])
    discriminator = mlp_encoder((1,), 1, (s.hidden, s.hidden), activation="tanh")
    steps = dict(discriminator_steps=s.discriminator_steps)
    return GAN(generator, discriminator, objective, **steps, seed=s.seed, data="vectors")


def train(run, s, name, stream, test):
    """Fits the model with another divergence."""
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
    """The model's mean and deviation, and its discriminator's estimate of the divergence."""
    kernel, bias = model.generator.get_weights()
    found = model.evaluate(test.batches(5000), return_dict=True, verbose=0)
    parameters = {"mean": float(bias[0]), "deviation": float(abs(kernel[0, 0]))}
    return parameters | {"estimate": -found["d_loss"]}


def largest_error(metrics, fits):
    """Of all means and deviations, from those of the best normal distributions."""
    return max(
        abs(fit[key] - metrics[f"{key}_{name}_best"])
        for name, fit in fits.items()
        for key in ("mean", "deviation")
    )


def of_data(x):
    """The density of the data."""
    return norm.pdf(x[:, None], CENTERS[:, 0], WIDTH).mean(axis=1)


# Images ------------------------------------------------------------------------------------------


def draw_densities(model):
    kernel, bias = model.generator.get_weights()
    return drawn_fit(norm.pdf(GRID, bias[0], abs(kernel[0, 0])))


def drawn_fit(fitted, best=None):
    """The density of the data, a fit as marks, and the best one."""
    shown = slice(1200, 3601, 10)  # from -6 to 6
    lines = {"data": (GRID[shown], of_data(GRID[shown]))}
    if best is not None:
        lines["best normal distribution"] = (GRID[shown], best[shown])
    marks = slice(1200, 3601, 60)
    lines["f-GAN"] = (GRID[marks], fitted[marks])
    return line_plot(lines, "x", "density")


def overlap():
    """The Jensen-Shannon divergence of two normal distributions by their distance."""
    distances = np.linspace(0.0, 4.0, 81)
    lines = {}
    for width in (0.1, 0.5, 2.0):
        there = norm.pdf(GRID, 0.0, width)
        pairs = [(there, norm.pdf(GRID, distance, width)) for distance in distances]
        twice = [divergence("jensen_shannon", p, q, STEP) for p, q in pairs]
        lines[f"deviation {width}"] = (distances, np.array(twice) / 2)
    lines["bound, log 2"] = (distances, np.full(len(distances), np.log(2)))
    return line_plot(lines, "distance of the means", "Jensen-Shannon divergence, nats")


def generator_losses():
    """Both losses of the generator by D(G(z)), and their slopes by D's logit."""
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
        line_plot(losses, "D(G(z))", "loss of the generator"),
        line_plot(slopes, "D(G(z))", "slope by the logit of D"),
    )


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
