"""Debiasing VAE on colored MNIST or CelebA, with one rare group.

Amini, Soleimany, Schwarting, Bhatia, Rus: "Uncovering and Mitigating Algorithmic Bias through
Learned Latent Structure", AIES 2019.

  python recipes/debiasing_vae_mnist.py                   about 4 minutes on two CPU cores
  python recipes/debiasing_vae_mnist.py --dataset celeb_a --rare 0.05 --latent-dim 16 --alpha 1
      --weight 1000 --epochs 12                           about 3 minutes
  python recipes/debiasing_vae_mnist.py --preset smoke    under a minute

Expected result of the cpu preset: an accuracy of 0.86 in the worst group (SVM on balanced colors:
0.91; uniform sampling: 0.76).

The task is to separate odd from even digits. Half of the even digits are green, and the other half
are red. Only a few odd digits are green, so a classifier mistakes green odd digits for even digits.
The DB-VAE does not receive the colors. It discovers them among its latents, and samples odd digits
more often where latents are sparse. With faces, the task is to recognize smiles, and most smiling
men are left out, so that they are rare.

As baselines, the same model is trained from the same initial weights on uniformly sampled examples,
and on uniformly sampled groups, which requires known groups. Accuracies are measured on test
images; in the overall accuracy, each group has its fraction of the training images as its weight.

Deviations: different data, and networks suited to them. Alpha, the bin width, the loss weights, and
the number of latents were chosen on the last 10,000 training digits or, for the second command, on
the last 600 training faces.

Data: mnist or celeb_a through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import suffixed

import dataclasses
from functools import partial
from typing import Literal

import keras
import numpy as np

from keras_gen.data import faces, rare_color, rare_group, small_images, weighted_stream
from keras_gen.files.images import enlarged_grid
from keras_gen.metrics import group_report
from keras_gen.networks import conv_decoder, conv_encoder, with_head
from keras_gen.vae import DBVAE, distribute_fresh
from keras_gen.workshop.baselines import color_balanced_classes
from keras_gen.workshop.visualize import reconstructions

RARE_GROUP = 3  # index of the rare group: green odd digits, or smiling men
FIRST_POSITIVE_GROUP = 2  # groups 2 and 3 contain odd digits, or smiling faces


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    dataset: Literal["mnist", "celeb_a"] = "mnist"
    """Dataset: digits in two colors (mnist), or faces (celeb_a)."""
    examples: int = 20_000  # Number of training images; the first ones are used
    rare: float = 0.02
    """Fraction of green digits among odd digits, or of men among smiling people."""
    latent_dim: int = 2  # Number of latent dimensions
    width: int = 16  # Channels of the first of two convolutions; the second has twice as many
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    weight: float = 100.0  # Weight of the cross-entropy; the reconstruction loss has weight 1
    beta: float = 1.0  # Weight of the KL divergence
    alpha: float = 0.01  # Smoothing term; larger values make the sampling more uniform
    bin_width: float = 1.0  # Bin width of the latents' histograms


PRESETS = {
    "smoke": dict(examples=500, rare=0.1, latent_dim=2, width=4, epochs=2, steps_per_epoch=10,
                  batch_size=20),
    "cpu": dict(epochs=30, steps_per_epoch=120, batch_size=50, grid_every=10),
    "paper": dict(examples=60_000, epochs=50, steps_per_epoch=1200, batch_size=50,
                  grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    if s.dataset == "mnist":
        data = small_images("mnist", labels=True)
        make_biased = rare_color
    else:
        data = faces(32, labels=True)
        make_biased = rare_group
    data = run.load(dataclasses.replace(data, train=data.train.take(s.examples)))
    train, groups = make_biased(data.train, s.rare, s.seed)
    test, test_groups = make_biased(data.test, rare=0.5, seed=s.seed)
    images, labels = train.arrays()
    test_images, test_labels = test.arrays()
    fractions = np.bincount(groups) / len(groups)

    uniform = build_model(run, s, images)
    known = build_model(run, s, images)
    debiased = build_model(run, s, images)

    # Each step: one joint update of the encoder and the decoder.
    run.fit(uniform, partial(train.stream, s.batch_size, s.seed), part="uniform")
    # The second baseline knows the groups and samples each group equally often.
    known.sampling.assign(1 / fractions[groups])
    run.fit(known, partial(weighted_batches, run, s, train, known), part="known")

    def reweigh(epoch, logs):
        debiased.reweigh(images, labels)

    # Before each epoch, the DB-VAE sets the sampling weights of the examples.
    callback = keras.callbacks.LambdaCallback(on_epoch_begin=reweigh)
    rarest_first = np.argsort(-groups, kind="stable")
    draw = partial(reconstructions, images=images[rarest_first[:12]])
    batches = partial(weighted_batches, run, s, train, debiased)
    run.fit(debiased, batches, draw, callbacks=[callback])
    run.export(debiased, default="classify")

    balanced = color_balanced_classes(images, labels, test_images, seed=s.seed)

    with run.evaluation(debiased) as metrics:
        models = {"debiased": debiased, "uniform": uniform, "known": known}
        predictions = {
            name: model.classify(test_images).argmax(axis=1) for name, model in models.items()
        }
        for name, predicted in (predictions | {"balanced": balanced}).items():
            report = group_report(predicted, test_labels, test_groups, fractions)
            metrics |= suffixed(report, f"_{name}")
        weights = debiased.sampling.values.numpy()
        rare_weight = weights[groups == RARE_GROUP].sum()
        positive_weight = weights[groups >= FIRST_POSITIVE_GROUP].sum()
        metrics["rare_draws"] = rare_weight / positive_weight
        most_drawn = np.argsort(-weights)[:64]
        run.draw("most_drawn", enlarged_grid(images[most_drawn]))


def build_model(run, s, images):
    """Returns a compiled model, with the same initial weights each time."""
    examples, *shape = images.shape
    keras.utils.set_random_seed(s.seed)
    with run.strategy.scope():
        sizes = dict(latent_dim=s.latent_dim, filters=(s.width, 2 * s.width))
        encoder = conv_encoder(tuple(shape), **sizes, heads=("mean", "log_variance"))
        encoder = with_head(encoder, 2)
        decoder = conv_decoder(tuple(shape), **sizes)
        model = DBVAE(
            encoder,
            decoder,
            examples,
            weight=s.weight,
            beta=s.beta,
            alpha=s.alpha,
            bin_width=s.bin_width,
            seed=s.seed,
        )
        run.compile(model, keras.optimizers.Adam(run.in_halves(s.learning_rate)))
    return model


def weighted_batches(run, s, train, model, start):
    """Returns batches sampled with the model's sampling weights."""
    batches = weighted_stream(train, model.sampling, s.batch_size, s.seed, start)
    return distribute_fresh(batches, run.strategy)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
