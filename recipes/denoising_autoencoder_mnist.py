"""Denoising autoencoders on MNIST.

Vincent, Larochelle, Bengio, Manzagol: "Extracting and Composing Robust Features with Denoising
Autoencoders", ICML 2008; the corruptions (masking, salt-and-pepper, and Gaussian noise) follow
Vincent et al.: "Stacked Denoising Autoencoders", JMLR 2010, sec. 3.3. The networks have one layer
of sigmoid codes, with more codes than pixels. They are compared with a plain autoencoder that has
the same network.

  python recipes/denoising_autoencoder_mnist.py                    about 6 minutes on two CPU cores
  python recipes/denoising_autoencoder_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a PSNR gain of 6.25 dB with a quarter of the pixels masked
(boosted trees: 12.06; morphological closing: 5.47).

The baselines for the PSNR gains are ridge regression on all pixels; morphological closing, which
fills holes based on their surroundings; and boosted trees, fitted to 10,000 digits, which see the
corrupted pixels around a pixel and the ridge prediction. A linear classifier is trained on the
codes and, for comparison, on pixels and on the same number of random sigmoid units.

Deviations: weights are not tied, and Adam is used instead of plain gradient descent. The papers
evaluate stacks that are fine-tuned with labels, whereas single-layer codes without fine-tuning are
evaluated here.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import LEAST_COMPARED, Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import prefixed

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from keras.optimizers import Adam
from scipy.ndimage import grey_closing
from sklearn.linear_model import Ridge

from keras_gen.autoencoders import Autoencoder, DenoisingAutoencoder
from keras_gen.data import small_images
from keras_gen.files.images import flat_pixels
from keras_gen.metrics import linear_probe, psnr
from keras_gen.networks import mlp_networks, one_layer_networks
from keras_gen.workshop.baselines import BoostedDenoiser
from keras_gen.workshop.visualize import denoised, unit_filters

FITTED = 10_000  # number of training digits to which the boosted trees are fitted


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    LEAST = ShortStepSettings.LEAST | {"probe_labels": 10}

    images: Path | None = None  # Your own image folder, with or without class subfolders
    corruption: Literal["masking", "salt_and_pepper", "gaussian"] = "masking"
    """Corruption used to train the main model, which is exported; models are also trained with the
    other corruptions."""
    amount: float = 0.25
    """Fraction of pixels that the main model's corruption changes; for gaussian, the standard
    deviation of the noise as a fraction of the pixel range."""
    hidden: int = 1000  # Number of sigmoid units in the code layer, the only hidden layer
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    probe_labels: int = 10_000
    """Maximum number of labeled training digits for the linear classifier."""
    boosted: int = 500_000  # Number of pixels used to train the boosted trees, a baseline
    random_gain: float = 16.0
    """Scale of the weights of the random units, a baseline; with 1, the units are nearly linear."""


PRESETS = {
    "smoke": dict(hidden=50, epochs=2, steps_per_epoch=50, batch_size=50, probe_labels=200,
                  boosted=2000),
    "cpu": dict(epochs=12, steps_per_epoch=600, batch_size=100, grid_every=4,
                steps_per_execution=100),
    "paper": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = small_images("mnist", labels=True, images=s.images)
    data = run.load(data, train=s.batch_size, test=LEAST_COMPARED)
    train, train_labels = data.train.arrays()
    test, test_labels = data.test.arrays()

    amounts = {"masking": 0.25, "salt_and_pepper": 0.25, "gaussian": 0.5}
    amounts[s.corruption] = s.amount
    denoisers = {}
    with run.strategy.scope():
        for corruption, amount in amounts.items():
            encoder, decoder = one_layer_networks(latent_dim=s.hidden)
            model = DenoisingAutoencoder(
                encoder, decoder, corruption=corruption, amount=amount, seed=s.seed
            )
            denoisers[corruption] = model
        encoder, decoder = one_layer_networks(latent_dim=s.hidden)
        plain = Autoencoder(encoder, decoder, seed=s.seed)
        for model in (*denoisers.values(), plain):
            run.compile(model, Adam(run.in_halves(s.learning_rate)))
        encoder, decoder = mlp_networks(
            latent_dim=s.hidden,
            hidden=(),
            output_activation="sigmoid",
            output_gain=s.random_gain,
        )
        untrained = Autoencoder(encoder, decoder)

    # Each step: one joint update of the encoder and the decoder.
    main_model = denoisers[s.corruption]
    draw = partial(denoised, images=test[:16])
    run.fit(main_model, data.train, draw)
    run.export(main_model, half=True)
    for corruption, model in denoisers.items():
        if model is not main_model:
            run.fit(model, data.train, draw, part=corruption)
    run.fit(plain, data.train, part="plain")

    # Fit the baselines, which map corrupted pixels to clean pixels.
    regressions = {}
    trees = {}
    for corruption, model in denoisers.items():
        clean = model.prepare(train).numpy()
        corrupted = model.corrupt(clean).numpy()
        flat = corrupted.reshape(len(train), -1)
        regressions[corruption] = Ridge().fit(flat, flat_pixels(train))
        few = slice(FITTED)
        trees[corruption] = BoostedDenoiser(corrupted[few], clean[few], s.boosted, seed=s.seed)

    with run.evaluation(main_model) as metrics:
        for corruption, model in denoisers.items():
            run.draw(f"filters-{corruption}", unit_filters(model))
            run.draw(f"sample_grid-{corruption}", denoised(model, test[:16]))
            gains = psnr_gains(model, regressions[corruption], trees[corruption], test)
            metrics |= prefixed(f"{corruption}_", gains)
        run.draw("filters-plain", unit_filters(plain))

        count = min(s.probe_labels, len(train))
        encoders = {corruption: model.encode for corruption, model in denoisers.items()}
        encoders |= {"plain": plain.encode, "random": untrained.encode, "pixels": flat_pixels}
        for name, encode in encoders.items():
            run.say(f"classifying the codes of {name} with {count} labels")
            accuracies = linear_probe(
                encode(train),
                train_labels,
                encode(test),
                test_labels,
                counts=[count],
                seed=s.seed,
            )
            metrics[f"{name}_probe"] = 100 * accuracies[count]


def psnr_gains(model, regression, trees, test):
    """Returns how much a model and three baselines increase the PSNR of corrupted digits."""
    corrupted = model.corrupt(model.prepare(test)).numpy()
    before = mean_psnr(model, corrupted, test)
    predicted = regression.predict(corrupted.reshape(len(test), -1)).reshape(test.shape)
    closed = grey_closing(corrupted, (1, 3, 3, 1))
    return {
        "gain": mean_psnr(model, model(corrupted), test) - before,
        "trees_gain": mean_psnr(model, trees(corrupted).astype("float32"), test) - before,
        "ridge_gain": mean_psnr(model, predicted, test) - before,
        "closing_gain": mean_psnr(model, closed, test) - before,
    }


def mean_psnr(model, images, originals):
    """Returns the mean PSNR of float images.

    For a perfectly restored digit, an error of one level in one value is assumed.
    """
    most = 10 * np.log10(255**2 * originals[0].size)
    values = psnr(model.restore(images).numpy(), originals)
    return float(np.minimum(values, most).mean())


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
