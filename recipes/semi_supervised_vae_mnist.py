"""Semi-supervised VAEs (M1, M2, and M1+M2) on MNIST.

Kingma, Mohamed, Rezende, Welling: "Semi-supervised Learning with Deep Generative Models", NeurIPS
2014, table 1, with 100 MNIST labels.

  python recipes/semi_supervised_vae_mnist.py                    31 minutes on one of two CPU cores
  python recipes/semi_supervised_vae_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a test error of 6.8% with M1+M2, 23.1% with M2, and 15.5% with M1
and a support vector machine (label spreading over HOG: 5.8%; the paper's M1+M2: 3.33%).

The 100 labels are balanced over the digits and resampled for each seed; 49,900 digits are
unlabeled. M1 is a VAE trained on all digits, whose latents are classified by a support vector
machine. M2 models digits and their labels. M1+M2 models latents sampled from M1, using only M1's
active latents and initial weights near zero, as in the authors' code. The baselines are classifiers
on pixels and on principal components, and label spreading over a graph. Settings were chosen on the
last 10,000 training digits.

Deviations: labeled digits appear more than once per pass over all digits. The support vector
machine is trained only on the labeled digits, because scikit-learn has no transductive variant.
Gray values are treated as probabilities.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import keras
import numpy as np
from keras.optimizers import Adam

from keras_gen.data import Source, draw_normal, few_labels, partly_labeled, small_images
from keras_gen.metrics import active_units, mean_and_deviation
from keras_gen.networks import keep_latents, mlp_networks, start_at_mean
from keras_gen.vae import M2, VAE
from keras_gen.workshop.baselines import few_label_baselines, svm_accuracy
from keras_gen.workshop.visualize import analogies


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    labels: int = 100  # Number of labeled digits, split evenly among the classes
    draws: int = 5
    """Number of seeds, starting at --seed; each seed selects different labeled digits."""
    latent_dim: int = 50
    """Number of latent dimensions in M1 and in the M2 trained on M1's latents."""
    m2_latent_dim: int = 50  # Number of latent dimensions in M2
    m1_hidden: int = 600  # Units in each of the two hidden layers of M1
    hidden: int = 500  # Units in the hidden layer of each network of M2
    stacked_hidden: int = 500
    """Units in the hidden layer of each network of the M2 that is trained on M1's latents."""
    alpha: float = 0.2
    """Weight of each labeled digit's cross-entropy in M2; every second digit in a batch has a
    label."""
    stacked_alpha: float = 2.0
    """Weight of each labeled digit's cross-entropy in the M2 model that is trained on M1's latents;
    every 20th digit in a batch has a label."""
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    m1_epochs: int = 10  # Number of epochs for M1
    stacked_epochs: int = 10  # Number of epochs for the M2 trained on M1's latents


PRESETS = {
    "smoke": dict(labels=50, draws=1, latent_dim=4, m2_latent_dim=4, m1_hidden=16, hidden=16,
                  stacked_hidden=16, epochs=2, steps_per_epoch=10, batch_size=20, m1_epochs=1,
                  stacked_epochs=1, steps_per_execution=10),
    "cpu": dict(m2_latent_dim=5, stacked_hidden=200, alpha=20.0, epochs=8, steps_per_epoch=500,
                batch_size=100, m1_epochs=40, stacked_epochs=40, steps_per_execution=100),
    "paper": dict(epochs=600, steps_per_epoch=500, batch_size=200, m1_epochs=600,
                  stacked_epochs=600, grid_every=20, learning_rate=3e-4),
}  # fmt: skip

CLASSES = 10


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    split = data.for_validation(len(data.train) // 6)
    digits, _ = split.train.arrays()
    held_out, _ = split.test.arrays()

    # M1. Each step: one joint update of the encoder and the decoder.
    with run.strategy.scope():
        encoder, decoder = mlp_networks(
            (28, 28, 1),
            s.latent_dim,
            (s.m1_hidden, s.m1_hidden),
            activation="softplus",
            heads=("mean", "log_variance"),
        )
        start_at_mean(decoder, digits / np.float32(255))
        m1 = VAE(encoder, decoder, seed=s.seed)
        run.compile(m1, Adam(run.in_halves(s.learning_rate, s.m1_epochs)))
    run.fit(m1, Source(digits), part="m1", epochs=s.m1_epochs)
    m1 = with_latents_in_use(m1, digits)

    # M2, the main model. Each step: one joint update of the encoder, the decoder, and the
    # classifier.
    m2 = build_m2(run, s, s.seed)
    stream = partial(m2_batches, s, split.train, s.seed)
    run.fit(m2, stream, partial(analogies, images=held_out[:10]))
    run.export(m2)

    # Train all models with the labels of each seed.
    measure = partial(test_errors, run, s, split.train, data.test, m1, m2)
    errors = run.each_seed("labels of seed {}", measure, s.draws)

    with run.evaluation(m2) as metrics:
        metrics |= mean_and_deviation(errors)


def with_latents_in_use(m1, digits):
    """Returns M1 with only its active latents, of which there is at least one."""
    means, *_ = m1.encode(digits)
    _, variances = active_units(means)
    in_use = np.flatnonzero(variances >= min(0.01, variances.max()))
    return VAE(*keep_latents(m1.encoder, m1.decoder, in_use))


def build_m2(run, s, seed):
    """Returns a compiled M2 on digits."""
    keras.utils.set_random_seed(seed)
    with run.strategy.scope():
        model = M2.for_images(
            (28, 28, 1),
            classes=CLASSES,
            latent_dim=s.m2_latent_dim,
            hidden=(s.hidden,),
            alpha=s.alpha,
            deviation=None,
            seed=seed,
        )
        run.compile(model, Adam(run.in_halves(s.learning_rate, s.epochs)))
    return model


def build_stacked(run, s, seed, shape):
    """Returns a compiled M2 on M1's latents."""
    keras.utils.set_random_seed(seed)
    with run.strategy.scope():
        model = M2.for_images(
            shape,
            classes=CLASSES,
            latent_dim=s.latent_dim,
            hidden=(s.stacked_hidden,),
            alpha=s.stacked_alpha,
            deviation=0.001,
            likelihood="unbounded_normal",
            seed=seed,
        )
        run.compile(model, Adam(run.in_halves(s.learning_rate, s.stacked_epochs)))
    return model


def m2_batches(s, train, seed, start=0):
    """Returns batches of digits; every second digit has a label."""
    _, classes = train.arrays()
    labels = few_labels(classes, s.labels, seed)
    few = train.select(labels >= 0)
    many = train.select(labels < 0)
    return partly_labeled(few, many, s.batch_size, seed, start, s.batch_size // 2)


def stacked_batches(s, codes, classes, labels, seed):
    """Returns batches of latents sampled from M1's posteriors; every 20th latent has a label."""
    source = Source((codes, classes))
    few = source.select(labels >= 0)
    many = source.select(labels < 0)
    return partly_labeled(
        few,
        many,
        s.batch_size,
        seed,
        labels_per_batch=s.batch_size // 20,
        augment_batch=draw_normal,
    )


def test_errors(run, s, train, test, m1, m2, seed):
    """Returns the test errors, in percent, with a seed's labels; `m2` belongs to the first seed."""
    digits, classes = train.arrays()
    images, answers = test.arrays()
    labels = few_labels(classes, s.labels, seed)
    known = labels >= 0
    steps = dict(steps_per_epoch=s.steps_per_epoch, verbose=0)

    if seed != s.seed:
        m2 = build_m2(run, s, seed)
        m2.fit(m2_batches(s, train, seed), epochs=s.epochs, **steps)

    # Means and log variances of M1's latents; M2 is trained on samples from these distributions.
    codes = np.stack(m1.encode(digits), axis=1)
    means, *_ = m1.encode(images)
    stacked = build_stacked(run, s, seed, codes.shape[2:])
    batches = stacked_batches(s, codes, classes, labels, seed)
    stacked.fit(batches, epochs=s.stacked_epochs, **steps)

    if seed == s.seed:
        run.draw("analogies", analogies(m2, images[:10]))
        run.draw("analogies_m1_m2", analogies(stacked, images[:10], through=m1))
    accuracies = {
        "m1_m2": (stacked.classify(means).argmax(axis=1) == answers).mean(),
        "m2": (m2.classify(images).argmax(axis=1) == answers).mean(),
        "m1_svm": svm_accuracy(codes[known, 0], classes[known], means, answers),
    }
    accuracies |= few_label_baselines(digits, labels, images, answers, s.latent_dim)
    return {name: 100 - 100 * float(accuracy) for name, accuracy in accuracies.items()}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
