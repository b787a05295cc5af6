"""Context encoders fill in the middle of images, and what their features are then good for.

Pathak, Krähenbühl, Donahue, Darrell, Efros: "Context Encoders: Feature Learning by Inpainting",
CVPR 2016, at 32x32 pixels. Held-out images are inpainted by the model, by one trained on the
reconstruction loss alone, and by two plain fillings. Then the paper's reality check in small (its
table 2): the same encoder, untrained or pretrained on images of the classes 0 to 4 as an
autoencoder, as a context encoder or with labels, is measured on the classes 5 to 9, which it never
saw, with few labels.

  python recipes/context_encoder_cifar10.py                    about 17 minutes on two CPU cores
  python recipes/context_encoder_cifar10.py --preset smoke     under a minute

Data: cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The paper's figures
are of other data: ImageNet, Paris StreetView and PASCAL VOC.
"""

import dataclasses
import time
from functools import partial
from typing import Literal

import keras
import numpy as np
from keras.optimizers import Adam

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import small_images
from keras_gen.losses import Normal
from keras_gen.metrics import border_mean, hole_psnr, transfer_report
from keras_gen.networks import classifier_on, context_decoder, context_encoder, dcgan_discriminator
from keras_gen.run import Run, RunSettings, run_recipe
from keras_gen.translation import ContextEncoder
from keras_gen.visualize import inpaintings


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    filters: int = 64  # Channels of encoder's and discriminator's first layer; doubled every stage
    mask: Literal["center", "random"] = "center"
    """What is missing: a square in the middle, or a quarter of the image in random regions."""
    learning_rate: float = 2e-3
    """Adam's rate for encoder and decoder; the discriminator's is a tenth, as in the paper."""
    pretraining_epochs: int = 1  # Epochs of each pretraining of the reality check
    labels_per_class: int = 100  # Labeled images of each of the classes 5 to 9
    draws: int = 3  # Draws of these images, over which accuracies are averaged
    tuning_epochs: int = 30  # Passes over them in fine-tuning, in batches of 50


PRESETS = {
    "smoke": dict(filters=4, epochs=2, steps_per_epoch=10, batch_size=32, labels_per_class=10,
                  draws=1, tuning_epochs=1),
    "cpu": dict(filters=32, epochs=35, steps_per_epoch=200, batch_size=64, grid_every=5,
                pretraining_epochs=20),
    "paper": dict(epochs=500, steps_per_epoch=780, grid_every=20, pretraining_epochs=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("cifar10", labels=True))
    (images, labels), (test, test_labels) = data.train.arrays(), data.test.arrays()
    known = data.train.select(labels < 5, f"{data.train.origin}, classes 0 to 4")
    sets = ((images, labels), (test, test_labels))
    unseen, held_out = ((x[y >= 5], y[y >= 5] - 5) for x, y in sets)
    with run.strategy.scope():
        networks = partial(build, images.shape[1:], s.filters)
        region = (16, 16, 3) if s.mask == "center" else (32, 32, 3)
        parts = *networks(), dcgan_discriminator(region, s.filters)
        model = ContextEncoder(*parts, mask=s.mask, seed=s.seed)
        alone = ContextEncoder(*networks(), mask=s.mask, seed=s.seed)
        autoencoder = Autoencoder(*networks(), likelihood=Normal(), seed=s.seed)
        # The paper learns features from random regions and the reconstruction loss alone.
        inpainter = ContextEncoder(*networks(), mask="random", seed=s.seed)
        d_optimizer = Adam(0.1 * s.learning_rate, 0.5)
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=Adam(s.learning_rate, 0.5))
        run.compile(alone, g_optimizer=Adam(s.learning_rate, 0.5))
        run.compile(autoencoder, Adam(s.learning_rate, 0.5))
        run.compile(inpainter, g_optimizer=Adam(s.learning_rate, 0.5))
        untrained, classifier = networks()[0], classifier_on(networks()[0], 5, (-1, 1))

    draw = partial(inpaintings, test[:16], model.masks(16, seed=s.seed))
    run.fit(model, data.train, draw)
    run.fit(alone, data.train, draw, part="reconstruction_only")
    tuning = dict(labels_per_class=s.labels_per_class, draws=s.draws, epochs=s.tuning_epochs)
    transfer = partial(transfer_report, train=unseen, test=held_out, **tuning, seed=s.seed)
    reports = {}
    for name, each in (("autoencoder", autoencoder), ("context_encoder", inpainter)):
        minutes = run.fit(each, known, part=name, epochs=s.pretraining_epochs)
        reports[name] = run.once(name, worth, transfer, each.encoder, minutes)
    reports["labels"] = run.once("labels", worth_with_labels, s, classifier, known, transfer)
    reports["nothing"] = run.once("nothing", worth, transfer, untrained, 0.0)

    with run.evaluation(model) as metrics:
        masks, mean = model.masks(len(test), seed=s.seed), images.mean(0).round().astype("uint8")
        fillings = {
            "model": model.inpaint(test, masks),
            "reconstruction_only": alone.inpaint(test, masks),
            "border_mean": border_mean(test, masks),
            "training_mean": np.where(masks > 0, mean, test),
        }
        metrics |= {f"psnr_{name}": hole_psnr(x, test, masks) for name, x in fillings.items()}
        for name, report in reports.items():
            metrics |= {f"{name}_{key}": value for key, value in report.items()}
        run.draw("sample_grid", draw(model, alone))
    run.export(model)


def build(shape, filters):
    """An encoder and its decoder."""
    return context_encoder(shape, filters), context_decoder(shape, filters)


def worth(transfer, encoder, minutes):
    """What an encoder is worth, and how long it took to pretrain it."""
    return transfer(encoder) | {"minutes": minutes}


def worth_with_labels(s, classifier, known, transfer):
    """The same of the encoder of a classifier, which is trained here."""
    began = time.monotonic()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(Adam(s.learning_rate, 0.5), loss)
    steps = dict(epochs=s.pretraining_epochs, steps_per_epoch=s.steps_per_epoch)
    classifier.fit(known.stream(s.batch_size, s.seed), **steps, shuffle=False, verbose=0)
    return worth(transfer, classifier.get_layer("encoder"), (time.monotonic() - began) / 60)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
