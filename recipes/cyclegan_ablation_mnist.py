"""CycleGAN without its cycles: two GANs whose images look right, and what is left of the content.

Zhu, Park, Isola, Efros: "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks", ICCV 2017, sec. 5.1.4 and fig. 7.

  python recipes/cyclegan_ablation_mnist.py                    26 minutes on one of two CPU cores
  python recipes/cyclegan_ablation_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: 98 % of the digits keep their class with cycles, and 94 %
with neither, at kernel distances of 0.0053 and 0.058.

Digits become negatives of digits, and the reverse. One half of the digits is shown as it is, and
negatives of the other half, so that no digit has its pair; yet the right translation of each is
known. The same networks train from the same seed with cycles, with cycles and the identity loss,
and with neither, which leaves a GAN for each direction.

Whether translations look right says the kernel distance to negatives of training digits in the
features of two classifiers of such negatives, trained apart (the worse counts). D's mean stands
beside it, where 1 is for real negatives and 0 for generated ones; it says little, for where D sees
no difference it is one half for both, and untouched digits may have more. Whether they kept their
content say one of the classifiers, which names the digit, and the error to the right translation.
The baseline is the digit as it is. Any other test negative looks right and has the wrong content:
that is what is to be expected where all content is lost. It is not lost here: generators of
convolutions keep strokes where they are.

Deviations of the cpu preset: a quarter of the channels and two residual blocks.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import extractor_accuracies

import dataclasses
from functools import partial

import keras
import numpy as np
from keras.optimizers import Adam

from keras_gen.data import Source, small_images, unpaired
from keras_gen.metrics import kernel_distance, trained_extractors
from keras_gen.translation import CycleGAN
from keras_gen.workshop.visualize import image_rows

SHOWN = 12  # digits in a sample grid
# Name -> weight of the cycles, and of the identity loss as a fraction of it.
VARIANTS = {"cycles": (10.0, 0.0), "identity": (10.0, 0.5), "neither": (0.0, 0.0)}
NAMES = {"cycles": "cycles", "identity": "cycles, identity loss", "neither": "neither"}


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    filters: int = 64  # Channels of the first layers
    blocks: int = 6  # Residual blocks of the generators
    learning_rate: float = 2e-4  # Adam's rate, in the second half linear to zero
    pool_size: int = 50  # Generated images that each discriminator's history keeps
    compared: int = 10_000  # Test digits that are translated and compared
    classifier_steps: int = 1500  # Training steps of each classifier


PRESETS = {
    "smoke": dict(filters=4, blocks=1, epochs=2, steps_per_epoch=10, batch_size=4,
                  steps_per_execution=5, pool_size=4, compared=100, classifier_steps=20),
    "cpu": dict(filters=16, blocks=2, epochs=5, steps_per_epoch=500, batch_size=8,
                steps_per_execution=50, compared=2000),
    "paper": dict(epochs=200, steps_per_epoch=1000, batch_size=1, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    digits, labels = data.train.arrays()
    test_digits, test_labels = data.test.take(s.compared).arrays()
    half = len(digits) // 2

    with run.strategy.scope():
        models = {name: build(run, s, *weights) for name, weights in VARIANTS.items()}

    def draw(model):
        shown = test_digits[:SHOWN]
        negative = model.translate(shown, "digit_to_negative")
        return image_rows(
            {
                "digit": shown,
                "as a negative": negative,
                "and back": model.translate(negative, "negative_to_digit"),
            }
        )

    # Each step: one update of both generators, then one of both discriminators.
    x = Source(digits[:half])
    y = Source(negatives(digits[half:]))
    for name, model in models.items():
        part = "" if name == "cycles" else name
        run.fit(model, partial(unpaired, x, y, s.batch_size, s.seed), draw, part=part)
    model = models["cycles"]
    run.export(model, default="digit_to_negative")

    extractors = trained_extractors(negatives(digits), labels, s.classifier_steps)
    right = negatives(test_digits)
    # As many negatives of training digits that no model has seen as such.
    real = negatives(digits[: len(test_digits)])

    with run.evaluation(model) as metrics:
        run.say("comparing translations with negatives, and with the right ones")
        shown = {"digit": test_digits}
        for name, each in models.items():
            shown[NAMES[name]] = each.translate(test_digits, "digit_to_negative")
            back = each.translate(shown[NAMES[name]], "negative_to_digit")
            metrics[f"back_{name}"] = difference(back, test_digits)
        sets = dict(zip(VARIANTS, list(shown.values())[1:], strict=True))
        sets |= {"untouched": test_digits, "right": right, "other": np.roll(right, 1, axis=0)}
        for name, images in sets.items():
            found = {kind: extract(images) for kind, extract in extractors.items()}
            distances = [
                kernel_distance(extract(real)["features"], found[kind]["features"], seed=s.seed)[
                    0
                ]
                for kind, extract in extractors.items()
            ]
            metrics[f"kernel_distance_{name}"] = max(distances)
            named = found["max"]["logits"].argmax(axis=1)
            metrics[f"accuracy_{name}"] = (named == test_labels).mean()
            metrics[f"error_{name}"] = difference(images, right)
        for name, each in models.items():
            for kind in (name, "right", "untouched"):
                value = judged(each, sets[kind])
                metrics[f"judged_{kind}" if kind == name else f"judged_{kind}_{name}"] = value
        metrics |= extractor_accuracies(extractors)
        shown["the right one"] = right
        run.draw("translations", image_rows(shown, columns=SHOWN))


def build(run, s, cycle_weight, identity_weight):
    """A compiled model, with the initial weights of the seed."""
    keras.utils.set_random_seed(s.seed)
    model = CycleGAN.for_images(
        (28, 28, 1),
        filters=s.filters,
        blocks=s.blocks,
        cycle_weight=cycle_weight,
        identity_weight=identity_weight,
        pool_size=s.pool_size,
        domains=("digit", "negative"),
        seed=s.seed,
    )
    d_optimizer = Adam(run.in_halves(s.learning_rate), 0.5)
    g_optimizer = Adam(run.in_halves(s.learning_rate), 0.5)
    run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)
    return model


def negatives(digits):
    return 255 - digits


def difference(images, others):
    """Returns the mean absolute difference of pixels, as a fraction of the levels."""
    return np.abs(images.astype("float32") - others).mean() / 255


def judged(model, images):
    """Returns the mean answer of the discriminator of negatives."""
    scaled = images.astype("float32") / 127.5 - 1
    return model.discriminator_y.predict(scaled, batch_size=100, verbose=0).mean()


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
