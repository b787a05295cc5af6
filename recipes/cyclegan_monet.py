"""CycleGAN on monet2photo: photographs to Monet paintings and back, without pairs.

Zhu, Park, Isola, Efros: "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks", ICCV 2017.

  python recipes/cyclegan_monet.py                       about 5 minutes on two CPU cores
  python recipes/cyclegan_monet.py --preset cpu          27 to 49 minutes (bfloat16, shared cores)
  python recipes/cyclegan_monet.py --preset smoke        about a minute
  python recipes/cyclegan_monet.py --photos A --paintings B     your own two folders

Without a preset, the recipe fine-tunes the published generators for 400 steps with new
discriminators, and objects remain recognizable. At 128x128, 0.38 of the photographs' excess patch
distance to paintings remains (published generators: 0.05; color transfer with gray grain, a
baseline without training: 0.13). On the offline sample, 0.02 remains after 10 epochs (color
transfer with grain of one size: 0.86). These are single runs with seed 0. The learning rate is
deliberately low, because 0.55 remained with four times this rate. With the cpu preset, 0.05 remains
at 128x128 and 0.44 at 256x256; with --epochs 96 --smooth-colors --margin 16, 0.05 and 0.22 remain.
At 256x256, color transfer with gray grain leaves 0.26.

--from-scratch starts the quick preset with random weights, on 64x64 crops of 128x128 images with
narrower discriminators. In one run, 0.54 remained after 8 minutes; on the offline sample, results
remain blurred. One row of the picture shows the published export's output for the same photographs.

Deviations of the cpu preset: crops at several sizes; convolutions without checkerboard artifacts;
averaged generator weights. Normalization is by groups of channels, because normalizing each channel
separately caused droplets and ringing. The weight of the identity loss, which preserves colors,
decreases to 0. It starts at the full weight, because with a fifth of this weight, both directions
inverted the colors. The quick preset has the same networks, except for narrower discriminators, and
the same losses at twice the learning rate.

Data: cycle_gan/monet2photo through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe
from keras_gen.workshop.run.reports import suffixed

import dataclasses
from functools import cache, partial
from pathlib import Path
from typing import Literal

import numpy as np
import simple_parsing
from keras.optimizers import Adam

from keras_gen.core.schedules import Linear
from keras_gen.data import photos_and_paintings, random_crop_flip, unpaired
from keras_gen.metrics import (
    TranslationEvaluation,
    border_change,
    domain_classifier,
    train_domain_classifier,
)
from keras_gen.networks import patch_discriminator, resnet_generator
from keras_gen.translation import CycleGAN
from keras_gen.workshop.baselines import color_transfer, grained_transfer, noise_filter
from keras_gen.workshop.visualize import captioned, translations_below

SHOWN = 4  # images of each domain in a sample grid
BORDERS = 30  # number of photographs whose borders are compared
# Settings of a quick preview that starts with random weights.
FROM_SCRATCH = dict(start_from=None, image_size=64, load_size=128, learning_rate=4e-4, epochs=32)


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    ZERO = (*RunSettings.ZERO, "classifier_steps", "offline_epochs")
    LEAST = RunSettings.LEAST | {"evaluated_size": 32, "most_images": 4}
    PYRAMIDS = ("evaluated_size",)

    preset: Literal["auto", "smoke", "quick", "cpu", "paper"] = "auto"
    """Scale of the run: smoke (about a minute), quick (a preview), cpu (half an hour or more on two
    cores), or paper (the paper's settings). auto: quick."""
    photos: Path | None = None  # Your own folder of photographs (domain X)
    paintings: Path | None = None  # Your own folder of paintings (domain Y)
    most_images: int = 10_000  # Maximum number of images to read per domain
    image_size: int = 256  # Side length of the training crops, in pixels
    load_size: int = 286  # Side length, in pixels, to which images are resized before cropping
    smallest: float = 1.0  # Minimum scale factor for random downscaling before cropping
    unchanged: float = 0.5
    """Fraction of images that are not downscaled, to preserve fine contrast."""
    evaluated_size: int = 256  # Side length of the held-out images, in pixels
    half_size: bool = simple_parsing.flag(default=True, negative_prefix="--no-")
    """Also evaluate images at half of --evaluated-size."""
    validation: bool = simple_parsing.flag(default=True, negative_prefix="--no-")
    """Hold out the last training images for evaluation during training."""
    filters: int = 64  # Channels of the generators' first layer
    blocks: int = 9  # Number of residual blocks in each generator
    discriminator_filters: int = 64  # Channels of the discriminators' first layer
    upsampling: Literal["transposed", "smoothed", "resize", "bilinear"] = "transposed"
    """Upsampling in the generators: transposed, as in the paper, or another method, which avoids
    checkerboard artifacts."""
    normalization: Literal["instance", "group", "pixel"] = "instance"
    """Normalization in the generators: instance, as in the paper, or pixel, which allows images to
    be translated in tiles."""
    smooth_colors: bool = simple_parsing.flag(default=False, negative_prefix="--no-")
    """Smooth the chroma of translations, so that only the luma has grain."""
    reflect: bool = simple_parsing.flag(default=False, negative_prefix="--no-")
    """Use reflection padding in all layers, to avoid lines along image borders."""
    margin: int = 0  # Width, in pixels, of the reflection padding added before translation
    discriminator_normalization: Literal["instance", "spectral"] = "instance"
    """Normalization in the discriminators: instance, as in the paper, or spectral, which preserves
    flat areas."""
    scales: int = 1  # Number of discriminators per domain, each at half the previous resolution
    learning_rate: float = 2e-4  # Adam's learning rate; linear decay to 0 in the second half
    cycle_weight: float = 10.0  # Weight of the cycle consistency loss, lambda
    identity_weight: float = 0.5  # Weight of the identity loss, as a fraction of --cycle-weight
    identity_until: float = 0.0
    """Fraction of the steps over which the identity loss fades to 0; 0 disables fading."""
    pool_size: int = 50  # Number of generated images in each discriminator's history
    ema: float = 0.0
    """EMA momentum for the generators; evaluation uses the averaged weights. 0 disables EMA."""
    classifier_steps: int = 1800
    """Number of training steps for each domain classifier, which is used in evaluation; 0 trains no
    classifier."""
    offline_epochs: int = 0
    """Maximum number of epochs on the small offline sample; 0 removes the limit."""
    from_scratch: bool = simple_parsing.flag(default=False, negative_prefix="--no-")
    """Start the quick preset with random weights, on 64x64 crops, instead of fine-tuning the
    published generators."""

    def __post_init__(self):
        if self.from_scratch and self.preset not in ("auto", "quick"):
            raise ValueError(
                "--from-scratch applies only to the quick preset, but --preset is "
                f"{self.preset}, which starts with random weights unless --start-from is set: "
                "leave out --from-scratch."
            )
        if self.from_scratch:
            for name, value in FROM_SCRATCH.items():
                object.__setattr__(self, name, value)
        super().__post_init__()
        if self.image_size % 4:
            raise ValueError(f"--image-size is {self.image_size}: expected a multiple of 4.")
        if self.load_size < self.image_size:
            raise ValueError(
                f"--load-size is {self.load_size}: expected at least --image-size, which is "
                f"{self.image_size}."
            )
        if (self.photos is None) != (self.paintings is None):
            raise ValueError(
                "Only one of --photos and --paintings is set: expected both or neither."
            )


PRESETS = {
    "smoke": dict(image_size=32, load_size=32, evaluated_size=32, half_size=False, filters=8,
                  blocks=1, discriminator_filters=8, pool_size=4, epochs=2, steps_per_epoch=4,
                  most_images=20, classifier_steps=4),
    "quick": dict(start_from="cyclegan_monet", image_size=128, load_size=143, evaluated_size=128,
                  half_size=False, validation=False, filters=24, blocks=4,
                  discriminator_filters=24, upsampling="smoothed", normalization="group",
                  learning_rate=5e-6, identity_until=0.5, ema=0.99, epochs=8, offline_epochs=14,
                  steps_per_epoch=50, grid_every=8, classifier_steps=0),
    "cpu": dict(image_size=128, load_size=256, smallest=0.5, filters=24, blocks=4,
                discriminator_filters=32, upsampling="smoothed", normalization="group",
                identity_until=0.5, ema=0.999, epochs=24, steps_per_epoch=250, grid_every=4,
                validate_every=4),
    # One epoch has one step per photograph.
    "paper": dict(epochs=200, steps_per_epoch=6287, validate_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    @cache
    def images_of(size):
        return photos_and_paintings(size, s.photos, s.paintings, s.seed).first(s.most_images)

    data = run.load(images_of(s.load_size))
    if s.preset == "quick" and s.start_from:
        run.say(
            f"fine-tuning the generators of {s.start_from}; to start with random weights, pass "
            "--from-scratch"
        )
    training = data.for_validation() if s.validation else data
    epochs = s.epochs
    if data.warning and s.offline_epochs:
        epochs = min(epochs, s.offline_epochs)

    with run.strategy.scope():
        kind = (s.filters, s.blocks, s.upsampling, s.normalization, s.reflect)
        shape = (s.image_size, s.image_size, 3)
        patches = dict(
            filters=s.discriminator_filters,
            normalization=s.discriminator_normalization,
            scales=s.scales,
            reflect=s.reflect,
        )
        fading_steps = round(s.identity_until * epochs * s.steps_per_epoch)
        identity_weight = s.identity_weight
        if fading_steps > 0:
            identity_weight = Linear(s.identity_weight, 0.0, fading_steps)
        model = CycleGAN(
            resnet_generator((None, None, 3), *kind, "to_painting"),
            resnet_generator((None, None, 3), *kind, "to_photo"),
            patch_discriminator(shape, **patches, name="photo_discriminator"),
            patch_discriminator(shape, **patches, name="painting_discriminator"),
            cycle_weight=s.cycle_weight,
            identity_weight=identity_weight,
            pool_size=s.pool_size,
            margin=s.margin,
            smooth_colors=s.smooth_colors,
            domains=("photo", "monet"),
            seed=s.seed,
        )
        d_optimizer = Adam(run.in_halves(s.learning_rate, epochs), 0.5)
        g_optimizer = run.averaged(Adam(run.in_halves(s.learning_rate, epochs), 0.5))
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    # Images used only for pictures and evaluation are read when needed.
    @cache
    def shown():
        held_out = images_of(s.evaluated_size)
        count = min(SHOWN, len(held_out.test_x), len(held_out.test_y))
        rng = np.random.default_rng(s.seed)

        def chosen(source):
            # In the offline sample, crops of a few photographs alternate. In other datasets, the
            # first images may be similar.
            return source.take(count) if held_out.warning else source.some(count, rng)

        photos = chosen(held_out.test_x).arrays()
        paintings = chosen(held_out.test_y).arrays()
        published = run.published_export()
        by_published = (
            published("photo_to_monet", images=photos)["output_images"] if published else None
        )
        return photos, paintings, by_published

    def draw(model):
        photos, paintings, by_published = shown()
        painted = model.translate(photos, "photo_to_monet")
        photographed = model.translate(paintings, "monet_to_photo")
        rows = {
            "photograph": photos,
            "translation to Monet": painted,
            "back-translation": model.translate(painted, "monet_to_photo"),
        }
        if by_published is not None:
            rows["translation by the published model"] = by_published
        rows["painting"] = paintings
        rows["translation to photograph"] = photographed
        rows["back-translation to Monet"] = model.translate(photographed, "photo_to_monet")
        return captioned(rows.values(), list(rows), width=1200)

    @cache
    def validation():
        held_out = images_of(s.evaluated_size // 2).for_validation()
        return TranslationEvaluation({}, *held_out.compared())

    def validate(model):
        return validation().measure(model, "photo_to_monet")

    # Each step: one update of both generators, then one update of both discriminators.
    crop = random_crop_flip(s.image_size, s.smallest, s.unchanged)
    batches = partial(
        unpaired, training.train_x, training.train_y, s.batch_size, s.seed, augment=crop
    )
    if s.validation:
        run.fit(model, batches, draw, validate=validate, best="excess", epochs=epochs)
    else:
        run.fit(model, batches, draw, epochs=epochs)
    run.export(model, default="photo_to_monet")

    # Train the classifiers of photographs and paintings, whose features are compared.
    large = images_of(s.evaluated_size)
    classifiers = {}
    for kind in domain_classifier.KINDS if s.classifier_steps else ():
        classifiers[kind] = train_domain_classifier(
            large.train_x.arrays(),
            large.train_y.arrays(),
            kind,
            steps=s.classifier_steps,
            seed=s.seed,
        )

    with run.evaluation(model) as metrics:
        for size in (s.evaluated_size // 2, s.evaluated_size)[not s.half_size :]:
            evaluate = TranslationEvaluation(classifiers, *images_of(size).compared())
            report = evaluate.measure(model, "photo_to_monet", "monet_to_photo")
            report |= evaluate.accuracies()
            paint = partial(model.translate, direction="photo_to_monet")
            report["border_change"] = border_change(paint, evaluate.source[:BORDERS])
            photographs = evaluate.source
            reference = evaluate.reference
            filtered = {
                "noise_filter": noise_filter(photographs),
                "color_transfer": color_transfer(photographs, reference),
                "noisy_transfer": color_transfer(photographs, reference, noise=8.0),
                "gray_transfer": grained_transfer(photographs, reference),
            }
            report |= evaluate.measure_filtered(filtered)
            metrics |= suffixed(report, f"_at_{size}")
        photos, *_ = shown()
        painted = model.translate(photos, "photo_to_monet")
        names = ("photograph", "CycleGAN")
        run.draw("paintings", translations_below(photos, painted, SHOWN // 2, names))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
