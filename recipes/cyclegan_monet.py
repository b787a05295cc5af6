"""CycleGAN: photographs become paintings by Monet, and the reverse, without pairs.

Zhu, Park, Isola, Efros: "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks", ICCV 2017.

  python recipes/cyclegan_monet.py                       about 27 minutes on two CPU cores
  python recipes/cyclegan_monet.py --preset smoke        under a minute
  python recipes/cyclegan_monet.py --photos A --paintings B     your own two folders

Data: cycle_gan/monet2photo through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
Expected: of the photographs' distance to paintings, in patches of every scale, 0.05 is left at
128x128 and 0.44 at 256x256 (--epochs 96: 0.08, 0.16); filters without training leave 0.5 and more.

Deviations (cpu): crops at several sizes; groups of channels are normalized, for each alone made
droplets and ringing; the identity loss, which holds colors back, fades, but begins in full, for
with a fifth both directions inverted them; no checkerboards; weight averages.
"""

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from keras.optimizers import Adam

from keras_gen.baselines import color_transfer, noise_filter
from keras_gen.data import photos_and_paintings, random_crop_flip, unpaired
from keras_gen.media.images import grid
from keras_gen.metrics import TranslationEvaluation, domain_classifier, train_domain_classifier
from keras_gen.networks import patch_discriminator, resnet_generator
from keras_gen.run import Run, RunSettings, run_recipe
from keras_gen.training import schedules
from keras_gen.translation import CycleGAN
from keras_gen.visualize import translation_grid


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    photos: Path | None = None  # Folder of your own photographs (domain X)
    paintings: Path | None = None  # Folder of your own paintings (domain Y)
    image_size: int = 256  # Side of the training crops
    load_size: int = 286  # Side to which images are resized before they are cropped
    smallest: float = 1.0  # Factor down to which they are shrunk before that, by chance; 1: never
    unchanged: float = 0.5  # Fraction of them that are not; shrunk ones have less fine contrast
    evaluated_size: int = 256  # Side of the held-out images, which are measured at its half too
    filters: int = 64  # Channels of the generators' first layer
    blocks: int = 9  # Residual blocks of the generators
    discriminator_filters: int = 64  # Channels of the discriminators' first layer
    upsampling: Literal["transposed", "smoothed", "resize"] = "transposed"
    """Of the generators: transposed is the paper's; smoothed and resize draw no checkerboards."""
    normalization: Literal["instance", "group", "pixel"] = "instance"
    """Of the generators: instance is the paper's; pixel lets large images be cut into tiles."""
    learning_rate: float = 2e-4  # Adam's rate, constant in the first half and then linear to zero
    cycle_weight: float = 10.0  # Weight of the cycle loss, the paper's lambda
    identity_weight: float = 0.5  # Weight of the identity loss as a fraction of lambda
    identity_until: float = 0.0  # Fraction of the steps in which the identity loss fades; 0: never
    pool_size: int = 50  # Generated images that each discriminator's history keeps
    ema: float = 0.0  # Momentum of the generators' weight averages, which are evaluated; 0: none
    classifier_steps: int = 1800  # Training steps of each evaluation classifier of the domains

    def __post_init__(self):
        super().__post_init__()
        if self.image_size % 4:
            raise ValueError(f"--image-size is {self.image_size}: it must be a multiple of 4.")
        if self.load_size < self.image_size:
            raise ValueError(f"--load-size is {self.load_size}: expected at least --image-size.")


PRESETS = {
    "smoke": dict(image_size=32, load_size=36, evaluated_size=32, filters=8, blocks=1,
                  discriminator_filters=8, pool_size=4, epochs=2, steps_per_epoch=10,
                  classifier_steps=20),
    "cpu": dict(image_size=128, load_size=256, smallest=0.5, filters=24, blocks=4,
                discriminator_filters=32, upsampling="smoothed", normalization="group",
                identity_until=0.5, ema=0.999, epochs=24, steps_per_epoch=250, grid_every=4,
                validate_every=4),
    "paper": dict(epochs=200, steps_per_epoch=6287, validate_every=5),  # as many as photographs
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(photos_and_paintings(s.load_size, s.photos, s.paintings, s.seed))
    sizes = s.evaluated_size // 2, s.evaluated_size
    whole = {n: photos_and_paintings(n, s.photos, s.paintings, s.seed) for n in sizes}
    large, (kept, held_out) = whole[sizes[1]], (d.for_validation() for d in (data, whole[sizes[0]]))
    validation = TranslationEvaluation({}, *held_out.compared())
    fading = round(s.identity_until * s.epochs * s.steps_per_epoch)
    identity = schedules.Linear(s.identity_weight, 0.0, fading) if fading else s.identity_weight
    with run.strategy.scope():
        shape = (s.image_size, s.image_size, 3)
        kind = s.filters, s.blocks, s.upsampling, s.normalization
        model = CycleGAN(
            resnet_generator((None, None, 3), *kind, "to_painting"),
            resnet_generator((None, None, 3), *kind, "to_photo"),
            patch_discriminator(shape, s.discriminator_filters, name="photo_discriminator"),
            patch_discriminator(shape, s.discriminator_filters, name="painting_discriminator"),
            cycle_weight=s.cycle_weight, identity_weight=identity,
            pool_size=s.pool_size, domains=("photo", "monet"), seed=s.seed,
        )  # fmt: skip
        d_optimizer, g_optimizer = (Adam(run.in_halves(s.learning_rate), 0.5) for _ in "dg")
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=run.averaged(g_optimizer))

    crop = random_crop_flip(s.image_size, s.smallest, s.unchanged)
    batches = partial(unpaired, kept.train_x, kept.train_y, s.batch_size, s.seed, augment=crop)
    rng, tested = np.random.default_rng(s.seed), (large.test_x, large.test_y)
    eight = [part.select(rng.permutation(len(part))[:8]).arrays() for part in tested]
    run.fit(
        model, batches, lambda model: translation_grid(model, *eight), best="excess",
        validate=lambda model: validation.measure(model, "photo_to_monet"),
    )  # fmt: skip

    with run.evaluation(model) as metrics:
        training = large.train_x.arrays(), large.train_y.arrays()
        classifiers = {
            kind: train_domain_classifier(*training, kind, steps=s.classifier_steps, seed=s.seed)
            for kind in domain_classifier.KINDS
        }
        for size, sets in whole.items():
            evaluate = TranslationEvaluation(classifiers, *sets.compared())
            found = evaluate.measure(model, "photo_to_monet", "monet_to_photo")
            found |= evaluate.accuracies()
            filtered = {
                "noise_filter": noise_filter(evaluate.source),
                "color_transfer": color_transfer(evaluate.source, evaluate.reference),
            }
            found |= evaluate.measure_filtered(filtered)
            metrics |= {f"{key}_at_{size}": value for key, value in found.items()}
        pairs = eight[0], model.translate(eight[0], "photo_to_monet")
        halves = [images[i : i + 4] for i in (0, 4) for images in pairs]
        run.draw("paintings", grid(np.concatenate(halves), columns=4))
    run.export(model, default="photo_to_monet")


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
