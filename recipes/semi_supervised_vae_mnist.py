"""Few labels and many digits, by generative models: M1, M2 and M1+M2.

Kingma, Mohamed, Rezende, Welling: "Semi-supervised Learning with Deep Generative Models", NeurIPS
2014, table 1: 100 labels of MNIST, as many of each class, drawn anew for each seed, and 49,900
digits without. M1 is a VAE of all digits, whose latents a support vector machine classifies. M2 is
a model of digits and their classes, M1+M2 that of latents that M1 draws for a digit: of those in
use, and from weights near zero, as in the authors' code. Beside them stand what pixels, principal
components and a graph of digits give. Settings were chosen on the last 10,000 training digits.

Deviations: labels come more often than once in a pass over all digits. The machine learns from
labels alone, for scikit-learn has no transductive one. Gray values are taken as probabilities.

  python recipes/semi_supervised_vae_mnist.py                    31 minutes on one of two CPU cores
  python recipes/semi_supervised_vae_mnist.py --preset smoke     under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from functools import partial

import keras
import numpy as np

from keras_gen.baselines import few_label_baselines, svm_accuracy
from keras_gen.data import Source, draw_normal, few_labels, partly_labeled, small_images
from keras_gen.metrics import active_units, mean_and_deviation
from keras_gen.networks import keep_latents, mlp_networks, start_at_mean
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.vae import M2, VAE
from keras_gen.visualize import analogies


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    labels: int = 100  # Digits that keep their label, as many of each class
    draws: int = 5  # Seeds, from `seed` on, each of which draws other digits
    latent_dim: int = 50  # Dimensions of the latents of M1, and of M2 of M1's latents
    m2_latent_dim: int = 50  # Dimensions of the latents of M2
    m1_hidden: int = 600  # Units of each of the two hidden layers of M1
    hidden: int = 500  # Units of the hidden layer of each network of M2
    stacked_hidden: int = 500  # Likewise, of M2 of M1's latents
    alpha: float = 0.2  # Weight of the cross-entropy of a labeled digit, every second, in M2
    stacked_alpha: float = 2.0  # Likewise of every 20th, in M2 of M1's latents
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero
    m1_epochs: int = 10  # Epochs of M1
    stacked_epochs: int = 10  # Epochs of M2 of the latents of M1


PRESETS = {
    "smoke": dict(labels=50, draws=1, latent_dim=4, m2_latent_dim=4, m1_hidden=16, hidden=16,
                  stacked_hidden=16, epochs=2, steps_per_epoch=10, batch_size=20, m1_epochs=1,
                  stacked_epochs=1, steps_per_execution=10),
    "cpu": dict(m2_latent_dim=5, stacked_hidden=200, alpha=20.0, epochs=8, steps_per_epoch=500,
                batch_size=100, m1_epochs=40, stacked_epochs=40, steps_per_execution=100),
    "paper": dict(epochs=600, steps_per_epoch=500, batch_size=200, m1_epochs=600,
                  stacked_epochs=600, grid_every=20, learning_rate=3e-4),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    kept = data.for_validation(len(data.train) // 6)
    (digits, classes), held_out = kept.train.arrays(), kept.test.arrays()[0]
    with run.strategy.scope():
        heads = dict(activation="softplus", heads=("mean", "log_variance"))
        networks = mlp_networks((28, 28, 1), s.latent_dim, (s.m1_hidden, s.m1_hidden), **heads)
        start_at_mean(networks[1], digits / np.float32(255))
        m1 = VAE(*networks, seed=s.seed)
        run.compile(m1, keras.optimizers.Adam(run.in_halves(s.learning_rate, s.m1_epochs)))
    run.fit(m1, Source(digits), part="m1", epochs=s.m1_epochs)
    variances = active_units(m1.encode(digits)[0])[1]  # The latents in use are kept, or at least 1.
    m1 = VAE(*keep_latents(*networks, np.flatnonzero(variances >= min(0.01, variances.max()))))
    m2 = new_m2(run, s, s.seed, s.epochs)
    stream = mixed(s, kept.train, few_labels(classes, s.labels, s.seed), s.seed)
    run.fit(m2, stream, lambda model: analogies(model, held_out[:10]))

    with run.evaluation(m2) as metrics:
        measure = partial(errors, run, s, kept.train, data.test, m1, m2)
        seeds = range(s.seed, s.seed + s.draws)
        found = [run.once(f"labels of seed {seed}", measure, seed) for seed in seeds]
        metrics |= mean_and_deviation(found)
    run.export(m2)


def new_m2(run, s, seed, epochs, shape=(28, 28, 1), **options):
    """A compiled M2, of digits unless the options say otherwise."""
    keras.utils.set_random_seed(seed)
    of_digits = dict(latent_dim=s.m2_latent_dim, hidden=(s.hidden,), alpha=s.alpha, deviation=None)
    with run.strategy.scope():
        model = M2.for_images(shape, classes=10, seed=seed, **of_digits | options)
        run.compile(model, keras.optimizers.Adam(run.in_halves(s.learning_rate, epochs)))
    return model


def mixed(s, source, labels, seed, every=2, **options):
    """Batches of which every second digit, or so many, has a label."""
    few, many = source.select(labels >= 0), source.select(labels < 0)
    options |= dict(labels_per_batch=s.batch_size // every)
    return partial(partly_labeled, few, many, s.batch_size, seed, **options)


def errors(run, s, train, test, m1, m2, seed):
    """The test errors with the labels of a seed, in percent. M2 is trained for the first one."""
    (digits, classes), (images, answers) = train.arrays(), test.arrays()
    labels = few_labels(classes, s.labels, seed)
    fit = dict(steps_per_epoch=s.steps_per_epoch, verbose=0)
    if seed != s.seed:
        m2 = new_m2(run, s, seed, s.epochs)
        m2.fit(mixed(s, train, labels, seed)(), epochs=s.epochs, **fit)

    codes = np.stack(m1.encode(digits), axis=1)
    options = dict(latent_dim=s.latent_dim, hidden=(s.stacked_hidden,), alpha=s.stacked_alpha)
    options |= dict(likelihood="unbounded_normal", deviation=0.001)
    stacked = new_m2(run, s, seed, s.stacked_epochs, codes.shape[2:], **options)
    stream = mixed(s, Source((codes, classes)), labels, seed, 20, augment_batch=draw_normal)
    stacked.fit(stream(), epochs=s.stacked_epochs, **fit)
    if seed == s.seed:
        run.draw("analogies", analogies(m2, images[:10]))
        run.draw("analogies_m1_m2", analogies(stacked, images[:10], through=m1))
    means, known = m1.encode(images)[0], labels >= 0
    accuracies = {
        "m1_m2": (stacked.classify(means).argmax(axis=1) == answers).mean(),
        "m2": (m2.classify(images).argmax(axis=1) == answers).mean(),
        "m1_svm": svm_accuracy(codes[known, 0], classes[known], means, answers),
    } | few_label_baselines(digits, labels, images, answers, s.latent_dim)
    return {name: 100 - 100 * float(accuracy) for name, accuracy in accuracies.items()}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
