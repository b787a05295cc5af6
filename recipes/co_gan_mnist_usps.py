"""CoGAN for domain adaptation between MNIST and USPS.

Liu, Tuzel: "Coupled Generative Adversarial Networks", NeurIPS 2016, sec. 4, domain adaptation.

  python recipes/co_gan_mnist_usps.py                    105 minutes on two CPU cores (shared)
  python recipes/co_gan_mnist_usps.py --preset smoke     under a minute

Expected result of the cpu preset: 69% of USPS test digits and 56% of MNIST test digits are
classified correctly (nearest neighbor on cropped digits: 91% and 77%; source-only network: 28% and
18%).

The discriminators share all layers except the first, and also learn the labels of one domain, the
source. As in the paper, 2,000 MNIST and 1,800 USPS digits are sampled. Labels of the other domain,
the target, are used only to evaluate test digits. The baselines are the nearest neighbor and a
network trained only on the source.

USPS digits fill the image, whereas MNIST digits have a margin. This framing explains much of the
domain gap, so the nearest-neighbor baseline is also evaluated on digits whose ink is scaled to fill
the image.

Deviations: both images of a generated pair must have the same class; without this constraint,
target classes stayed at chance. The cpu preset uses fewer generator channels.

Data: mnist and usps through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR; usps from files
that you download yourself, listed in the error message).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import Sets, small_images, unpaired
from keras_gen.gan import CoGAN
from keras_gen.metrics import train_classifier
from keras_gen.networks import co_gan_discriminator, co_gan_generator
from keras_gen.workshop.baselines import framed_ink, neighbor_accuracy
from keras_gen.workshop.visualize import image_rows

COLUMNS = 16  # pairs in a sample grid
CLASSES = 10


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    mnist_images: int = 2000  # Number of MNIST training digits
    usps_images: int = 1800  # Number of USPS training digits
    latent_dim: int = 100  # Number of latent dimensions
    filters: int = 128
    """Channels of the generators at full resolution; earlier layers have more."""
    discriminator_filters: int = 20  # Channels of the discriminators' first layers
    hidden: int = 500  # Units in the discriminators' dense layer
    pair_weight: float = 1.0  # Weight of the KL divergence between a pair's class probabilities
    learning_rate: float = 2e-4  # Adam's learning rate; linear decay to 0 in the second half
    classifier_steps: int = 1500
    """Number of training steps for each classifier trained only on the source domain."""


PRESETS = {
    "smoke": dict(mnist_images=100, usps_images=90, latent_dim=4, filters=4,
                  discriminator_filters=4, hidden=8, epochs=2, steps_per_epoch=10, batch_size=8,
                  steps_per_execution=5, classifier_steps=20),
    "cpu": dict(filters=32, epochs=10, steps_per_epoch=500, batch_size=64, grid_every=2,
                steps_per_execution=50),
    "paper": dict(epochs=50, steps_per_epoch=500, batch_size=128, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    mnist = small_images("mnist", labels=True)
    usps = small_images("usps", labels=True, fill=True)
    data = run.load(Sets(mnist=mnist, usps=usps))
    rng = np.random.default_rng(s.seed)
    from_mnist = data.train_mnist.some(s.mnist_images, rng)
    from_usps = data.train_usps.some(s.usps_images, rng)

    with run.strategy.scope():
        to_usps = build(run, s)
        to_mnist = build(run, s)

    def draw(source, target, model):
        pairs = model.sample(COLUMNS, seed=0)
        return image_rows({source: pairs[:, 0], target: pairs[:, 1]})

    # Each step: one update of both discriminators, then one update of both generators.
    run.fit(to_usps, partial(batches, from_mnist, from_usps, s), partial(draw, "MNIST", "USPS"))
    run.export(to_usps, default="classify")
    reverse = partial(batches, from_usps, from_mnist, s)
    run.fit(to_mnist, reverse, partial(draw, "USPS", "MNIST"), part="to_mnist")

    with run.evaluation(to_usps) as metrics:
        tasks = {
            "to_usps": (to_usps, from_mnist, data.test_usps),
            "to_mnist": (to_mnist, from_usps, data.test_mnist),
        }
        for name, (model, source, target) in tasks.items():
            run.say(f"classifying digits translated {name.replace('_', ' ')}")
            metrics |= accuracies(name, model, source.arrays(), target.arrays(), s)


def build(run, s):
    """Returns a compiled model with its own initial weights."""
    shape = (28, 28, 1)
    model = CoGAN(
        co_gan_generator(shape, s.latent_dim, s.filters),
        co_gan_discriminator(shape, CLASSES, s.discriminator_filters, s.hidden),
        pair_weight=s.pair_weight,
        seed=s.seed,
    )
    d_optimizer = Adam(run.in_halves(s.learning_rate), 0.5)
    g_optimizer = Adam(run.in_halves(s.learning_rate), 0.5)
    run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)
    return model


def batches(source, target, s, start=0):
    """Returns batches of images from both domains, with labels for the source only."""
    unlabeled = target.map(lambda image, label: image)
    pairs = unpaired(source, unlabeled, s.batch_size, s.seed, start)
    return pairs.map(lambda labeled, other: (labeled[0], other, labeled[1]))


def accuracies(task, model, source, target, s):
    """Returns the fractions of target test digits classified correctly, by method."""
    images, labels = source
    test_images, test_labels = target
    alone = train_classifier(images, labels, CLASSES, steps=s.classifier_steps, seed=s.seed)
    named = model.classify(test_images).argmax(axis=1)
    named_alone = alone.predict(test_images, verbose=0)["logits"].argmax(axis=1)
    framed = framed_ink(images), labels, framed_ink(test_images), test_labels
    return {
        f"model_{task}": np.mean(named == test_labels),
        f"source_alone_{task}": np.mean(named_alone == test_labels),
        f"neighbor_{task}": neighbor_accuracy(images, labels, test_images, test_labels),
        f"framed_neighbor_{task}": neighbor_accuracy(*framed),
    }


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
