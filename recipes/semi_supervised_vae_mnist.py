"""Few labels and many digits, by generative models: M1, M2 and M1+M2.

Kingma, Mohamed, Rezende, Welling: "Semi-supervised Learning with Deep Generative Models", NeurIPS
2014, table 1: 100 labels of MNIST, as many of each class, drawn anew for each seed, and 49,900
digits without. M1 is a VAE of all digits, whose latents a support vector machine classifies. M2 is
a model of digits and their classes. M1+M2 is M2 of the latents that M1 draws for a digit. Beside
them stand what pixels, principal components and a graph of digits give without a model. Rates,
steps and alpha were chosen among a few by the error on the last 10,000 digits of the training set.

Deviations: half of a batch is labeled, where in the paper labels are rare. The machine learns from
labels alone, for scikit-learn has no transductive one. Gray values are taken as probabilities.

  python recipes/semi_supervised_vae_mnist.py                    33 minutes on one of two CPU cores
  python recipes/semi_supervised_vae_mnist.py --preset smoke     under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from functools import partial

from keras_gen.data import Source, draw_normal, few_labels, partly_labeled, small_images
from keras_gen.metrics import few_label_baselines, svm_accuracy
from keras_gen.networks import mlp_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.vae import M2, VAE
from keras_gen.visualize import analogies

import keras
import numpy as np


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    labels: int = 100  # Digits that keep their label, as many of each class
    draws: int = 5  # Seeds, from `seed` on, each of which draws other digits
    latent_dim: int = 50  # Dimensions of the latents of M1
    m2_latent_dim: int = 50  # Dimensions of the latents of M2, also of that of M1's latents
    m1_hidden: int = 600  # Units of each of the two hidden layers of M1
    hidden: int = 500  # Units of the hidden layer of each network of M2
    stacked_hidden: int = 500  # Likewise, of M2 of M1's latents
    alpha: float = 0.2  # Weight of the cross-entropy of a labeled digit in M2
    stacked_alpha: float = 0.2  # Likewise, of M2 of M1's latents
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero
    m1_epochs: int = 10  # Epochs of M1
    stacked_epochs: int = 10  # Epochs of M2 of the latents of M1


PRESETS = {
    "smoke": dict(labels=50, draws=1, latent_dim=4, m2_latent_dim=4, m1_hidden=16, hidden=16,
                  stacked_hidden=16, epochs=2, steps_per_epoch=10, batch_size=20, m1_epochs=1,
                  stacked_epochs=1, steps_per_execution=10),
    "cpu": dict(m2_latent_dim=5, stacked_hidden=200, alpha=20.0, stacked_alpha=1.0, epochs=8,
                steps_per_epoch=500, batch_size=100, m1_epochs=20, stacked_epochs=30, grid_every=2,
                steps_per_execution=100),
    "paper": dict(epochs=600, steps_per_epoch=500, batch_size=200, m1_epochs=600,
                  stacked_epochs=600, grid_every=20, learning_rate=3e-4),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    kept = data.for_validation(len(data.train) // 6)
    train, held_out = kept.train, kept.test.arrays()[0]
    with run.strategy.scope():
        heads = dict(activation="softplus", heads=("mean", "log_variance"))
        networks = mlp_networks((28, 28, 1), s.latent_dim, (s.m1_hidden, s.m1_hidden), **heads)
        m1 = VAE(*networks, seed=s.seed)
        run.compile(m1, keras.optimizers.Adam(run.in_halves(s.learning_rate, s.m1_epochs)))
    run.fit(m1, Source(train.arrays()[0]), part="m1", epochs=s.m1_epochs)
    m2 = new_m2(run, s, s.seed, s.epochs, s.alpha, s.hidden)
    few = few_labels(train.arrays()[1], s.labels, s.seed)
    stream = partial(partly_labeled, *by_label(train, few), s.batch_size, s.seed)
    run.fit(m2, stream, lambda model: analogies(model, held_out[:10]))

    with run.evaluation(m2) as metrics:
        found = []
        for seed in range(s.seed, s.seed + s.draws):
            measure = partial(errors, run, s, seed, train, data.test.arrays(), m1, m2)
            found.append(run.once(f"labels of seed {seed}", measure))
        for way in found[0]:
            each = [of_seed[way] for of_seed in found]
            metrics[way] = float(np.mean(each))
            metrics[f"{way}_deviation"] = float(np.std(each, ddof=len(each) > 1))
    run.export(m2)


def new_m2(run, s, seed, epochs, alpha, hidden, shape=(28, 28, 1), **options):
    """A compiled M2."""
    keras.utils.set_random_seed(seed)
    options |= dict(latent_dim=s.m2_latent_dim, hidden=(hidden,), alpha=alpha, seed=seed)
    with run.strategy.scope():
        model = M2.for_images(shape, classes=10, **options)
        run.compile(model, keras.optimizers.Adam(run.in_halves(s.learning_rate, epochs)))
    return model


def by_label(source, labels):
    """The examples that keep their label, and the others."""
    return source.select(labels >= 0), source.select(labels < 0)


def errors(run, s, seed, train, test, m1, m2):
    """The test errors with the labels of a seed, in percent. M2 is trained for the first one."""
    (digits, classes), (images, answers) = train.arrays(), test
    labels = few_labels(classes, s.labels, seed)
    fit = dict(steps_per_epoch=s.steps_per_epoch, verbose=0)
    if seed != s.seed:
        m2 = new_m2(run, s, seed, s.epochs, s.alpha, s.hidden)
        m2.fit(partly_labeled(*by_label(train, labels), s.batch_size, seed), epochs=s.epochs, **fit)

    few, many = by_label(Source((np.stack(m1.encode(digits), axis=1), classes)), labels)
    options = dict(hidden=s.stacked_hidden, shape=(s.latent_dim,), likelihood="unbounded_normal")
    stacked = new_m2(run, s, seed, s.stacked_epochs, s.stacked_alpha, **options)
    stream = partly_labeled(few, many, s.batch_size, seed, augment_batch=draw_normal)
    stacked.fit(stream, epochs=s.stacked_epochs, **fit)
    if seed == s.seed:
        run.draw("analogies", analogies(m2, images[:10]))
        run.draw("analogies_m1_m2", analogies(stacked, images[:10], through=m1))
    codes, (known, known_labels) = m1.encode(images)[0], few.arrays()
    accuracies = {
        "m1_m2": (stacked.classify(codes).argmax(axis=1) == answers).mean(),
        "m2": (m2.classify(images).argmax(axis=1) == answers).mean(),
        "m1_svm": svm_accuracy(known[:, 0], known_labels, codes, answers),
    } | few_label_baselines(digits, labels, images, answers, s.latent_dim)
    return {name: 100 - 100 * float(accuracy) for name, accuracy in accuracies.items()}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
