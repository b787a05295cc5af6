"""Context encoder on CIFAR-10.

Pathak, Krähenbühl, Donahue, Darrell, Efros: "Context Encoders: Feature Learning by Inpainting",
CVPR 2016, at 32x32 pixels.

  python recipes/context_encoder_cifar10.py                    55 minutes on one of two CPU cores
  python recipes/context_encoder_cifar10.py --preset smoke     under a minute

Expected result of the cpu preset: a PSNR of 18.1 dB in the missing center with only the
reconstruction loss (with the adversarial loss: 17.2; ridge regression: 17.6).

Held-out images are inpainted by the model, by a model trained only on the reconstruction loss, and
by methods without a network, the best of which is ridge regression on the known pixels. Then, the
paper's evaluation of features (table 2) is repeated on a small scale. The same encoder is either
untrained or pretrained on classes 0 to 4: as an autoencoder, as a context encoder, by predicting
image rotations (Gidaris, Singh, Komodakis: "Unsupervised Representation Learning by Predicting
Image Rotations", ICLR 2018), or with labels. The encoder is then evaluated with few labels on
classes 5 to 9, which were not used for pretraining.

Models quickly overfit a small dataset. After 2,000 steps on 8,000 randomly mirrored images, the
PSNR was 1 dB higher on these images than on 2,000 held-out images; with random shifts, the gap
disappeared. The PSNR of the missing pixels is measured on luma, as in super-resolution, and on RGB.

Data: cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The paper uses other
data: ImageNet, Paris StreetView, and PASCAL VOC.
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe
from keras_gen.workshop.run.reports import prefixed

import dataclasses
from functools import partial
from typing import Literal

import keras
import tensorflow as tf
from keras.optimizers import Adam

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import random_shift_flip, small_images
from keras_gen.losses import Normal
from keras_gen.metrics import hole_psnr, transfer_report
from keras_gen.networks import (
    classifier_on,
    context_decoder,
    context_encoder,
    dcgan_discriminator,
)
from keras_gen.translation import ContextEncoder
from keras_gen.workshop.baselines import border_mean, laplace_fill, ridge_fill
from keras_gen.workshop.visualize import inpaintings

SHAPE = (32, 32, 3)
CENTER = (16, 16, 3)


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    filters: int = 64  # Channels of the first layers, doubled at every later stage
    mask: Literal["center", "random"] = "center"
    """Missing region: a square in the center, or random regions that cover a quarter of the
    image."""
    learning_rate: float = 2e-3
    """Adam's learning rate for the encoder and decoder; linear decay to 0 in the second half. The
    discriminator's rate is a tenth of this rate, as in the paper."""
    pretraining_epochs: int = 1
    """Number of epochs for each pretraining run in the feature evaluation."""
    labels_per_class: int = 100  # Number of labeled images per class, for classes 5 to 9
    draws: int = 3  # Number of random label selections over which accuracies are averaged
    tuning_epochs: int = 30  # Number of fine-tuning epochs (batch size 50)


PRESETS = {
    "smoke": dict(filters=4, epochs=2, steps_per_epoch=10, batch_size=32, labels_per_class=10,
                  draws=1, tuning_epochs=1),
    "cpu": dict(filters=32, epochs=35, steps_per_epoch=200, batch_size=64, grid_every=5,
                pretraining_epochs=20),
    "paper": dict(epochs=500, steps_per_epoch=780, grid_every=20, pretraining_epochs=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("cifar10", labels=True))
    images, labels = data.train.arrays()
    test, test_labels = data.test.arrays()
    # The feature evaluation pretrains on classes 0 to 4, and evaluates on classes 5 to 9.
    first_classes = data.train.select(labels < 5)
    last_classes = (images[labels >= 5], labels[labels >= 5] - 5)
    test_last_classes = (test[test_labels >= 5], test_labels[test_labels >= 5] - 5)

    with run.strategy.scope():
        encoder, decoder = build_networks(s)
        discriminator = dcgan_discriminator(CENTER if s.mask == "center" else SHAPE, s.filters)
        model = ContextEncoder(encoder, decoder, discriminator, mask=s.mask, seed=s.seed)
        without_discriminator = ContextEncoder(*build_networks(s), mask=s.mask, seed=s.seed)
        run.compile(
            model,
            d_optimizer=Adam(run.in_halves(0.1 * s.learning_rate), 0.5),
            g_optimizer=Adam(run.in_halves(s.learning_rate), 0.5),
        )
        run.compile(
            without_discriminator,
            g_optimizer=Adam(run.in_halves(s.learning_rate), 0.5),
        )

        # Encoders of the feature evaluation. The paper learns features from random regions and the
        # reconstruction loss alone.
        pretraining_rate = run.in_halves(s.learning_rate, s.pretraining_epochs)
        autoencoder = Autoencoder(*build_networks(s), likelihood=Normal(), seed=s.seed)
        run.compile(autoencoder, Adam(pretraining_rate, 0.5))
        inpainter = ContextEncoder(*build_networks(s), mask="random", seed=s.seed)
        run.compile(inpainter, g_optimizer=Adam(pretraining_rate, 0.5))
        untrained_encoder, _ = build_networks(s)
        classifiers = {}
        for name, classes in (("rotations", 4), ("labels", 5)):
            encoder_of_classes, _ = build_networks(s)
            classifiers[name] = classifier_on(encoder_of_classes, classes, data_range=(-1, 1))
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            classifiers[name].compile(Adam(pretraining_rate, 0.5), loss)

    # Each step: one update of the encoder and the decoder, then one update of the discriminator, if
    # there is one.
    augment = random_shift_flip(3)
    stream = partial(data.train.stream, s.batch_size, s.seed, augment=augment)
    draw = partial(inpaintings, test[:16], model.masks(16, seed=s.seed))
    run.fit(model, stream, draw)
    run.export(model)
    run.fit(without_discriminator, stream, draw, part="reconstruction_only")

    # Evaluate the features.
    stream = partial(first_classes.stream, s.batch_size, s.seed, augment=augment)
    transfer = partial(
        transfer_report,
        train=last_classes,
        test=test_last_classes,
        labels_per_class=s.labels_per_class,
        draws=s.draws,
        epochs=s.tuning_epochs,
        seed=s.seed,
    )
    reports = {"nothing": run.once("nothing", transfer, untrained_encoder)}
    run.fit(autoencoder, stream, part="autoencoder", epochs=s.pretraining_epochs)
    reports["autoencoder"] = run.once("autoencoder", transfer, autoencoder.encoder)
    run.fit(inpainter, stream, part="context_encoder", epochs=s.pretraining_epochs)
    reports["context_encoder"] = run.once("context_encoder", transfer, inpainter.encoder)
    streams = {"rotations": stream().map(turned), "labels": stream()}
    for name, classifier in classifiers.items():
        arguments = (s, classifier, streams[name], transfer)
        reports[name] = run.once(name, pretrained_by_classes, *arguments)

    # Evaluate the baselines.
    masks = model.masks(len(test), seed=s.seed)
    baselines = {
        "border_mean": border_mean(test, masks),
        "laplace": laplace_fill(test, masks),
    }
    if s.mask == "center":  # The regression is fitted to a single mask.
        baselines["ridge"] = ridge_fill(test, masks, images, mirror=True)

    with run.evaluation(model) as metrics:
        fillings = {
            "model": model.inpaint(test, masks),
            "reconstruction_only": without_discriminator.inpaint(test, masks),
        }
        fillings |= baselines
        for of in ("luma", "rgb"):
            for name, filled in fillings.items():
                metrics[f"psnr_{of}_{name}"] = hole_psnr(filled, test, masks, of)
        for name, report in reports.items():
            metrics |= prefixed(f"{name}_", report)
        run.draw("sample_grid", draw(model, without_discriminator=without_discriminator))


def build_networks(s):
    """Returns an encoder and a decoder with their own initial weights."""
    encoder = context_encoder(SHAPE, s.filters)
    decoder = context_decoder(SHAPE, s.filters)
    return encoder, decoder


def turned(images, labels):
    """Rotates images by 0, 90, 180, and 270 degrees in turn, with labels 0, 1, 2, and 3."""
    turns = tf.range(tf.shape(images)[0]) % 4
    versions = tf.stack([tf.image.rot90(images, k) for k in range(4)], axis=1)
    return tf.gather(versions, turns, batch_dims=1), turns


def pretrained_by_classes(s, classifier, stream, transfer):
    """Trains a classifier, and returns the report on its encoder."""
    classifier.fit(
        stream,
        epochs=s.pretraining_epochs,
        steps_per_epoch=s.steps_per_epoch,
        shuffle=False,
        verbose=0,
    )
    return transfer(classifier.get_layer("encoder"))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
