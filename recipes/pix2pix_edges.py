"""pix2pix on landscapes: edges to photographs.

Isola, Zhu, Zhou, Efros: "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
2017, at 64x64 pixels. The paper uses edges of shoes and handbags.

  python recipes/pix2pix_edges.py                    18 minutes on one of two CPU cores
  python recipes/pix2pix_edges.py --preset smoke     under a minute
  python recipes/pix2pix_edges.py --images DIR       your own photographs

Expected result of the cpu preset: a patch distance of 159 to photographs and an F-score of 0.41 for
the requested edges (photographs with the nearest edges: 224 and 0.47).

Pairs are created on the fly: the sources are the Canny edges of the targets. Two metrics must be
read together. Realism is the distance between patches of translations and of test photographs.
Agreement is the F-score of the edges found in a translation; edges that are at most one pixel apart
count as equal. The photograph with the nearest edges is realistic, but its edges differ; the
results of ridge regression are blurred.

Deviations of the cpu preset: 64-pixel images; 16-pixel patches for the discriminator, a quarter of
the image's side, as in the paper; fewer channels and steps; and half of the L1 weight.

Data: the photographs of cycle_gan/monet2photo through tensorflow-datasets (downloaded, or from
TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import suffixed

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
from keras.optimizers import Adam
from scipy import ndimage

from keras_gen.data import Source, edge_maps, photographs, random_crop_flip
from keras_gen.metrics import l1_error, mean_patch_distance
from keras_gen.networks import patch_discriminator, unet_generator
from keras_gen.translation import Pix2Pix
from keras_gen.workshop.baselines import nearest_target, ridge_target
from keras_gen.workshop.visualize import image_rows

COLUMNS = 10  # test images in a grid
IN_WORDS = {"model": "pix2pix", "nearest": "photograph with the nearest edges"}


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    PYRAMIDS = ("image_size",)

    images: Path | None = None  # Your own folder of photographs
    image_size: int = 256  # Side length of the images, in pixels: 16 times a power of two
    load_size: int = 286  # Side length, in pixels, to which images are resized before cropping
    filters: int = 64  # Channels of the first layers
    strided_layers: int = 3
    """Number of strided layers in the discriminator; with 1, 2, or 3, the side length of its
    patches is 16, 34, or 70 pixels."""
    learning_rate: float = 2e-4  # Adam's learning rate; linear decay to 0 in the second half
    l1_weight: float = 100.0  # Weight of the L1 distance, lambda

    def __post_init__(self):
        super().__post_init__()
        if self.load_size < self.image_size:
            raise ValueError(
                f"--load-size is {self.load_size}: expected at least --image-size, which is "
                f"{self.image_size}."
            )


PRESETS = {
    "smoke": dict(image_size=16, load_size=18, filters=4, strided_layers=1, epochs=2,
                  steps_per_epoch=5, batch_size=2),
    "cpu": dict(image_size=64, load_size=72, filters=24, strided_layers=1, l1_weight=50.0,
                epochs=24, steps_per_epoch=500, grid_every=4, steps_per_execution=50),
    # One epoch has one step per photograph.
    "paper": dict(epochs=15, steps_per_epoch=6287, batch_size=4),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(photographs(s.load_size, s.images, s.seed), train=s.batch_size)
    whole = photographs(s.image_size, s.images, s.seed)
    photos = whole.test.arrays()
    edges = edge_maps(photos)
    train = with_edges(data.train)
    train_edges, train_photos = with_edges(whole.train).arrays()

    with run.strategy.scope():
        sides = (s.image_size, s.image_size)
        model = Pix2Pix(
            unet_generator((*sides, 1), channels=3, filters=s.filters),
            patch_discriminator((*sides, 4), s.filters, s.strided_layers),
            l1_weight=s.l1_weight,
            domains=("edges", "photo"),
            seed=s.seed,
        )
        g_optimizer = Adam(run.in_halves(s.learning_rate), 0.5)
        d_optimizer = Adam(run.in_halves(s.learning_rate), 0.5)
        run.compile(model, g_optimizer=g_optimizer, d_optimizer=d_optimizer)

    def draw(model):
        rows = {
            "edges": edges,
            "pix2pix": model.translate(edges[:COLUMNS]),
            "photograph": photos,
        }
        return image_rows(rows, COLUMNS)

    # Each step: one update of the generator, then one update of the discriminator.
    augment = random_crop_flip(s.image_size, images=2)
    run.fit(model, partial(train.stream, s.batch_size, s.seed, augment=augment), draw)
    run.export(model, half=True)

    with run.evaluation(model) as metrics:
        run.say("comparing translations with photographs, and translated edges with input edges")
        fitted = (edges, train_edges, train_photos)
        ways = {
            "model": model.translate(edges),
            "nearest": nearest_target(*fitted),
            "ridge": ridge_target(*fitted),
            "photographs": photos,
        }
        for name, translated in ways.items():
            metrics |= suffixed(measure(translated, photos, edges), f"_{name}")
        # Compute the distance between two unpaired subsets of the photographs, for comparison.
        drawn = np.random.default_rng(s.seed).permutation(len(train_photos))[: len(photos)]
        metrics["realism_photographs"] = mean_patch_distance(train_photos[drawn], photos)
        shown = {IN_WORDS.get(name, name): translated for name, translated in ways.items()}
        run.draw("ways", image_rows({"edges": edges, **shown}, COLUMNS))


def with_edges(source):
    """Returns pairs of edges and photographs."""
    images = source.arrays()
    return Source((edge_maps(images), images), origin=source.origin)


def measure(translated, photos, edges):
    return {
        "realism": mean_patch_distance(translated, photos),
        "agreement": edge_agreement(edge_maps(translated), edges),
        "l1": l1_error(translated, photos).mean(),
    }


def edge_agreement(found, asked):
    """Returns the F-score of edges, which match if they are at most one pixel apart."""
    if not found.any():
        return 0.0
    around = np.ones((1, 3, 3, 1), bool)
    near_found = ndimage.binary_dilation(found > 0, around)
    near_asked = ndimage.binary_dilation(asked > 0, around)
    precision = near_asked[found > 0].mean()
    recall = near_found[asked > 0].mean()
    if precision + recall == 0:
        return 0.0
    return 2 * precision * recall / (precision + recall)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
