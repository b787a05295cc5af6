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

from keras_gen.autoencoders import Autoencoder, DenoisingAutoencoder
from keras_gen.data import small_images
from keras_gen.metrics import linear_probe, psnr
from keras_gen.networks import one_layer_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import denoised, unit_filters


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    corruption: Literal["masking", "salt_and_pepper", "gaussian"] = "masking"
    """Corruption of the main model, which is exported; the others are trained beside it."""
    amount: float = 0.25
    """Fraction of the pixels that the main model's corruption changes; gaussian: its standard
    deviation, in units of the range of a pixel."""
    hidden: int = 1000  # Sigmoid units of the one layer of codes
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half and then linear to zero
    probe_labels: int = 10_000  # Labeled training digits that the linear classifier learns from


PRESETS = {
    "smoke": dict(hidden=50, epochs=2, steps_per_epoch=50, batch_size=50, probe_labels=200),
    "cpu": dict(
        epochs=12, steps_per_epoch=600, batch_size=100, grid_every=4, steps_per_execution=100
    ),
    "paper": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20),
}


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    (train, train_labels), (test, test_labels) = data.train.arrays(), data.test.arrays()
    amounts = {"masking": 0.25, "salt_and_pepper": 0.25, "gaussian": 0.5} | {s.corruption: s.amount}
    models = {}
    with run.strategy.scope():
        for name, amount in amounts.items():
            networks, noise = one_layer_networks(latent_dim=s.hidden), dict(corruption=name)
            models[name] = DenoisingAutoencoder(*networks, **noise, amount=amount, seed=s.seed)
        models["plain"] = Autoencoder(*one_layer_networks(latent_dim=s.hidden), seed=s.seed)
        for model in models.values():
            run.compile(model, keras.optimizers.Adam(run.in_halves(s.learning_rate)))
    for name, model in sorted(models.items(), key=lambda item: item[0] != s.corruption):
        draw = None if name == "plain" else lambda model: denoised(model, test[:16])
        run.fit(model, data.train, draw, part="" if name == s.corruption else name)

    with run.evaluation(models[s.corruption]) as metrics:
        for name, model in models.items():
            run.draw(f"filters-{name}", unit_filters(model))
            if name != "plain":
                run.draw(f"sample_grid-{name}", denoised(model, test[:16]))
                corrupted = model.corrupt(model.prepare(test))
                before, after = model.restore(corrupted), model.restore(model(corrupted))
                gain = psnr(after.numpy(), test) - psnr(before.numpy(), test)
                metrics[f"{name}_gain"] = float(gain.mean())
        for name, model in models.items():
            run.say(f"classifying the codes of {name} with {s.probe_labels} labels")
            known, held_out = (model.encode(train), train_labels), (model.encode(test), test_labels)
            accuracy = linear_probe(*known, *held_out, [s.probe_labels], s.seed)
            metrics[f"{name}_probe"] = 100 * accuracy[s.probe_labels]
    run.export(models[s.corruption])


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
