"""CycleGAN: photographs become paintings by Monet, and the reverse, without pairs.

Zhu, Park, Isola, Efros: "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks", ICCV 2017.

  python recipes/cyclegan_monet.py                       about 15 minutes on two CPU cores
  python recipes/cyclegan_monet.py --preset smoke        under a minute
  python recipes/cyclegan_monet.py --photos A --paintings B     your own two folders

Data: cycle_gan/monet2photo through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
Expected (cpu): the kernel distance from held-out translated photos to held-out paintings falls to
a tenth of that of the untouched photos.
"""

import dataclasses
from pathlib import Path
from typing import Literal

from keras.optimizers import Adam

from keras_gen.data import photos_and_paintings, random_crop_flip, unpaired
from keras_gen.metrics import domain_classifier, train_domain_classifier, translation_report
from keras_gen.networks import patch_discriminator, resnet_generator
from keras_gen.run import Run, RunSettings, run_recipe
from keras_gen.translation import CycleGAN
from keras_gen.visualize import translation_grid


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    photos: Path | None = None  # Folder of your own photographs (domain X)
    paintings: Path | None = None  # Folder of your own paintings (domain Y)
    image_size: int = 256  # Side of the training crops and of the held-out images
    load_size: int = 286  # Side to which images are resized before they are cropped
    filters: int = 64  # Channels of the generators' first layer
    blocks: int = 9  # Residual blocks of the generators
    discriminator_filters: int = 64  # Channels of the discriminators' first layer
    upsampling: Literal["transposed", "smoothed", "resize"] = "transposed"
    """Of the generators: transposed is the paper's; smoothed and resize draw no checkerboards."""
    learning_rate: float = 2e-4  # Adam's rate, constant in the first half and then linear to zero
    cycle_weight: float = 10.0  # Weight of the cycle loss, the paper's lambda
    identity_weight: float = 0.5  # Weight of the identity loss as a fraction of lambda
    pool_size: int = 50  # Generated images that each discriminator's history keeps
    ema: float = 0.0  # Momentum of the generators' weight averages, which are evaluated; 0: none
    classifier_steps: int = 1800  # Training steps of the evaluation classifier of the domains

    def __post_init__(self):
        super().__post_init__()
        if self.image_size % 4:
            raise ValueError(f"--image-size is {self.image_size}: it must be a multiple of 4.")
        if self.load_size < self.image_size:
            raise ValueError(
                f"--load-size is {self.load_size}: it must be at least --image-size, "
                f"{self.image_size}."
            )


PRESETS = {
    "smoke": dict(image_size=32, load_size=36, filters=8, blocks=1, discriminator_filters=8,
                  pool_size=4, epochs=2, steps_per_epoch=10, classifier_steps=20),
    "cpu": dict(image_size=128, load_size=143, filters=24, blocks=4, discriminator_filters=32,
                upsampling="smoothed", ema=0.995, epochs=26, steps_per_epoch=250, grid_every=2),
    # An epoch is a pass over the 6,287 photographs.
    "paper": dict(epochs=200, steps_per_epoch=6287),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(photos_and_paintings(s.load_size, s.photos, s.paintings, s.seed))
    # Held-out and the classifier's images have the size of the crops, so that all are seen alike.
    whole = photos_and_paintings(s.image_size, s.photos, s.paintings, s.seed)
    photos, paintings = whole.test_x.arrays(), whole.test_y.arrays()
    with run.strategy.scope():
        shape, sizes = (s.image_size, s.image_size, 3), (s.filters, s.blocks, s.upsampling)
        model = CycleGAN(
            resnet_generator((None, None, 3), *sizes, "to_painting"),
            resnet_generator((None, None, 3), *sizes, "to_photo"),
            patch_discriminator(shape, s.discriminator_filters, name="photo_discriminator"),
            patch_discriminator(shape, s.discriminator_filters, name="painting_discriminator"),
            cycle_weight=s.cycle_weight, identity_weight=s.identity_weight,
            pool_size=s.pool_size, domains=("photo", "monet"), seed=s.seed,
        )  # fmt: skip
        d_optimizer, g_optimizer = (Adam(run.in_halves(s.learning_rate), 0.5) for _ in "dg")
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=run.averaged(g_optimizer))

    def batches(start):
        crop = random_crop_flip(s.image_size)
        return unpaired(data.train_x, data.train_y, s.batch_size, s.seed, start, crop)

    run.fit(model, batches, lambda model: translation_grid(model, photos[:8], paintings[:8]))

    with run.evaluation(model) as metrics:
        painted = model.translate(photos, "photo_to_monet")
        back = model.translate(painted, "monet_to_photo")
        domains = whole.train_x.arrays(), whole.train_y.arrays()
        classifier = train_domain_classifier(*domains, steps=s.classifier_steps, seed=s.seed)
        held_out = domain_classifier.accuracy(classifier, photos, paintings)
        report = translation_report(classifier, photos, painted, paintings, back)
        metrics["distance_ratio"] = report["distance_ratio"]
        metrics |= report
        metrics["classifier_accuracy"] = held_out
    run.export(model, default="photo_to_monet")


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
