"""Generative defenses of an MNIST classifier under defense-aware and defense-unaware attacks.

Samangouei, Kabkab, Chellappa: "Defense-GAN: Protecting Classifiers against Adversarial Attacks
using Generative Models", ICLR 2018; Meng, Chen: "MagNet: A Two-Pronged Defense against Adversarial
Examples", CCS 2017.

  python recipes/generative_defense_mnist.py                    15 minutes on one of two CPU cores
  python recipes/generative_defense_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: under the worst attack, 15% of digits are classified correctly
from the nearest image that a VAE can generate, 0% from the VAE's reconstruction, and 68% with a
pixel threshold.

A VAE precedes a classifier trained on clean digits. The classifier receives either the VAE's
reconstruction of an image or the nearest image that the VAE's decoder can generate, which is found
by gradient descent. Each pixel may change by 0.3 of its range. As the papers show, the defense
partly stops attacks on the classifier alone, which are unaware of the defense. The decisive attacks
target the defense: they differentiate through the reconstruction, and treat the gradient descent as
the identity. Robust accuracy is measured per digit under the worst of several such attacks. The
baseline, a pixel threshold, needs no model.

Deviations: a VAE is used instead of a GAN, so gradient descent starts from the encoder's output.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam

from keras_gen.classifiers import Classifier
from keras_gen.data import small_images
from keras_gen.networks import conv_encoder, mlp_encoder, mlp_networks
from keras_gen.robustness import (
    FGSM,
    PGD,
    named_right,
    projected,
    reconstructed,
    robust_accuracy,
)
from keras_gen.vae import VAE
from keras_gen.workshop.baselines import thresholded
from keras_gen.workshop.visualize import image_rows

CLASSES = 10
COLUMNS = 10  # digits in a sample grid


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    epsilon: float = 0.3  # Maximum change per pixel, as a fraction of the pixel range
    filters: int = 32  # Channels of the classifier's first convolution
    hidden: int = 200
    """Units in each hidden layer of the VAE and in the classifier's dense layer."""
    latent_dim: int = 20  # Number of latent dimensions in the VAE
    learning_rate: float = 1e-3  # Adam's learning rate; cosine decay to 0
    descent: int = 30
    """Number of gradient steps in the search for the nearest image that the VAE can generate."""
    tested: int = 1000  # Number of test digits to attack; the last ones are used
    restarts: int = 2  # Number of random starts for each PGD attack


PRESETS = {
    "smoke": dict(filters=4, hidden=8, latent_dim=2, descent=3, epochs=2, steps_per_epoch=10,
                  batch_size=8, steps_per_execution=5, tested=20, restarts=1),
    "cpu": dict(filters=16, epochs=6, steps_per_epoch=600, batch_size=100,
                steps_per_execution=100, grid_every=2),
    "paper": dict(epochs=50, steps_per_epoch=600, batch_size=100, descent=200, tested=10_000,
                  restarts=20, steps_per_execution=100, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    images, labels = (part[-s.tested :] for part in data.test.arrays())
    rate = keras.optimizers.schedules.CosineDecay(s.learning_rate, s.epochs * s.steps_per_epoch)

    with run.strategy.scope():
        keras.utils.set_random_seed(s.seed)
        encoder = conv_encoder(
            (28, 28, 1), s.hidden, (s.filters, 2 * s.filters), output_activation="relu"
        )
        head = mlp_encoder((s.hidden,), CLASSES, hidden=(), name="classifier")
        classifier = Classifier(encoder, head, seed=s.seed)
        layers = dict(hidden=(s.hidden, s.hidden), heads=("mean", "log_variance"))
        vae = VAE(*mlp_networks((28, 28, 1), s.latent_dim, **layers), seed=s.seed)
        run.compile(classifier, Adam(rate))
        run.compile(vae, Adam(rate))

    # APGD and SquareAttack are too expensive, because each query of the projection runs a gradient
    # descent.
    attacks = {
        "fgsm": FGSM(s.epsilon),
        "pgd": PGD(s.epsilon, relative_step=1 / 30),  # the value in the paper
        "pgd_steps_of_a_tenth": PGD(s.epsilon, relative_step=0.1),
        "pgd_steps_of_a_quarter": PGD(s.epsilon, relative_step=0.25),
    }
    ways = {
        "reconstruction": reconstructed(classifier, vae),
        "projection": projected(
            classifier, partial(decoded, vae), partial(mean, vae), s.descent
        ),
        "threshold": thresholded(classifier),
        "undefended": classifier,
    }

    def draw(vae):
        x = images[:COLUMNS] / np.float32(255)
        attacked = attacks["pgd"](ways["reconstruction"], x, labels[:COLUMNS])
        rows = {
            "digit": x,
            "reconstruction": vae(x),
            "attacked digit": attacked,
            "reconstruction of attacked digit": vae(attacked),
        }
        return image_rows(
            {name: np.round(255 * np.asarray(row)).astype("uint8") for name, row in rows.items()}
        )

    run.fit(classifier, data.train, part="classifier")
    run.fit(vae, data.train.map(without_label), draw)
    run.export(vae, default="reconstruct")

    found = {}
    for name, network in ways.items():
        measure = partial(robust_accuracy, network, images, labels, attacks, restarts=s.restarts)
        found[name] = run.once(name, measure)

    with run.evaluation(vae) as metrics:
        for name, accuracies in found.items():
            metrics |= {f"{attack}_{name}": value for attack, value in accuracies.items()}
            deviation = np.sqrt(accuracies["worst"] * (1 - accuracies["worst"]) / len(images))
            metrics[f"worst_{name}_deviation"] = deviation
        unaware = attacks["pgd"](classifier, images, labels)
        for name, network in ways.items():
            metrics[f"unaware_{name}"] = named_right(network, unaware, labels).mean()


def without_label(image, _):
    return image


def decoded(vae, latents):
    return tf.sigmoid(vae.decoder(latents, training=False))


def mean(vae, images):
    latents, *_ = vae.encoder(images, training=False)
    return latents


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
