"""Context encoders fill in the middle of images, and what their features are then good for.

Pathak, Krähenbühl, Donahue, Darrell, Efros: "Context Encoders: Feature Learning by Inpainting",
CVPR 2016, at 32x32 pixels. Held-out images are inpainted by the model, by one trained on the
reconstruction loss alone, and without a network, best by ridge regression on the known pixels. Then
the paper's reality check in small (its table 2): the same encoder, untrained or pretrained on the
classes 0 to 4 as an autoencoder, as a context encoder or with labels, is measured on the classes 5
to 9, which it never saw, with few labels.

Few images are soon known by heart: after 2,000 steps on 8,000 of them, mirrored at random, they
were inpainted 1 dB better than 2,000 others; when shifted too, equally well. The PSNR of the
missing pixels is of the luma, as in super-resolution, and of red, green and blue.

  python recipes/context_encoder_cifar10.py                    about 18 minutes on two CPU cores
  python recipes/context_encoder_cifar10.py --preset smoke     under a minute

Data: cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The paper's figures
are of other data: ImageNet, Paris StreetView and PASCAL VOC.
"""

import dataclasses
from functools import partial
from typing import Literal

import keras
from keras.optimizers import Adam

from keras_gen.autoencoders import Autoencoder
from keras_gen.baselines import border_mean, laplace_fill, ridge_fill
from keras_gen.data import random_shift_flip, small_images
from keras_gen.losses import Normal
from keras_gen.metrics import hole_psnr, transfer_report
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
    """Adam's rate for encoder and decoder, constant in the first half and then linear to zero; the
    discriminator's is a tenth, as in the paper."""
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
    sources, augment = (data.train, data.train.select(labels < 5)), random_shift_flip(3)
    batches, known = (partial(x.stream, s.batch_size, s.seed, augment=augment) for x in sources)
    sets = ((images, labels), (test, test_labels))
    unseen, held_out = ((x[y >= 5], y[y >= 5] - 5) for x, y in sets)

    def networks():
        sizes = images.shape[1:], s.filters
        return context_encoder(*sizes), context_decoder(*sizes)

    def adam(factor=1.0, epochs=None):
        return Adam(run.in_halves(factor * s.learning_rate, epochs), 0.5)

    with run.strategy.scope():
        region = (16, 16, 3) if s.mask == "center" else (32, 32, 3)
        parts = *networks(), dcgan_discriminator(region, s.filters)
        model = ContextEncoder(*parts, mask=s.mask, seed=s.seed)
        alone = ContextEncoder(*networks(), mask=s.mask, seed=s.seed)
        autoencoder = Autoencoder(*networks(), likelihood=Normal(), seed=s.seed)
        # The paper learns features from random regions and the reconstruction loss alone.
        inpainter = ContextEncoder(*networks(), mask="random", seed=s.seed)
        run.compile(model, d_optimizer=adam(0.1), g_optimizer=adam())
        run.compile(alone, g_optimizer=adam())
        run.compile(autoencoder, adam(epochs=s.pretraining_epochs))
        run.compile(inpainter, g_optimizer=adam(epochs=s.pretraining_epochs))
        untrained, classifier = networks()[0], classifier_on(networks()[0], 5, (-1, 1))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        classifier.compile(adam(epochs=s.pretraining_epochs), loss)

    draw = partial(inpaintings, test[:16], model.masks(16, seed=s.seed))
    run.fit(model, batches, draw)
    run.fit(alone, batches, draw, part="reconstruction_only")
    tuning = dict(labels_per_class=s.labels_per_class, draws=s.draws, epochs=s.tuning_epochs)
    transfer = partial(transfer_report, train=unseen, test=held_out, **tuning, seed=s.seed)
    reports = {"nothing": run.once("nothing", transfer, untrained)}
    for name, each in (("autoencoder", autoencoder), ("context_encoder", inpainter)):
        run.fit(each, known, part=name, epochs=s.pretraining_epochs)
        reports[name] = run.once(name, transfer, each.encoder)
    reports["labels"] = run.once("labels", worth_with_labels, s, classifier, known, transfer)

    with run.evaluation(model) as metrics:
        masks = model.masks(len(test), seed=s.seed)
        fillings = {
            "model": model.inpaint(test, masks),
            "reconstruction_only": alone.inpaint(test, masks),
            "border_mean": border_mean(test, masks),
            "laplace": laplace_fill(test, masks),
        }
        if s.mask == "center":  # The regression is for one mask.
            fillings["ridge"] = ridge_fill(test, masks, images, mirror=True)
        for of in ("luma", "rgb"):
            for name, filled in fillings.items():
                metrics[f"psnr_{of}_{name}"] = hole_psnr(filled, test, masks, of)
        for name, report in reports.items():
            metrics |= {f"{name}_{key}": value for key, value in report.items()}
        run.draw("sample_grid", draw(model, alone))
    run.export(model)


def worth_with_labels(s, classifier, known, transfer):
    """What the encoder of a classifier is worth, which is trained here."""
    steps = dict(epochs=s.pretraining_epochs, steps_per_epoch=s.steps_per_epoch)
    classifier.fit(known(), **steps, shuffle=False, verbose=0)
    return transfer(classifier.get_layer("encoder"))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
