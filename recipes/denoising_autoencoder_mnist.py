"""Denoising autoencoders on MNIST: digits from corrupted digits, and codes that keep what matters.

Vincent, Larochelle, Bengio, Manzagol: "Extracting and Composing Robust Features with Denoising
Autoencoders", ICML 2008; the corruptions, masking, salt and pepper and Gaussian, are those of
Vincent et al.: "Stacked Denoising Autoencoders", JMLR 2010, sec. 3.3. One layer of sigmoid codes,
more than pixels; a plain autoencoder of the same network for comparison.

  python recipes/denoising_autoencoder_mnist.py                    about 6 minutes on two CPU cores
  python recipes/denoising_autoencoder_mnist.py --preset smoke     under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The papers' numbers are
those of stacks that were fine-tuned with labels; here codes of one layer stay as they are, and a
linear classifier reads them.

Deviations: weights are not tied; Adam in the place of plain gradient descent.
"""

import dataclasses
from typing import Literal

import keras
import numpy as np

from keras_gen.autoencoders import Autoencoder, DenoisingAutoencoder
from keras_gen.data import small_images
from keras_gen.images import grid, write_png
from keras_gen.metrics import linear_probe, psnr
from keras_gen.networks import one_layer_networks
from keras_gen.results import Figure, Published
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.training import ConstantThenLinear
from keras_gen.visualize import filters

# What the models beside the main one train with: fractions of the pixels, a standard deviation.
AMOUNTS = {"masking": 0.25, "salt_and_pepper": 0.25, "gaussian": 0.5}


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    """Settings of the denoising autoencoders on MNIST."""

    corruption: Literal["masking", "salt_and_pepper", "gaussian"] = "masking"
    """Corruption of the main model, which is exported; the others are trained beside it."""
    amount: float = 0.25
    """Fraction of the pixels that the main model's corruption changes; gaussian: its standard
    deviation, in units of the range of a pixel."""
    hidden: int = 1000
    """Sigmoid units of the one layer of codes."""
    learning_rate: float = 1e-3
    """Adam's rate, constant in the first half and then linear to zero."""
    probe_labels: int = 10_000
    """Training digits with a label that the linear classifier of codes learns from."""


PRESETS = {
    "smoke": dict(hidden=50, epochs=2, steps_per_epoch=50, batch_size=50, probe_labels=200),
    "cpu": dict(
        epochs=12, steps_per_epoch=600, batch_size=100, grid_every=4, steps_per_execution=100
    ),
    "paper": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20),
}

GIVEN = dict(corruption="masking", amount=0.25, hidden=1000, probe_labels=10_000)
# Key, name, unit, tolerance.
MEASURES = (
    ("masking_gain", "PSNR gain, 25 % masked", "dB", 0.5),
    ("salt_and_pepper_gain", "PSNR gain, 25 % salt and pepper", "dB", 0.5),
    ("gaussian_gain", "PSNR gain, Gaussian of 0.5", "dB", 0.5),
    ("masking_probe", "linear probe, 10,000 labels, masking", "%", 0.5),
    ("salt_and_pepper_probe", "linear probe, 10,000 labels, salt and pepper", "%", 0.5),
    ("gaussian_probe", "linear probe, 10,000 labels, Gaussian", "%", 0.5),
    ("plain_probe", "linear probe, 10,000 labels, plain", "%", 0.5),
)
RESULTS = Published(
    system="Denoising autoencoder",
    family="autoencoders",
    paper="Vincent et al. 2008, https://doi.org/10.1145/1390156.1390294",
    dataset="MNIST",
    train_size=60_000,
    figures=tuple(
        Figure(key, name, unit, higher_is_better=True, tolerance=tolerance, given=GIVEN)
        for key, name, unit, tolerance in MEASURES
    ),
)


def main(argv=None):
    """Trains, draws, measures and exports."""
    run = Run(__file__, Settings, PRESETS, __doc__, argv)
    s = run.settings
    data = small_images("mnist", labels=True)
    run.describe_data(data)
    (train, train_labels), (test, test_labels) = data.train.arrays(), data.test.arrays()
    amounts = AMOUNTS | {s.corruption: s.amount}

    def build(kind, **options):
        model = kind(*one_layer_networks(latent_dim=s.hidden), seed=s.seed, **options)
        steps = s.epochs * s.steps_per_epoch
        rate = ConstantThenLinear.in_halves(s.learning_rate, steps)
        model.compile(keras.optimizers.Adam(rate), steps_per_execution=s.steps_per_execution)
        return model

    with run.strategy.scope():
        denoising = {
            name: build(DenoisingAutoencoder, corruption=name, amount=amount)
            for name, amount in amounts.items()
        }
        plain = build(Autoencoder)
    main_model = denoising.pop(s.corruption)

    def stream(start):
        return data.train.stream(s.batch_size, s.seed, start)

    def denoise(model, images):
        """Images corrupted by the model's own corruption, the same each time, and denoised."""
        corrupted = model.corrupt(model.prepare(images))
        return model.restore(corrupted).numpy(), model.restore(model(corrupted)).numpy()

    def sample_grid(model):
        return grid(np.concatenate([test[:16], *denoise(model, test[:16])]), columns=16)

    def evaluate(model, directory):
        write_png(directory / "sample_grid.png", sample_grid(model))
        models = {s.corruption: model, **denoising, "plain": plain}
        measured = {}
        for name, each in models.items():
            weights = each.encoder.get_weights()[0]
            write_png(directory / f"filters-{name}.png", filters(weights, (28, 28, 1)))
            if name != "plain":
                write_png(directory / f"sample_grid-{name}.png", sample_grid(each))
                corrupted, denoised = denoise(each, test)
                gain = psnr(denoised, test) - psnr(corrupted, test)
                measured[f"{name}_gain"] = float(gain.mean())
        for name, each in models.items():
            run.say(f"classifying the codes of {name} with {s.probe_labels} labels")
            accuracy = linear_probe(
                each.encode(train), train_labels, each.encode(test), test_labels,
                [s.probe_labels], s.seed,
            )  # fmt: skip
            measured[f"{name}_probe"] = 100 * accuracy[s.probe_labels]
        return measured

    run.fit(main_model, stream, sample_grid)
    for name, model in denoising.items():
        run.fit(model, stream, sample_grid, part=name)
    run.fit(plain, stream, part="plain")
    run.finish(main_model, evaluate, data.record())


if __name__ == "__main__":
    run_recipe(main)
