"""CoGAN on MNIST: digits paired with edges or negatives, trained without pairs.

Liu, Tuzel: "Coupled Generative Adversarial Networks", NeurIPS 2016, sec. 4, tasks A and B.

  python recipes/co_gan_mnist.py                    68 minutes on one of two CPU cores
  python recipes/co_gan_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: 90% of the pixels agree in pairs of digits and edges, and 99% in
pairs of digits and negatives (mismatched pairs: 81% and 83%). In 56% and 93% of the pairs, both
images have the same class.

Half of the digits are shown unchanged, and the other half as edges or negatives, so no training
digit appears in both domains. In a correct pair, the second image is the transform of the first.
Agreement is the fraction of pixels that are equal after thresholding. The baseline is mismatched
pairs, which also agree to a large extent, because most pixels are black. A classifier in each
domain determines whether both images show the same class. In addition, the digits are evaluated on
their own, as in the other GAN recipes, because a generator that always produced the same digit
could also reach full agreement.

Deviations of the cpu preset: fewer channels; the generator is evaluated with averaged weights.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam
from scipy import ndimage

from keras_gen.data import Source, pad_to, small_images, unpaired
from keras_gen.gan import CoGAN
from keras_gen.metrics import sample_report, trained_extractor, trained_extractors
from keras_gen.networks import co_gan_discriminator, co_gan_generator
from keras_gen.workshop.visualize import image_rows

SHOWN = 24  # pairs per grid


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 100  # Number of latent dimensions
    filters: int = 128  # Channels of the generator at full resolution; earlier layers have more
    discriminator_filters: int = 20  # Channels of the discriminator's first layers
    hidden: int = 500  # Units in the discriminator's dense layer
    learning_rate: float = 2e-4
    """Adam's learning rate for both networks; linear decay to 0 in the second half."""
    ema: float = 0.0
    """EMA momentum for the generator; evaluation uses the averaged weights. 0 disables EMA."""
    compared: int = 10_000
    """Number of examples to compare from each set: pairs, test images, and training images."""
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


PRESETS = {
    "smoke": dict(latent_dim=4, filters=4, discriminator_filters=4, hidden=8, epochs=2,
                  steps_per_epoch=10, batch_size=8, steps_per_execution=5, compared=100,
                  classifier_steps=20),
    "cpu": dict(filters=32, ema=0.998, epochs=10, steps_per_epoch=500, batch_size=64,
                grid_every=2, steps_per_execution=50, compared=5000),
    "paper": dict(epochs=50, steps_per_epoch=500, batch_size=128, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    digits, labels = data.train.arrays()
    test_digits, _ = data.test.take(s.compared).arrays()
    half = len(digits) // 2

    with run.strategy.scope():
        model = build(run, s)
        of_negatives = build(run, s)

    def draw(model):
        return pair_rows(model.sample(SHOWN, seed=0), "edges")

    # Each step: one update of both discriminators, then one update of both generators.
    outlines = edges(digits)
    shown_digits = Source(digits[:half])
    edges_of_others = Source(outlines[half:])
    negatives_of_others = Source(negatives(digits[half:]))
    run.fit(model, partial(unpaired, shown_digits, edges_of_others, s.batch_size, s.seed), draw)
    run.export(model, default="sample")
    stream = partial(unpaired, shown_digits, negatives_of_others, s.batch_size, s.seed)
    run.fit(of_negatives, stream, draw, part="negatives")

    # Pad digits, because patch pyramids require a side length that is a power of two.
    images = pad_to(digits, 32).numpy()
    images_of_edges = pad_to(outlines, 32).numpy()
    of_digits = trained_extractors(images, labels, s.classifier_steps)
    of_edges = trained_extractor(images_of_edges, labels, s.classifier_steps, kind="max")
    shown = pad_to(test_digits, 32).numpy()

    with run.evaluation(model) as metrics:
        run.say("comparing the images within each pair, and generated digits with test digits")
        pairs = model.sample(s.compared, seed=s.seed)
        x = pad_to(pairs[:, 0], 32).numpy()
        y = pad_to(pairs[:, 1], 32).numpy()
        metrics |= sample_report(of_digits, images, shown, {"": x[: len(shown)]}, s.seed)
        metrics["extractor_accuracy_edges"] = of_edges.accuracy
        classes = classes_of(of_digits["max"], x)
        edge_classes = classes_of(of_edges, y)
        metrics |= agreement("same_class_edges", classes, edge_classes)
        metrics |= agreement("agreement_edges", edges(pairs[:, 0]) > 127, pairs[:, 1] > 127)

        pairs = of_negatives.sample(s.compared, seed=s.seed)
        x = pad_to(pairs[:, 0], 32).numpy()
        y = pad_to(negatives(pairs[:, 1]), 32).numpy()
        classes = classes_of(of_digits["max"], x)
        other_classes = classes_of(of_digits["max"], y)
        metrics |= agreement("same_class_negatives", classes, other_classes)
        turned = negatives(pairs[:, 0]) > 127
        metrics |= agreement("agreement_negatives", turned, pairs[:, 1] > 127)
        run.draw("negatives", pair_rows(pairs[:SHOWN], "negative"))


def build(run, s):
    """Returns a compiled model with its own initial weights."""
    shape = (28, 28, 1)
    model = CoGAN(
        co_gan_generator(shape, s.latent_dim, s.filters),
        co_gan_discriminator(shape, filters=s.discriminator_filters, hidden=s.hidden),
        seed=s.seed,
    )
    d_optimizer = Adam(run.in_halves(s.learning_rate), 0.5)
    g_optimizer = run.averaged(Adam(run.in_halves(s.learning_rate), 0.5))
    run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)
    return model


def edges(digits):
    """Returns the outline of a digit: the pixels added by a dilation by one pixel."""
    return ndimage.grey_dilation(digits, (1, 3, 3, 1)) - digits


def negatives(digits):
    return 255 - digits


def agreement(name, first, second):
    """Returns the fractions of equal pixels in pairs and in mismatched pairs."""
    return {
        name: np.mean(first == second),
        f"{name}_shuffled": np.mean(first == np.roll(second, 1, axis=0)),
    }


def classes_of(extractor, images):
    return extractor(images)["logits"].argmax(axis=1)


def pair_rows(pairs, second):
    """Shows the digits above the images of the second domain."""
    return image_rows({"digit": pairs[:, 0], second: pairs[:, 1]})


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
