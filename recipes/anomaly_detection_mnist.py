"""Anomaly detection with autoencoders: what is unlike the training data is reconstructed badly.

An, Cho: "Variational Autoencoder based Anomaly Detection using Reconstruction Probability", SNU
Data Mining Center, special lecture on IE 2015-1, whose MNIST experiment is taken: each of the ten
digits in turn is the anomaly, a model is trained on the other nine, and the test set's normal and
anomalous digits are told apart by score. Here the model is their baseline, the plain autoencoder,
and the score its squared error. The other common protocol is the reverse, one class normal and
nine anomalous, which is easier for most digits: figures of the two cannot be compared. The main
model is trained on Fashion-MNIST and tells its test images from the digits of MNIST.

The threshold is the 0.99 quantile of the scores of the last twelfth of the normal training
images, which no model is trained on; no anomaly is needed for it. The number of codes was chosen
on the last 10,000 training digits, with 1, 2 and 7 as anomalies. A code that is large enough to
reconstruct all images finds no anomaly; nor does the error find what is easy to draw: the AUROC
of the digit 1 lies below 0.5, that of chance, and the 9, which is drawn like a 4 or a 7, has the
next lowest.

  python recipes/anomaly_detection_mnist.py                    about 8 minutes on two CPU cores
  python recipes/anomaly_detection_mnist.py --preset smoke     under a minute

Data: fashion_mnist and mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses

import keras
import numpy as np

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import Sets, Source, small_images
from keras_gen.images import grid, write_png
from keras_gen.losses.likelihoods import Normal
from keras_gen.metrics import auroc
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.results import Figure, Published
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import line_plot, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    """Settings of the anomaly detectors."""

    latent_dim: int = 8
    """Number of codes: few, so that only what is common can be reconstructed."""
    hidden: int = 400
    """Units of the encoder's first layer and the decoder's last; the ones between have half."""
    learning_rate: float = 1e-3
    """Adam's rate."""
    quantile: float = 0.99
    """Fraction of the held-out normal images that lie below the threshold."""
    digit_epochs: int = 15
    """Epochs of each of the ten models of nine digits."""


PRESETS = {
    "smoke": dict(
        hidden=32, epochs=2, steps_per_epoch=20, batch_size=50, digit_epochs=1,
        steps_per_execution=20,
    ),
    "cpu": dict(
        epochs=20, steps_per_epoch=500, batch_size=100, grid_every=5, digit_epochs=15,
        steps_per_execution=100,
    ),
    "paper": dict(
        epochs=100, steps_per_epoch=500, batch_size=100, grid_every=10, digit_epochs=100
    ),
}  # fmt: skip

RESULTS = Published(
    system="Autoencoder, anomaly detection",
    family="autoencoders",
    paper="An & Cho 2015, SNUDM-TR-2015-03, its protocol on MNIST with an autoencoder",
    dataset="Fashion-MNIST, MNIST",
    train_size=(60_000, 60_000),
    figures=(
        Figure("auroc_mnist", "AUROC, Fashion-MNIST normal, MNIST anomalous", "",
               higher_is_better=True, tolerance=0.01),
        Figure("flagged_fashion", "Fashion-MNIST test images above the 0.99 threshold", "%",
               tolerance=0.5, given={"quantile": 0.99}),
        Figure("caught_mnist", "MNIST test images above it", "%", higher_is_better=True,
               tolerance=15, given={"quantile": 0.99}),
        Figure("auroc_mean", "AUROC, one digit anomalous, mean of the ten", "",
               higher_is_better=True, tolerance=0.03),
        Figure("auroc_best", "AUROC of the ten, the highest", "", higher_is_better=True,
               tolerance=0.02),
        Figure("auroc_digit_1", "AUROC, digit 1 anomalous", "", higher_is_better=True,
               tolerance=0.1),
        Figure("flagged_mean", "normal test digits above the 0.99 threshold, mean of the ten", "%",
               tolerance=0.5, given={"quantile": 0.99}),
        Figure("caught_mean", "anomalous test digits above it, mean of the ten", "%",
               higher_is_better=True, tolerance=6, given={"quantile": 0.99}),
    ),
)  # fmt: skip

ALARMS = np.linspace(0, 1, 21)  # where the curves of detected against false alarms are drawn


def main(argv=None):
    """Trains, draws, measures and exports."""
    run = Run(__file__, Settings, PRESETS, __doc__, argv)
    s = run.settings
    data = Sets(fashion=small_images("fashion_mnist"), mnist=small_images("mnist", labels=True))
    run.describe_data(data)
    fashion, fashion_test = data.train_fashion.arrays(), data.test_fashion.arrays()
    digits, labels = data.train_mnist.arrays()
    digits_test, labels_test = data.test_mnist.arrays()

    def parts(images):
        """What is trained on, and what the threshold is taken from."""
        cut = len(images) * 11 // 12
        return Source(images[:cut]), images[cut:]

    def build():
        sizes = (s.hidden, s.hidden // 2)
        options = dict(latent_dim=s.latent_dim, activation="relu")
        with run.strategy.scope():
            model = Autoencoder(
                mlp_encoder(hidden=sizes, **options),
                mlp_decoder(hidden=sizes[::-1], **options),
                likelihood=Normal(scale=1.0), seed=s.seed,
            )  # fmt: skip
            model.compile(
                keras.optimizers.Adam(s.learning_rate), steps_per_execution=s.steps_per_execution
            )
        return model

    def measure(model, held_out, normal, anomalous):
        """The figures of one detector; shares in percent."""
        limit = model.threshold(held_out, s.quantile)
        low, high = model.score(normal), model.score(anomalous)
        curve = [float((high > np.quantile(low, q)).mean()) for q in 1 - ALARMS]
        return {
            "auroc": auroc(np.r_[low, high], np.arange(len(low) + len(high)) >= len(low)),
            "flagged": 100 * float((low > limit).mean()),
            "caught": 100 * float((high > limit).mean()),
            "curve": curve,
        }

    def without(digit):
        keras.utils.set_random_seed(s.seed)
        source, held_out = parts(digits[labels != digit])
        model = build()
        model.fit(
            source.stream(s.batch_size, s.seed), epochs=s.digit_epochs,
            steps_per_epoch=s.steps_per_epoch, verbose=0,
        )  # fmt: skip
        anomalous = labels_test == digit
        return measure(model, held_out, digits_test[~anomalous], digits_test[anomalous])

    model = build()
    source, held_out = parts(fashion)

    def stream(start):
        return source.stream(s.batch_size, s.seed, start)

    def sample_grid(model):
        """The least and the most anomalous test images of either set, above what is made."""
        rows = []
        for images in (fashion_test, digits_test):
            order = np.argsort(model.score(images))
            for part in (order[:12], order[-12:]):
                rows += [images[part], model.reconstruct(images[part])]
        return grid(np.concatenate(rows), 12)

    def evaluate(model, directory):
        write_png(directory / "sample_grid.png", sample_grid(model))
        main_model = measure(model, held_out, fashion_test, digits_test)
        ten = [run.once(f"without digit {n}", lambda n=n: without(n)) for n in range(10)]
        lines = {
            f"digit {n} ({found['auroc']:.2f})": (ALARMS, found["curve"])
            for n, found in enumerate(ten)
        }
        roc = line_plot(lines, "normal test images flagged (share)", "anomalies flagged (share)")
        write_png(directory / "roc.png", roc)
        aurocs = [found["auroc"] for found in ten]
        return {
            "auroc_mnist": main_model["auroc"],
            "flagged_fashion": main_model["flagged"],
            "caught_mnist": main_model["caught"],
            "auroc_mean": float(np.mean(aurocs)),
            "auroc_best": max(aurocs),
            "flagged_mean": float(np.mean([found["flagged"] for found in ten])),
            "caught_mean": float(np.mean([found["caught"] for found in ten])),
            **{f"auroc_digit_{n}": value for n, value in enumerate(aurocs)},
        }

    run.fit(model, stream, lambda model: reconstructions(model, fashion_test[:12]))
    run.finish(model, evaluate, data.record())


if __name__ == "__main__":
    run_recipe(main)
