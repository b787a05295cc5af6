"""Denoising autoencoders on MNIST: digits from corrupted digits, and codes that keep what matters.

Vincent, Larochelle, Bengio, Manzagol: "Extracting and Composing Robust Features with Denoising
Autoencoders", ICML 2008; the corruptions, masking, salt and pepper and Gaussian, are those of
Vincent et al.: "Stacked Denoising Autoencoders", JMLR 2010, sec. 3.3. One layer of sigmoid codes,
more than pixels; a plain autoencoder of the same network for comparison.

  python recipes/denoising_autoencoder_mnist.py                    about 6 minutes on two CPU cores
  python recipes/denoising_autoencoder_mnist.py --preset smoke     under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The papers' numbers are
those of stacks that were fine-tuned with labels; here codes of one layer stay as they are, and a
linear classifier reads them. It reads pixels and as many random sigmoid units for comparison;
beside the gains in PSNR are those of ridge regression on all pixels and, of masking, that of
morphological closing, which fills holes with what is around them.

Deviations: weights are not tied; Adam in the place of plain gradient descent.
"""

import dataclasses
from pathlib import Path
from typing import Literal

import keras
import numpy as np
from scipy.ndimage import grey_closing
from sklearn.linear_model import Ridge

from keras_gen.autoencoders import Autoencoder, DenoisingAutoencoder
from keras_gen.data import small_images
from keras_gen.media.images import flat_pixels
from keras_gen.metrics import linear_probe, psnr
from keras_gen.networks import mlp_networks, one_layer_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import denoised, unit_filters


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    images: Path | None = None  # Your own folder of images, by subfolders of classes
    corruption: Literal["masking", "salt_and_pepper", "gaussian"] = "masking"
    """Corruption of the main model, which is exported; the others are trained beside it."""
    amount: float = 0.25
    """Fraction of the pixels that the main model's corruption changes; gaussian: its standard
    deviation, in units of the range of a pixel."""
    hidden: int = 1000  # Sigmoid units of the one layer of codes
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half and then linear to zero
    probe_labels: int = 10_000  # Labeled training digits that the linear classifier learns from
    random_gain: float = 16.0
    """Factor of the random units' weights, over the usual ones, with which they are nearly linear.
    """


PRESETS = {
    "smoke": dict(hidden=50, epochs=2, steps_per_epoch=50, batch_size=50, probe_labels=200),
    "cpu": dict(
        epochs=12, steps_per_epoch=600, batch_size=100, grid_every=4, steps_per_execution=100
    ),
    "paper": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20),
}


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True, images=s.images))
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
        sigmoid = dict(output_activation="sigmoid", output_gain=s.random_gain)
        untrained = Autoencoder(*mlp_networks(latent_dim=s.hidden, hidden=(), **sigmoid))
    for name, model in sorted(models.items(), key=lambda item: item[0] != s.corruption):
        draw = None if name == "plain" else lambda model: denoised(model, test[:16])
        run.fit(model, data.train, draw, part="" if name == s.corruption else name)

    with run.evaluation(models[s.corruption]) as metrics:
        for name, model in models.items():
            run.draw(f"filters-{name}", unit_filters(model))
            if name != "plain":
                run.draw(f"sample_grid-{name}", denoised(model, test[:16]))
                metrics |= {f"{name}_{k}": v for k, v in gains(model, train, test).items()}
        features = {name: model.encode for name, model in models.items()}
        features |= {"random": untrained.encode, "pixels": flat_pixels}
        for name, encode in features.items():
            run.say(f"classifying the codes of {name} with {s.probe_labels} labels")
            known, held_out = (encode(train), train_labels), (encode(test), test_labels)
            accuracy = linear_probe(*known, *held_out, [s.probe_labels], s.seed)
            metrics[f"{name}_probe"] = 100 * accuracy[s.probe_labels]
    run.export(models[s.corruption], half=True)


def gains(model, train, test):
    """The PSNR that a model, and two methods without a network, add to corrupted digits."""
    known, corrupted = (model.corrupt(model.prepare(digits)).numpy() for digits in (train, test))
    ridge = Ridge().fit(known.reshape(len(train), -1), flat_pixels(train))
    found = {
        "gain": model(corrupted),
        "ridge_gain": ridge.predict(corrupted.reshape(len(test), -1)).reshape(test.shape),
        "closing_gain": grey_closing(corrupted, (1, 3, 3, 1)),
    }
    found["before"] = corrupted
    # A digit that is restored without any error counts as one with one value off by one level.
    most = 10 * np.log10(255**2 * test[0].size)
    mean = {
        key: float(np.minimum(psnr(model.restore(images).numpy(), test), most).mean())
        for key, images in found.items()
    }
    return {key: value - mean["before"] for key, value in mean.items() if key != "before"}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
