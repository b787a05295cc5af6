"""SRResNet and SRGAN on Set5 and Set14: 4x super-resolution.

Ledig et al.: "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial
Network", CVPR 2017.

  python recipes/srgan_set5.py                    9 minutes on one of two CPU cores
  python recipes/srgan_set5.py --preset smoke     under a minute
  python recipes/srgan_set5.py --images DIR       trained on your own photographs

Expected result of the cpu preset: 30.9 dB on Set5 and 27.8 on Set14; averaged over eight rotations
and flips, 31.1 and 27.9 (bicubic: 28.4 and 26.1; ridge regression on clustered patches: 29.8 and
27.0). On Set14, SRGAN reaches a patch distance of 105 to the originals at 27.5 dB (main network:
138; bicubic: 220).

As usual, PSNR and SSIM are measured on luma, without a four-pixel border. The main network has no
batch normalization, and adds its output to a bicubic enlargement. The paper's SRResNet of the same
size is also trained; in the cpu preset, it is trained for a quarter of the steps. The smooth mean
of all possible images has the best PSNR. SRGAN starts from the main network and generates one
possible image. Its PSNR is lower, but so is the distance between its patches and the patches of
real photographs.

Deviations of the cpu preset: fewer channels and blocks, smaller patches, absolute instead of
squared differences, and few training images. Features come from a classifier of small images;
--features vgg uses VGG19, if Keras can download its weights.

One BSDS500 photograph, which is also `woman` in Set5, is excluded from training.

Data: the image folders T91, bsds500_half, Set5, and Set14 in downloads/manual/super_resolution in
TFDS_DATA_DIR.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import suffixed

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from keras.optimizers import Adam

from keras_gen.core import averaged_weights
from keras_gen.data import (
    benchmark_images,
    photograph_patches,
    random_crop_flip,
    shrunk,
    small_images,
)
from keras_gen.metrics import enlargement_report, psnr, train_classifier
from keras_gen.networks import activation_maps, sr_discriminator, sr_resnet, vgg_features
from keras_gen.translation import SRGAN
from keras_gen.workshop.baselines import ClusteredRidge, bicubic
from keras_gen.workshop.visualize import captioned, image_rows


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    images: Path | None = None  # Your own folder of training photographs
    factor: int = 4  # Upscaling factor
    patch: int = 96  # Side length of the large training patches, in pixels
    filters: int = 64  # Channels of the generator
    blocks: int = 16  # Number of residual blocks in the generator
    discriminator_filters: int = 64  # Channels of the discriminator's first layer
    learning_rate: float = 1e-4  # Adam's learning rate; linear decay to 0 in the second half
    ema: float = 0.0
    """EMA momentum for the generator; evaluation uses the averaged weights. 0 disables EMA."""
    paper_epochs: int = 1  # Number of epochs for the paper's SRResNet, which is also trained
    gan_epochs: int = 1  # Number of epochs for SRGAN, which starts from the trained generator
    gan_learning_rate: float = 1e-4  # Adam's learning rate for both networks of SRGAN
    pixel_weight: float = 0.0  # Weight of the pixel distance in SRGAN
    feature_weight: float = 1.0  # Weight of the feature distance in SRGAN
    adversarial_weight: float = 1e-3  # Weight of the adversarial loss in SRGAN
    features: Literal["classifier", "vgg"] = "classifier"
    """Feature network: classifier, trained in this run on small images, or vgg, which is VGG19."""
    classifier_steps: int = 1500
    """Number of training steps for the classifier that serves as the feature network."""
    clusters: int = 512
    """Number of patch clusters in the baseline, each with its own ridge regression."""
    tested: int = 14  # Maximum number of images to evaluate in each test set


PRESETS = {
    "smoke": dict(patch=32, filters=4, blocks=1, discriminator_filters=4, epochs=2,
                  steps_per_epoch=5, batch_size=2, classifier_steps=5, clusters=4,
                  tested=1),
    "cpu": dict(patch=48, filters=32, blocks=6, discriminator_filters=16, epochs=16,
                paper_epochs=4, steps_per_epoch=500, batch_size=8, learning_rate=1e-3, ema=0.995,
                gan_epochs=2, gan_learning_rate=2e-4, pixel_weight=1.0, feature_weight=0.1,
                adversarial_weight=3e-3, grid_every=4, steps_per_execution=50),
    # The paper makes 10^6 updates for SRResNet and 2 * 10^5 updates for SRGAN.
    "paper": dict(epochs=1000, paper_epochs=1000, steps_per_epoch=1000, batch_size=16,
                  gan_epochs=200, grid_every=50, features="vgg"),
}  # fmt: skip


def main(run: Run, s: Settings):
    tests = benchmark_images(s.factor)
    tested = [image for images in tests.values() for image in images]
    data = run.load(photograph_patches(s.patch + s.patch // 6, s.images, apart_from=tested))
    held_out = data.test.arrays()[:, : s.patch, : s.patch]
    held_out_small = shrunk(held_out, s.factor).numpy()

    with run.strategy.scope():
        model = build(run, s, s.epochs, pixel_distance="absolute")
        paper_design = build(run, s, s.paper_epochs, as_in_paper=True)
        srgan = build(
            run,
            s,
            s.gan_epochs,
            discriminator=sr_discriminator(
                (s.patch, s.patch, 3), s.discriminator_filters, 16 * s.discriminator_filters
            ),
            feature_network=feature_network(run, s),
            pixel_distance="absolute",
            pixel_weight=s.pixel_weight,
            feature_weight=s.feature_weight,
            adversarial_weight=s.adversarial_weight,
        )

    def draw(model):
        small = held_out_small[:6]
        rows = {
            "bicubic": bicubic(small, s.factor),
            "SRResNet": model.translate(small),
            "photograph": held_out,
        }
        return image_rows(rows, columns=6)

    def validate(model):
        return {"psnr": psnr(model.translate(held_out_small), held_out, s.factor).mean()}

    # Each step: one generator update, then one discriminator update if there is a discriminator.
    def with_small(images, seed):
        return shrunk(images, s.factor), images

    stream = partial(
        data.train.stream,
        s.batch_size,
        s.seed,
        augment=random_crop_flip(s.patch),
        augment_batch=with_small,
    )
    run.fit(model, stream, draw, validate=validate, best="psnr", mode="max")
    run.restore_best(model)
    run.export(model)
    run.fit(paper_design, stream, part="as_in_paper", epochs=s.paper_epochs)
    srgan.generator.set_weights(model.generator.get_weights())
    run.fit(srgan, stream, part="srgan", epochs=s.gan_epochs)

    run.say("fitting a ridge regression to each cluster of patches")
    ridge = ClusteredRidge(s.factor, s.clusters, seed=s.seed)
    ridge.fit(data.train.arrays()[:, : s.patch, : s.patch])

    averages = averaged_weights(paper_design), averaged_weights(srgan)
    with run.evaluation(model) as metrics, averages[0], averages[1]:
        ways = {
            "model": model.translate,
            "ensemble": model.self_ensemble,
            "as_in_paper": paper_design.translate,
            "srgan": srgan.translate,
            "ridge": ridge,
            "bicubic": partial(bicubic, factor=s.factor),
        }
        for name, images in tests.items():
            for way, enlarge in ways.items():
                report = enlargement_report(enlarge, images[: s.tested], s.factor)
                metrics |= suffixed(report, f"_{name.lower()}_{way}")
        small = shrunk(tests["Set5"][0][None], s.factor).numpy()
        names = {"bicubic": "bicubic", "model": "SRResNet", "srgan": "SRGAN"}
        shown = [*(ways[way](small) for way in names), tests["Set5"][0][None]]
        columns = [*names.values(), "photograph"]
        run.draw("enlarged", captioned([np.concatenate(shown)], column_names=columns))


def build(run, s, epochs, as_in_paper=False, **options):
    """Returns a compiled model with the paper's generator or one that refines bicubic images."""
    generator = sr_resnet(
        filters=s.filters,
        blocks=s.blocks,
        factor=s.factor,
        normalization=as_in_paper,
        from_bicubic=not as_in_paper,
        edge_kernel=9 if as_in_paper else 3,
    )
    model = SRGAN(generator, seed=s.seed, **options)
    rate = s.gan_learning_rate if model.discriminator else s.learning_rate
    optimizers = {"g_optimizer": run.averaged(Adam(run.in_halves(rate, epochs)))}
    if model.discriminator:
        optimizers["d_optimizer"] = Adam(run.in_halves(rate, epochs))
    run.compile(model, **optimizers)
    return model


def feature_network(run, s):
    """Returns the network whose features SRGAN compares."""
    if s.features == "vgg":
        return vgg_features()
    run.say("training the classifier that serves as the feature network")
    images, labels = small_images("cifar10", labels=True).train.arrays()
    return activation_maps(
        train_classifier(images, labels, steps=s.classifier_steps, seed=s.seed)
    )


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
