"""Debiasing VAE on digits in two colors, or on faces: a group of one class is rare.

Amini, Soleimany, Schwarting, Bhatia, Rus: "Uncovering and Mitigating Algorithmic Bias through
Learned Latent Structure", AIES 2019. The task is to tell odd digits from even ones. Every second
even digit is green and the others red, but of the odd ones few are green, so that a classifier
takes green ones for even. The DB-VAE is not told the colors: it finds them among its latents, and
draws the odd digits that lie where there are few. Of faces the task is to tell who smiles, and few
of those are men: the others are left out. Beside it the same model with the same initial weights,
trained on examples that are drawn alike, and on groups that are drawn equally often, which takes
knowing them. Accuracies are of test images; the accuracy over all counts a group by its fraction of
the training images.

Deviations from the paper: the data, and the networks for them. Alpha, the width of bins, the loss
weights and the number of latents were chosen on the last 10,000 training digits, and for the
second command on the last 600 training faces.

  python recipes/debiasing_vae_mnist.py                   about 4 minutes on two CPU cores
  python recipes/debiasing_vae_mnist.py --dataset celeb_a --rare 0.05 --latent-dim 16 --alpha 1
      --weight 1000 --epochs 12                           about 3 minutes
  python recipes/debiasing_vae_mnist.py --preset smoke    under a minute

Data: mnist or celeb_a through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from functools import partial
from typing import Literal

import keras
import numpy as np

from keras_gen.data import faces, rare_color, rare_group, small_images, weighted_stream
from keras_gen.media.images import grid
from keras_gen.metrics import group_report
from keras_gen.networks import conv_decoder, conv_encoder, with_head
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.training import distribute_fresh
from keras_gen.vae import DBVAE
from keras_gen.visualize import reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    dataset: Literal["mnist", "celeb_a"] = "mnist"  # Digits in two colors, or faces
    examples: int = 20_000  # Training images, the first ones
    rare: float = 0.02  # Fraction of the odd digits that are green, or of smiles that are men's
    latent_dim: int = 2  # Dimensions of the latents
    width: int = 16  # Channels of the first of two convolutions; the second has twice as many
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero
    weight: float = 100.0  # Of the cross-entropy beside the nats of an image
    beta: float = 1.0  # Weight of the KL divergence
    alpha: float = 0.01  # Smoothing: the larger, the more evenly examples are drawn
    bin_width: float = 1.0  # Of the histograms of the latents


PRESETS = {
    "smoke": dict(examples=500, rare=0.1, latent_dim=2, width=4, epochs=2, steps_per_epoch=10,
                  batch_size=20),
    "cpu": dict(epochs=30, steps_per_epoch=120, batch_size=50, grid_every=10),
    "paper": dict(examples=60_000, epochs=50, steps_per_epoch=1200, batch_size=50, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    if s.dataset == "mnist":
        data, biased = small_images("mnist", labels=True), rare_color
    else:
        data, biased = faces(32, labels=True), rare_group
    data = run.load(dataclasses.replace(data, train=data.train.take(s.examples)))
    train, groups = biased(data.train, s.rare, s.seed)
    arrays = train.arrays()
    models = {n: build(run, s, *arrays[0].shape) for n in ("uniform", "known", "debiased")}
    streams = {n: partial(stream, run, s, train, model) for n, model in models.items()}

    run.fit(models["uniform"], partial(train.stream, s.batch_size, s.seed), part="uniform")
    shares = np.bincount(groups) / len(groups)
    models["known"].sampling.assign(1 / shares[groups])
    run.fit(models["known"], streams["known"], part="known")
    debiased = models["debiased"]
    reweigh = keras.callbacks.LambdaCallback(lambda epoch, logs: debiased.reweigh(*arrays))
    some = arrays[0][np.argsort(-groups, kind="stable")[:12]]  # of the rare group
    draw = partial(reconstructions, images=some)
    run.fit(debiased, streams["debiased"], draw, callbacks=[reweigh])

    test, test_groups = biased(data.test, rare=0.5, seed=s.seed)
    images, classes = test.arrays()
    with run.evaluation(debiased) as metrics:
        for name in ("debiased", "uniform", "known"):
            predicted = models[name].classify(images).argmax(axis=1)
            report = group_report(predicted, classes, test_groups, shares)
            metrics |= {f"{key}_{name}": value for key, value in report.items()}
        weights = debiased.sampling.values.numpy()
        metrics["rare_draws"] = weights[groups == 3].sum() / weights[groups > 1].sum()
        run.draw("most_drawn", grid(arrays[0][np.argsort(-weights)[:64]]))
    run.export(debiased, default="classify")


def build(run, s, examples, *shape):
    """A model of the same initial weights each time."""
    keras.utils.set_random_seed(s.seed)
    with run.strategy.scope():
        sizes = dict(latent_dim=s.latent_dim, filters=(s.width, 2 * s.width))
        encoder = conv_encoder(shape, **sizes, heads=("mean", "log_variance"))
        networks = with_head(encoder, 2), conv_decoder(shape, **sizes)
        options = dict(weight=s.weight, beta=s.beta, alpha=s.alpha, bin_width=s.bin_width)
        model = DBVAE(*networks, examples, **options, seed=s.seed)
        run.compile(model, keras.optimizers.Adam(run.in_halves(s.learning_rate)))
    return model


def stream(run, s, train, model, start):
    """Batches that are drawn by the model's sampling weights."""
    batches = weighted_stream(train, model.sampling, s.batch_size, s.seed, start)
    return distribute_fresh(batches, run.strategy)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
