"""CoGAN names digits of USPS by the labels of MNIST, and the reverse.

Liu, Tuzel: "Coupled Generative Adversarial Networks", NeurIPS 2016, sec. 4, domain adaptation.

  python recipes/co_gan_mnist_usps.py                    105 minutes on two CPU cores, shared
  python recipes/co_gan_mnist_usps.py --preset smoke     under a minute

Expected result of the cpu preset: 69 % of USPS's test digits and 56 % of MNIST's are named right;
28 and 18 % by a network of the source alone, 62 and 33 % by the nearest neighbor.

The discriminators, which share all but their first layers, learn the labels of one domain, the
source, too. As in the paper 2,000 digits of MNIST and 1,800 of USPS are drawn. Labels of the
target, the other domain, are used once, to count errors on its test digits. Beside the accuracies
stand those of the nearest neighbor and of a network that learned the source alone.

USPS's digits fill the image, MNIST's have a margin. Much of what sets the two domains apart is this
frame: the nearest neighbor is measured once more on digits whose ink is enlarged to the image.

Deviations: both images of a pair that the generators draw must be of the same class, for without
this the classes of the target were at chance. Fewer channels of the generators in the cpu preset.

Data: mnist and usps through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR; usps from files
fetched by hand, which an error names).
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
    mnist_images: int = 2000  # Digits of MNIST to learn from
    usps_images: int = 1800  # Digits of USPS to learn from
    latent_dim: int = 100  # Dimensions of the latents
    filters: int = 128  # Channels of the generators before their last layers
    discriminator_filters: int = 20  # Channels of the discriminators' first layers
    hidden: int = 500  # Units of the discriminators' dense layer
    pair_weight: float = 1.0  # Weight of the agreement of the classes of a drawn pair
    learning_rate: float = (
        2e-4  # Adam's rate for all networks, in the second half linear to zero
    )
    classifier_steps: int = 1500  # Training steps of the networks that learn the source alone


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

    # Each step: one update of both discriminators, then one of both generators.
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
            run.say(f"naming digits {name.replace('_', ' ')}")
            metrics |= accuracies(name, model, source.arrays(), target.arrays(), s)


def build(run, s):
    """Returns a compiled model with initial weights of its own."""
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
    """Returns batches of images of both domains, and the labels of the source alone."""
    unlabeled = target.map(lambda image, label: image)
    pairs = unpaired(source, unlabeled, s.batch_size, s.seed, start)
    return pairs.map(lambda labeled, other: (labeled[0], other, labeled[1]))


def accuracies(task, model, source, target, s):
    """Returns the fractions of the target's test digits that are named right, by who names them."""
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
