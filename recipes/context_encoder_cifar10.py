"""Context encoders fill in the middle of images, and what their features are then good for.

Pathak, Krähenbühl, Donahue, Darrell, Efros: "Context Encoders: Feature Learning by Inpainting",
CVPR 2016, at 32x32 pixels. Held-out images are inpainted by the model, by one trained on the
reconstruction loss alone, and by two plain fillings. Then the paper's reality check in small (its
table 2): the same encoder, untrained or pretrained on images of the classes 0 to 4 as an
autoencoder, as a context encoder or with labels, is judged by the classes 5 to 9, which it never
saw, with few labels.

  python recipes/context_encoder_cifar10.py                    about 17 minutes on two CPU cores
  python recipes/context_encoder_cifar10.py --preset smoke     under a minute

Data: cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The paper's figures
are of other data: ImageNet, Paris StreetView and PASCAL VOC.
"""

import dataclasses
import functools
import time
from typing import Literal

import keras
import numpy as np

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import small_images
from keras_gen.files import replacing
from keras_gen.images import grid, write_png
from keras_gen.losses import Normal
from keras_gen.metrics import border_mean, hole_psnr, transfer_report
from keras_gen.networks import (
    classifier_on,
    context_decoder,
    context_encoder,
    dcgan_discriminator,
)
from keras_gen.results import Figure, Published
from keras_gen.run import Run, RunSettings, run_recipe
from keras_gen.translation import ContextEncoder


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    """Settings of the context encoder on CIFAR-10."""

    filters: int = 64
    """Channels of the encoder's and of the discriminator's first layer; they double every stage."""
    mask: Literal["center", "random"] = "center"
    """What is missing: a square in the middle, or a quarter of the image in random regions."""
    learning_rate: float = 2e-3
    """Adam's rate for encoder and decoder; the discriminator's is a tenth, as in the paper."""
    pretraining_epochs: int = 1
    """Epochs of each pretraining of the reality check."""
    labels_per_class: int = 100
    """Labeled images of each of the classes 5 to 9."""
    draws: int = 3
    """Draws of these images, over which accuracies are averaged."""
    tuning_epochs: int = 30
    """Passes over them in fine-tuning, in batches of 50."""


PRESETS = {
    "smoke": dict(
        filters=4, epochs=2, steps_per_epoch=10, batch_size=32, labels_per_class=10,
        draws=1, tuning_epochs=1,
    ),
    "cpu": dict(
        filters=32, epochs=35, steps_per_epoch=200, batch_size=64, grid_every=5,
        pretraining_epochs=20,
    ),
    "paper": dict(
        epochs=500, steps_per_epoch=780, batch_size=64, grid_every=20, pretraining_epochs=100
    ),
}  # fmt: skip

FILLINGS = {
    "model": "context encoder",
    "reconstruction_only": "context encoder, reconstruction loss only",
    "border_mean": "mean of the border",
    "training_mean": "mean training image",
}
PRETRAININGS = {
    "nothing": "none",
    "autoencoder": "autoencoder",
    "context_encoder": "context encoder",
    "labels": "labels",
}
JUDGED = dict(labels_per_class=100, draws=3, tuning_epochs=30)
RESULTS = Published(
    system="Context encoder",
    family="translation",
    paper="Pathak et al. 2016, https://arxiv.org/abs/1604.07379",
    dataset="CIFAR-10",
    train_size=50_000,
    figures=tuple(
        Figure(
            f"psnr_{name}", f"PSNR of the missing center, {said}", "dB", True,
            tolerance=0.3, given=dict(mask="center"),
        )
        for name, said in FILLINGS.items()
    )
    + tuple(
        Figure(
            f"{name}_{way}", f"accuracy with 5 x 100 labels, {way}, pretraining: {said}", "", True,
            spread=f"{name}_{way}_error", tolerance=0.04, given=JUDGED,
        )
        for way in ("tuned", "probed")
        for name, said in PRETRAININGS.items()
    ),
)  # fmt: skip


def main(argv=None):
    """Trains, draws, measures and exports."""
    run = Run(__file__, Settings, PRESETS, __doc__, argv)
    s = run.settings
    data = small_images("cifar10", labels=True)
    run.describe_data(data)
    images, labels = data.train.arrays()
    test, test_labels = data.test.arrays()
    shape = images.shape[1:]
    known = data.train.select(labels < 5, f"{data.train.origin}, classes 0 to 4")
    unseen = images[labels >= 5], labels[labels >= 5] - 5
    held_out = test[test_labels >= 5], test_labels[test_labels >= 5] - 5

    def networks():
        return context_encoder(shape, s.filters), context_decoder(shape, s.filters)

    def adam(share=1.0):
        return keras.optimizers.Adam(share * s.learning_rate, beta_1=0.5)

    with run.strategy.scope():
        seen = (shape[0] // 2,) * 2 + shape[2:] if s.mask == "center" else shape
        model = ContextEncoder(
            *networks(), dcgan_discriminator(seen, s.filters), mask=s.mask, seed=s.seed
        )
        model.compile(g_optimizer=adam(), d_optimizer=adam(0.1))
        alone = ContextEncoder(*networks(), mask=s.mask, seed=s.seed)
        alone.compile(g_optimizer=adam())
        # The paper learns features from random regions and the reconstruction loss alone.
        pretrained = {
            "autoencoder": Autoencoder(*networks(), likelihood=Normal(), seed=s.seed),
            "context_encoder": ContextEncoder(*networks(), mask="random", seed=s.seed),
        }
        for each in pretrained.values():
            each.compile(**{name: adam() for name in each.optimizers()})
        nothing, labeled = networks()[0], classifier_on(networks()[0], 5, (-1, 1))

    def stream(source):
        return lambda start: source.stream(s.batch_size, s.seed, start)

    def sample_grid(model, *others):
        shown, masks = test[:16], model.masks(16, seed=s.seed)
        filled = [each.inpaint(shown, masks) for each in (model, *others)]
        masked = np.where(masks > 0, np.uint8(128), shown)
        return grid(np.concatenate([shown, masked, *filled]), columns=16)

    def judge(encoder, began):
        minutes = (time.monotonic() - began) / 60
        judged = dict(draws=s.draws, epochs=s.tuning_epochs, seed=s.seed)
        report = transfer_report(encoder, unseen, held_out, s.labels_per_class, **judged)
        return report | {"minutes": minutes}

    def with_labels():
        began, batches = time.monotonic(), stream(known)(0)
        steps = dict(epochs=s.pretraining_epochs, steps_per_epoch=s.steps_per_epoch)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        labeled.compile(adam(), loss)
        labeled.fit(batches, **steps, shuffle=False, verbose=0)
        return judge(labeled.get_layer("encoder"), began)

    def evaluate(model, directory):
        write_png(directory / "sample_grid.png", sample_grid(model, alone))
        masks = model.masks(len(test), seed=s.seed)
        mean = images.mean(0).round().astype("uint8")
        fillings = (
            model.inpaint(test, masks), alone.inpaint(test, masks), border_mean(test, masks),
            np.where(masks > 0, mean, test),
        )  # fmt: skip
        psnrs = [hole_psnr(filled, test, masks) for filled in fillings]
        measured = {f"psnr_{k}": value for k, value in zip(FILLINGS, psnrs, strict=True)}
        table = "pretraining        minutes  fine-tuned  probed\n"
        for name, report in judged.items():
            numbers = (report[key] for key in ("minutes", "tuned", "probed"))
            table += "{:<16}{:10.1f}{:12.3f}{:8.3f}\n".format(name, *numbers)
            measured |= {f"{name}_{key}": value for key, value in report.items()}
        run.say(table)
        with replacing(directory / "reality_check.txt") as file:
            file.write(table.encode())
        return measured

    run.fit(model, stream(data.train), sample_grid)
    run.fit(alone, stream(data.train), sample_grid, part="reconstruction_only")
    judged = {}
    for name, each in pretrained.items():
        began = time.monotonic()
        run.fit(each, stream(known), part=name, epochs=s.pretraining_epochs)
        judged[name] = run.once(name, functools.partial(judge, each.encoder, began))
    judged["labels"] = run.once("labels", with_labels)
    judged["nothing"] = run.once("nothing", lambda: judge(nothing, time.monotonic()))
    run.finish(model, evaluate, data.record())


if __name__ == "__main__":
    run_recipe(main)
