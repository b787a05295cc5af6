"""CycleGAN ablation on MNIST: cycle consistency and the identity loss.

Zhu, Park, Isola, Efros: "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks", ICCV 2017, sec. 5.1.4 and fig. 7.

  python recipes/cyclegan_ablation_mnist.py                    26 minutes on one of two CPU cores
  python recipes/cyclegan_ablation_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: 98% of the digits keep their class with cycle consistency and 94%
without, at kernel distances of 0.0053 and 0.058.

The model translates digits to negatives and back. Half of the digits are shown unchanged and the
other half as negatives, so no digit appears in both domains, but the correct translation of each
digit is known. The same networks are trained from the same seed with cycle consistency, with cycle
consistency and the identity loss, and with neither loss, which leaves one GAN per direction.

Realism is measured by the kernel distance to negatives of training digits in the features of two
independently trained classifiers of negatives (the worse result counts). The mean output of D is
also reported (1: real negative, 0: generated), but this is weak evidence. If D cannot distinguish
real from generated negatives, its output is 1/2 for both, and unchanged digits may score higher.
Content is measured with one of the classifiers, which predicts the digit, and with the error
relative to the correct translation. The baseline is the unchanged digit. An arbitrary test
negative, which is realistic but has the wrong content, shows which values to expect if all content
is lost. In this task, content survives even without cycle consistency, because convolutional
generators keep strokes in place.

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
# Maps each name to the cycle weight, and to the identity weight as a fraction of the cycle
# weight.
VARIANTS = {"cycles": (10.0, 0.0), "identity": (10.0, 0.5), "neither": (0.0, 0.0)}
NAMES = {"cycles": "cycle loss", "identity": "cycle and identity loss", "neither": "neither"}


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    filters: int = 64  # Channels of the generators' and discriminators' first layers
    blocks: int = 6  # Number of residual blocks in each generator
    learning_rate: float = 2e-4  # Adam's learning rate; linear decay to 0 in the second half
    pool_size: int = 50  # Number of generated images in each discriminator's history
    compared: int = 10_000  # Number of test digits to translate and compare
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


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
                "negative": negative,
                "back-translation": model.translate(negative, "negative_to_digit"),
            }
        )

    # Each step: one update of both generators, then one update of both discriminators.
    x = Source(digits[:half])
    y = Source(negatives(digits[half:]))
    for name, model in models.items():
        part = "" if name == "cycles" else name
        run.fit(model, partial(unpaired, x, y, s.batch_size, s.seed), draw, part=part)
    model = models["cycles"]
    run.export(model, default="digit_to_negative")

    extractors = trained_extractors(negatives(digits), labels, s.classifier_steps)
    right = negatives(test_digits)
    # The same number of negatives of training digits that no model has seen as negatives.
    real = negatives(digits[: len(test_digits)])

    with run.evaluation(model) as metrics:
        run.say("comparing translations with real negatives and with the correct translations")
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
        shown["correct negative"] = right
        run.draw("translations", image_rows(shown, columns=SHOWN))


def build(run, s, cycle_weight, identity_weight):
    """Returns a compiled model with initial weights from the seed."""
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
    """Returns the mean absolute difference between pixels, as a fraction of the levels."""
    return np.abs(images.astype("float32") - others).mean() / 255


def judged(model, images):
    """Returns the mean output of the discriminator for negatives."""
    scaled = images.astype("float32") / 127.5 - 1
    return model.discriminator_y.predict(scaled, batch_size=100, verbose=0).mean()


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
