"""Anomaly detection with autoencoders: what is unlike the training data is reconstructed badly.

An, Cho: "Variational Autoencoder based Anomaly Detection using Reconstruction Probability", SNU
Data Mining Center, special lecture on IE 2015-1, whose MNIST experiment is taken: each of the ten
digits in turn is the anomaly, a model is trained on the other nine, and the test set's normal and
anomalous digits are told apart by score. They report the AUROC of each digit for their variational
autoencoder and for baselines, all of other networks than here, so no value is held against ours.
Here the model is one of these baselines, the plain autoencoder, and the score its squared error.
The other common protocol, one class normal and nine anomalous, is easier for most digits. The main
model is trained on Fashion-MNIST and tells its test images from the digits of MNIST.

The threshold is the 0.99 quantile of the scores of the last twelfth of the normal training images,
which no model is trained on. The code's size was chosen on the last 10,000 training digits, with 1,
2 and 7 as anomalies. A large code finds no anomaly; nor does the error find what is easy to draw:
the AUROC of the digit 1 lies below that of chance. Two other scores need no training: the squared
error of as many principal components, and the distance to the nearest training image.

  python recipes/anomaly_detection_mnist.py                    about 5 minutes on two CPU cores
  python recipes/anomaly_detection_mnist.py --preset smoke     under a minute

Data: fashion_mnist and mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses

import keras
import numpy as np

from keras_gen.autoencoders import Autoencoder
from keras_gen.baselines import PrincipalComponents
from keras_gen.data import Sets, Source, small_images
from keras_gen.losses.likelihoods import Normal
from keras_gen.metrics import auroc, nearest_neighbors, squared_error
from keras_gen.networks import mlp_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import anomalies, line_plot, reconstructions

ALARMS = np.linspace(0, 1, 21)  # where the curves of detected against false alarms are drawn


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 8  # Dimensions of the code: few, so that only the common is reconstructed
    hidden: int = 400  # Units of the encoder's first layer; the second has half as many
    learning_rate: float = 1e-3  # Adam's rate
    quantile: float = 0.99  # Fraction of the held-out normal images that lie below the threshold
    digit_epochs: int = 15  # Epochs of each of the ten models of nine digits
    neighbors: int = 10_000  # Training images of which the nearest is looked for


PRESETS = {
    "smoke": dict(hidden=32, epochs=2, steps_per_epoch=20, batch_size=50, digit_epochs=1,
                  neighbors=500, steps_per_execution=20),
    "cpu": dict(epochs=20, steps_per_epoch=500, batch_size=100, grid_every=5,
                steps_per_execution=100),
    "paper": dict(epochs=100, steps_per_epoch=500, batch_size=100, grid_every=10, digit_epochs=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    sets = dict(fashion=small_images("fashion_mnist"), mnist=small_images("mnist", labels=True))
    data = run.load(Sets(**sets))
    digits, test_digits = data.train_mnist.arrays(), data.test_mnist.arrays()
    clothes, test_clothes = data.train_fashion.arrays(), data.test_fashion.arrays()
    model = build(run, s)
    train, held_out = parts(clothes)
    run.fit(model, Source(train), lambda model: reconstructions(model, test_clothes[:12]))

    with run.evaluation(model) as metrics:
        found = measure(model, s, train, held_out, test_clothes, test_digits[0])
        names = {key: f"{key}_mnist" for key in ("auroc", "auroc_pca", "auroc_neighbor", "caught")}
        names["flagged"] = "flagged_fashion"
        metrics |= {name: found[key] for key, name in names.items()}
        ten = [
            run.once(f"without digit {digit}", nine_digits, run, s, digit, digits, test_digits)
            for digit in range(10)
        ]
        metrics |= {f"{key}_mean": np.mean([found[key] for found in ten]) for key in names}
        metrics |= {f"auroc_digit_{digit}": found["auroc"] for digit, found in enumerate(ten)}
        metrics["auroc_best"] = max(found["auroc"] for found in ten)
        lines = {f"digit {n} ({x['auroc']:.2f})": (ALARMS, x["curve"]) for n, x in enumerate(ten)}
        run.draw("roc", line_plot(lines, "false alarms (fraction)", "detected (fraction)"))
        run.draw("sample_grid", anomalies(model, test_clothes, test_digits[0]))
    run.export(model)


def parts(images):
    """What is trained on, and what the threshold is taken from."""
    cut = len(images) * 11 // 12
    return images[:cut], images[cut:]


def build(run, s):
    """A detector."""
    with run.strategy.scope():
        networks = mlp_networks((28, 28, 1), s.latent_dim, (s.hidden, s.hidden // 2), "relu")
        model = Autoencoder(*networks, likelihood=Normal(scale=1.0), seed=s.seed)
        run.compile(model, keras.optimizers.Adam(s.learning_rate))
    return model


def nine_digits(run, s, digit, train, test):
    """The figures of a detector that never saw one digit."""
    keras.utils.set_random_seed(s.seed)
    model, (known, held_out) = build(run, s), parts(train[0][train[1] != digit])
    steps = dict(epochs=s.digit_epochs, steps_per_epoch=s.steps_per_epoch)
    model.fit(Source(known).stream(s.batch_size, s.seed), **steps, verbose=0)
    normal, anomalous = test[0][test[1] != digit], test[0][test[1] == digit]
    return measure(model, s, known, held_out, normal, anomalous)


def measure(model, s, train, held_out, normal, anomalous):
    """The figures of one detector: fractions in percent, and its curve at `ALARMS`."""
    limit, pca = model.threshold(held_out, s.quantile), PrincipalComponents(train, s.latent_dim)
    low, high = model.score(normal), model.score(anomalous)
    both = np.concatenate([normal, anomalous])
    scores = {
        "auroc": np.r_[low, high],
        "auroc_pca": squared_error(pca.reconstruct(both), both),
        "auroc_neighbor": nearest_neighbors(both, train[: s.neighbors])[0][:, 0],
    }
    is_anomaly = np.arange(len(both)) >= len(low)
    return {key: auroc(score, is_anomaly) for key, score in scores.items()} | {
        "flagged": 100 * float((low > limit).mean()),
        "caught": 100 * float((high > limit).mean()),
        "curve": [float((high > np.quantile(low, q)).mean()) for q in 1 - ALARMS],
    }


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
