"""pix2pix on CMP facades: label maps to photographs and back.

Isola, Zhu, Zhou, Efros: "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
2017, at 64x64 pixels.

  python recipes/pix2pix_facades.py                    about 50 minutes on one of two CPU cores
  python recipes/pix2pix_facades.py --preset smoke     under a minute
  python recipes/pix2pix_facades.py --pairs DIR        your own pairs, side by side

Expected result of the cpu preset: a patch distance of 130 to test photographs, with 0.54 of the
pixels recognized as the requested label (photograph of the nearest label map: 83 and 0.40; ridge
regression: 557 and 0.30; real photograph: 50 and 0.57).

A label map leaves much of its photograph undetermined, so two metrics must be read together.
Realism is the distance between patches of translations and of test photographs; this distance is
large for the blurred results of the L1 loss alone. Agreement is the fraction of pixels that a
network trained on photographs recognizes as the requested label; this fraction is low for a real
photograph that belongs to another map. Simple baselines do well on only one of the two metrics.

A generator that receives noise in addition to the map learns to ignore it. Variation is a pixel's
standard deviation over seeds, in levels; without noise, the variation is 0. The same networks are
also trained in the other direction, in which accuracy can be measured directly. The additional
models are trained for a third of the main model's steps in the cpu preset, and for half in the
paper preset.

Deviations of the cpu preset: 64-pixel images; 16-pixel patches for the discriminator, a quarter of
the image's side, as in the paper; fewer channels and steps; and half of the L1 weight. The 100
pairs in the validation split are used for training instead of selection.

Data: facades. Unpack the pix2pix archive in the folder downloads/manual in TFDS_DATA_DIR.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import prefixed, suffixed

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import common_colors, facades, nearest_colors, random_crop_flip
from keras_gen.metrics import l1_error, mean_patch_distance, pixel_accuracy, train_segmenter
from keras_gen.networks import patch_discriminator, unet_generator
from keras_gen.translation import Pix2Pix
from keras_gen.workshop.baselines import color_means, nearest_target, ridge_target
from keras_gen.workshop.visualize import image_rows

COLUMNS = 10  # test images in a grid
DRAWS = 5  # translations per map for measuring variation


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    PYRAMIDS = ("image_size",)

    pairs: Path | None = None
    """Your own folder of pairs, each with the source on the left and the target on the right."""
    image_size: int = 256  # Side length of the images, in pixels: 16 times a power of two
    load_size: int = 286  # Side length, in pixels, to which images are resized before cropping
    filters: int = 64  # Channels of the generator's first layer
    discriminator_filters: int = 64  # Channels of the discriminator's first layer
    strided_layers: int = 3
    """Number of strided layers in the discriminator; with 1, 2, or 3, the side length of its
    patches is 16, 34, or 70 pixels."""
    learning_rate: float = 2e-4  # Adam's learning rate; linear decay to 0 in the second half
    l1_weight: float = 100.0  # Weight of the L1 distance, lambda
    part_epochs: int = 100  # Number of epochs for each model other than the main model
    labels: int = 12  # Number of colors in the label maps; each color is a label
    segmenter_steps: int = 1000
    """Number of training steps for the network that predicts labels from photographs."""

    def __post_init__(self):
        super().__post_init__()
        if self.load_size < self.image_size:
            raise ValueError(
                f"--load-size is {self.load_size}: expected at least --image-size, which is "
                f"{self.image_size}."
            )


PRESETS = {
    "smoke": dict(image_size=16, load_size=18, filters=4, discriminator_filters=4,
                  strided_layers=1, epochs=2, part_epochs=1, steps_per_epoch=5, batch_size=2,
                  segmenter_steps=10),
    "cpu": dict(image_size=64, load_size=72, filters=24, discriminator_filters=24,
                strided_layers=1, l1_weight=50.0, epochs=24, part_epochs=8, steps_per_epoch=500,
                grid_every=4, steps_per_execution=50),
    # One epoch has one step per pair.
    "paper": dict(epochs=200, steps_per_epoch=400, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(facades(s.load_size, s.pairs), train=s.batch_size)
    whole = facades(s.image_size, s.pairs)
    train_maps, train_photos = whole.train.arrays()
    maps, photos = whole.test.arrays()

    with run.strategy.scope():
        model = build(run, s, s.epochs)
        others = {
            "latents": build(run, s, s.part_epochs, "latents"),
            "l1_alone": build(run, s, s.part_epochs, adversarial=False),
        }
        backward = build(run, s, s.part_epochs, domains=("photo", "label"))

    def draw(model):
        rows = {
            "labels": maps,
            "pix2pix": model.translate(maps[:COLUMNS]),
            "photograph": photos,
        }
        return image_rows(rows, COLUMNS)

    # Each step: one generator update, then one discriminator update if there is a discriminator.
    augment = random_crop_flip(s.image_size, images=2)
    stream = partial(data.train.stream, s.batch_size, s.seed, augment=augment)
    reverse = data.train.map(lambda label, photo: (photo, label))
    run.fit(model, stream, draw)
    run.export(model, half=True)
    for name, other in others.items():
        run.fit(other, stream, part=name, epochs=s.part_epochs)
    run.fit(
        backward,
        partial(reverse.stream, s.batch_size, s.seed, augment=augment),
        part="photo_to_label",
        epochs=s.part_epochs,
    )

    colors = common_colors(train_maps, s.labels)
    asked = nearest_colors(maps, colors)
    run.say(f"training a network that predicts {len(colors)} labels from photographs")
    train_labels = nearest_colors(train_maps, colors)
    segmenter = train_segmenter(
        train_photos, train_labels, len(colors), steps=s.segmenter_steps, seed=s.seed
    )

    def measure(translated):
        return {
            "realism": mean_patch_distance(translated, photos),
            "agreement": pixel_accuracy(segmenter, translated, asked),
            "l1": l1_error(translated, photos).mean(),
        }

    with run.evaluation(model) as metrics:
        for name, each in {"dropout": model, **others}.items():
            draws = np.stack([each.translate(maps, seed=seed) for seed in range(DRAWS)])
            report = measure(draws[0])
            report["variation"] = draws.std(axis=0).mean()
            metrics |= suffixed(report, f"_{name}")
        fitted = (maps, train_maps, train_photos)
        baselines = {
            "nearest": nearest_target(*fitted),
            "ridge": ridge_target(*fitted),
            "color_means": color_means(*fitted, colors),
        }
        for name, translated in baselines.items():
            metrics |= suffixed(measure(translated), f"_{name}")
        metrics |= suffixed(measure(photos), "_photographs")
        # Compute the distance between two unpaired subsets of the photographs, for comparison.
        drawn = np.random.default_rng(s.seed).permutation(len(train_photos))[: len(photos)]
        metrics["realism_photographs"] = mean_patch_distance(train_photos[drawn], photos)

        run.say("predicting labels from photographs")
        read = {
            "backward": backward.translate(photos),
            "nearest": nearest_target(photos, train_photos, train_maps),
            "ridge": ridge_target(photos, train_photos, train_maps),
        }
        accuracies = {k: np.mean(nearest_colors(v, colors) == asked) for k, v in read.items()}
        accuracies["most_common"] = np.mean(asked == np.bincount(train_labels.ravel()).argmax())
        accuracies["segmenter"] = metrics["agreement_photographs"]
        metrics |= prefixed("accuracy_", accuracies)

        shown = maps[:COLUMNS]
        rows = {
            "labels": shown,
            "pix2pix": model.translate(shown),
            "with noise input": others["latents"].translate(shown),
            "L1 only": others["l1_alone"].translate(shown),
            "photograph of nearest map": baselines["nearest"],
            "ridge regression": baselines["ridge"],
            "photograph": photos,
        }
        run.draw("ways", image_rows(rows, COLUMNS))
        seeds = {f"seed {seed}": model.translate(shown, seed=seed) for seed in range(DRAWS)}
        run.draw("variation", image_rows({"labels": shown, **seeds}, COLUMNS))
        rows = {"photograph": photos, "predicted labels": read["backward"], "labels": maps}
        run.draw("backward", image_rows(rows, COLUMNS))


def build(run, s, epochs, noise="dropout", adversarial=True, domains=("label", "photo")):
    """Returns a compiled model with its own initial weights."""
    shape = (s.image_size, s.image_size, 3)
    generator = unet_generator(shape, filters=s.filters, noise=noise)
    discriminator = None
    if adversarial:
        seen = (*shape[:2], 6)
        discriminator = patch_discriminator(seen, s.discriminator_filters, s.strided_layers)
    model = Pix2Pix(
        generator, discriminator, l1_weight=s.l1_weight, domains=domains, seed=s.seed
    )
    optimizers = {"g_optimizer": Adam(run.in_halves(s.learning_rate, epochs), 0.5)}
    if adversarial:
        optimizers["d_optimizer"] = Adam(run.in_halves(s.learning_rate, epochs), 0.5)
    run.compile(model, **optimizers)
    return model


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
