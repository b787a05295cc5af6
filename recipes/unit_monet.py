"""UNIT on monet2photo: photographs to Monet paintings and back.

Liu, Breuel, Kautz: "Unsupervised Image-to-Image Translation Networks", NeurIPS 2017.

  python recipes/unit_monet.py                       36 minutes on one of two CPU cores
  python recipes/unit_monet.py --preset smoke        under a minute
  python recipes/unit_monet.py --photos A --paintings B     your own two folders

Expected result of the cpu preset: 0.56 of the photographs' excess patch distance to paintings
remains (color transfer and gray grain, without training: 0.13).

The task and the metrics are the same as in `recipes/cyclegan_monet.py`. The sides of the latents
are a quarter of the image's sides, and their noise has a standard deviation of 1. They therefore
preserve less of a photograph than CycleGAN's generators do, and translations are softer.

Deviations of the cpu preset: fewer channels and blocks, crops of 64 pixels, and averaged weights in
the evaluation.

Data: cycle_gan/monet2photo through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import photos_and_paintings, random_crop_flip, unpaired
from keras_gen.metrics import TranslationEvaluation
from keras_gen.translation import UNIT
from keras_gen.workshop.baselines import color_transfer, grained_transfer, noise_filter
from keras_gen.workshop.visualize import translation_grid, translations_below

SHOWN = 8  # images of each domain in a sample grid


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    PYRAMIDS = ("evaluated_size",)

    photos: Path | None = None  # Your own folder of photographs (domain X)
    paintings: Path | None = None  # Your own folder of paintings (domain Y)
    image_size: int = 256  # Side length of the training crops, in pixels
    load_size: int = 286  # Side length, in pixels, to which images are resized before cropping
    evaluated_size: int = 256  # Side length of the held-out images, in pixels
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

    def __post_init__(self):
        super().__post_init__()
        if (self.photos is None) != (self.paintings is None):
            raise ValueError(
                "Only one of --photos and --paintings is set: expected both or neither."
            )


PRESETS = {
    "smoke": dict(image_size=32, load_size=36, evaluated_size=32, filters=4, blocks=1, epochs=2,
                  steps_per_epoch=10),
    "cpu": dict(image_size=64, load_size=128, evaluated_size=128, filters=24, blocks=1,
                learning_rate=2e-4, ema=0.998, epochs=16, steps_per_epoch=250, batch_size=2,
                grid_every=4),
    "paper": dict(epochs=200, steps_per_epoch=6287),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = photos_and_paintings(s.load_size, s.photos, s.paintings, s.seed)
    data = run.load(data, train=s.batch_size)
    held_out = photos_and_paintings(s.evaluated_size, s.photos, s.paintings, s.seed)
    rng = np.random.default_rng(s.seed)
    photos = held_out.test_x.some(SHOWN, rng).arrays()
    paintings = held_out.test_y.some(SHOWN, rng).arrays()

    with run.strategy.scope():
        model = UNIT.for_images(
            (s.image_size, s.image_size, 3),
            filters=s.filters,
            blocks=s.blocks,
            adversarial_weight=s.adversarial_weight,
            kl_weight=s.kl_weight,
            likelihood_weight=s.likelihood_weight,
            cycle_kl_weight=s.cycle_kl_weight,
            cycle_weight=s.cycle_weight,
            domains=("photo", "monet"),
            seed=s.seed,
        )
        d_optimizer = Adam(run.in_halves(s.learning_rate), 0.5)
        g_optimizer = run.averaged(Adam(run.in_halves(s.learning_rate), 0.5))
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    def draw(model):
        return translation_grid(model, photos, paintings)

    # Each step: one update of the translation networks, then one update of both discriminators.
    crop = random_crop_flip(s.image_size)
    batches = partial(unpaired, data.train_x, data.train_y, s.batch_size, s.seed, augment=crop)
    run.fit(model, batches, draw)
    run.export(model, default="photo_to_monet")

    with run.evaluation(model) as metrics:
        evaluate = TranslationEvaluation({}, *held_out.compared())
        metrics |= evaluate.measure(model, "photo_to_monet", "monet_to_photo")
        photographs = evaluate.source
        filtered = {
            "noise_filter": noise_filter(photographs),
            "noisy_transfer": color_transfer(photographs, evaluate.reference, noise=8.0),
            "gray_transfer": grained_transfer(photographs, evaluate.reference),
        }
        metrics |= evaluate.measure_filtered(filtered)
        painted = model.translate(photos, "photo_to_monet")
        names = ("photograph", "UNIT")
        run.draw("paintings", translations_below(photos, painted, SHOWN // 2, names))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
