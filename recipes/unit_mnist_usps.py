"""UNIT for image translation between MNIST and USPS.

Liu, Breuel, Kautz: "Unsupervised Image-to-Image Translation Networks", NeurIPS 2017.

  python recipes/unit_mnist_usps.py                    about 18 minutes on one of two CPU cores
  python recipes/unit_mnist_usps.py --preset smoke     under a minute

Expected result of the cpu preset: 84% of USPS digits and 76% of MNIST digits are classified
correctly after translation (nearest neighbor: 68% and 38%; nearest neighbor on cropped ink: 95% and
78%).

A translation is correct if it still shows its digit, according to a network trained on labeled
digits from the other domain. This network and the nearest labeled neighbor also classify the digits
without translation. Realism is also reported, because an unchanged digit would keep its class, too.
It is measured as the distance between patches of translations and of the other domain's test
digits.

USPS digits fill the image, whereas MNIST digits have a margin. This framing explains much of the
domain gap, so the nearest-neighbor baseline is also evaluated on digits whose ink is scaled to fill
the image.

Deviations: in the paper, the discriminators classify target digits, whereas here, a separate
network does. The cpu preset has fewer channels and blocks, and averaged weights in the evaluation.

Data: mnist and usps through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR; usps from files
that you download yourself, listed in the error message).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import Sets, pad_to, small_images, unpaired
from keras_gen.metrics import mean_patch_distance, train_classifier
from keras_gen.translation import UNIT
from keras_gen.workshop.baselines import framed_ink, neighbor_accuracy
from keras_gen.workshop.visualize import image_rows

COLUMNS = 16  # digits in a sample grid
CLASSES = 10


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    filters: int = 64  # Channels of the first layers
    blocks: int = 3  # Number of residual blocks specific to each domain
    learning_rate: float = 1e-4  # Adam's learning rate; linear decay to 0 in the second half
    adversarial_weight: float = 10.0  # Weight of the adversarial loss, lambda_0
    kl_weight: float = 0.1  # Weight of the KL divergence of the code from N(0, 1), lambda_1
    likelihood_weight: float = 100.0  # Weight of the reconstruction distance, lambda_2
    cycle_kl_weight: float = 0.1  # Weight of the KL divergences in the cycle, lambda_3
    cycle_weight: float = 100.0
    """Weight of the distance between images and their cycle translations, lambda_4."""
    ema: float = 0.0
    """EMA momentum for the weights; evaluation uses the averaged weights. 0 disables EMA."""
    compared: int = 2000  # Number of test digits per domain to translate and compare
    classifier_steps: int = 1500  # Number of training steps for each digit classifier


PRESETS = {
    "smoke": dict(filters=4, blocks=1, epochs=2, steps_per_epoch=10, batch_size=4,
                  steps_per_execution=5, compared=100, classifier_steps=20),
    "cpu": dict(filters=16, blocks=1, learning_rate=2e-4, ema=0.998, epochs=8,
                steps_per_epoch=500, batch_size=8, grid_every=2, steps_per_execution=50),
    "paper": dict(epochs=100, steps_per_epoch=2000, batch_size=64, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    mnist = small_images("mnist", labels=True)
    usps = small_images("usps", labels=True, fill=True)
    data = run.load(Sets(mnist=mnist, usps=usps))
    test_mnist, mnist_labels = data.test_mnist.take(s.compared).arrays()
    test_usps, usps_labels = data.test_usps.take(s.compared).arrays()

    with run.strategy.scope():
        model = UNIT.for_images(
            (28, 28, 1),
            filters=s.filters,
            blocks=s.blocks,
            adversarial_weight=s.adversarial_weight,
            kl_weight=s.kl_weight,
            likelihood_weight=s.likelihood_weight,
            cycle_kl_weight=s.cycle_kl_weight,
            cycle_weight=s.cycle_weight,
            domains=("mnist", "usps"),
            seed=s.seed,
        )
        d_optimizer = Adam(run.in_halves(s.learning_rate), 0.5)
        g_optimizer = run.averaged(Adam(run.in_halves(s.learning_rate), 0.5))
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    def draw(model):
        mnist = test_mnist[:COLUMNS]
        usps = test_usps[:COLUMNS]
        rows = {
            "MNIST": mnist,
            "MNIST to USPS": model.translate(mnist, "mnist_to_usps"),
            "USPS": usps,
            "USPS to MNIST": model.translate(usps, "usps_to_mnist"),
        }
        return image_rows(rows)

    # Each step: one update of the translation networks, then one update of both discriminators.
    x = data.train_mnist.map(without_label)
    y = data.train_usps.map(without_label)
    run.fit(model, partial(unpaired, x, y, s.batch_size, s.seed), draw)
    run.export(model, default="mnist_to_usps")

    with run.evaluation(model) as metrics:
        run.say("classifying digits from both domains")
        tasks = {
            "mnist_to_usps": (test_mnist, mnist_labels, data.train_usps, test_usps),
            "usps_to_mnist": (test_usps, usps_labels, data.train_mnist, test_mnist),
        }
        for direction, (images, labels, labeled, targets) in tasks.items():
            known, known_labels = labeled.arrays()
            network = train_classifier(
                known, known_labels, CLASSES, steps=s.classifier_steps, seed=s.seed
            )
            translated = model.translate(images, direction, batch_size=100)
            named = {
                "accuracy": classes_of(network, translated),
                "untranslated": classes_of(network, images),
            }
            for name, found in named.items():
                metrics[f"{name}_{direction}"] = np.mean(found == labels)
            nearest = neighbor_accuracy(known, known_labels, images, labels)
            framed = framed_ink(known), known_labels, framed_ink(images), labels
            metrics[f"neighbor_{direction}"] = nearest
            metrics[f"framed_neighbor_{direction}"] = neighbor_accuracy(*framed)
            metrics[f"realism_{direction}"] = distance(translated, targets)
            metrics[f"realism_untranslated_{direction}"] = distance(images, targets)
            middle = len(targets) // 2
            floor = distance(targets[:middle], targets[middle:])
            metrics[f"realism_floor_{direction}"] = floor


def without_label(image, _):
    return image


def classes_of(network, images):
    return network.predict(images, verbose=0)["logits"].argmax(axis=1)


def distance(images, targets):
    """Returns the patch distance; pyramids require a side length that is a power of two."""
    return mean_patch_distance(pad_to(images, 32).numpy(), pad_to(targets, 32).numpy())


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
