"""Anomaly detection with autoencoders on MNIST and Fashion-MNIST.

An, Cho: "Variational Autoencoder based Anomaly Detection using Reconstruction Probability", SNU
Data Mining Center, special lecture on IE 2015-1. The recipe repeats the paper's MNIST experiment.
Each of the ten digits is the anomaly once, and a model is trained on the other nine. The AUROC of
each digit measures how well the model's scores separate normal from anomalous test digits.

  python recipes/anomaly_detection_mnist.py                    about 5 minutes on two CPU cores
  python recipes/anomaly_detection_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: an AUROC of 0.989 for digits among clothes (nearest neighbor:
0.978; in histograms of gradients: 0.990) and a mean AUROC of 0.86 over the ten digits (nearest
neighbor: 0.84; in histograms of gradients: 0.89).

The main model is trained on Fashion-MNIST, and separates Fashion-MNIST test images from MNIST
digits. The last twelfth of the normal training images is not used for training; the threshold is
the 0.99 quantile of the scores of these images. The code size was chosen on the last 10,000
training digits with 1, 2, and 7 as anomalies. A large code detects no anomalies. The reconstruction
error also misses anomalies that are easy to reconstruct; the AUROC for the digit 1 is below chance.
Three baselines need no network: the squared error of the same number of principal components, and
the distance to the nearest training image, in pixels and in histograms of gradients.

Deviations: the paper's model is a variational autoencoder. This recipe uses one of the paper's
baselines, the plain autoencoder, scored by its squared error. The networks also differ, so the
results are not compared with the paper's. The other common protocol, with one normal digit and nine
anomalous digits, is easier for most digits.

Data: fashion_mnist and mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import keras
import numpy as np
from sklearn.metrics import roc_auc_score

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import Sets, Source, small_images
from keras_gen.losses.likelihoods import Normal
from keras_gen.metrics import gradient_histograms, nearest_neighbors, squared_error
from keras_gen.networks import mlp_networks
from keras_gen.workshop.baselines import PrincipalComponents
from keras_gen.workshop.visualize import anomalies, line_plot, reconstructions

ALARMS = np.linspace(0, 1, 21)  # false-alarm rates at which detection is plotted


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 8
    """Number of code dimensions; if it is too large, anomalies are also reconstructed well."""
    hidden: int = 400  # Units in the encoder's first layer; the second has half as many
    learning_rate: float = 1e-3  # Adam's learning rate
    quantile: float = 0.99  # Fraction of held-out normal images with scores below the threshold
    digit_epochs: int = 15  # Number of epochs for each of the ten models trained on nine digits
    neighbors: int = 10_000  # Number of training images searched for nearest neighbors


PRESETS = {
    "smoke": dict(hidden=32, epochs=2, steps_per_epoch=20, batch_size=50, digit_epochs=1,
                  neighbors=500, steps_per_execution=20),
    "cpu": dict(epochs=20, steps_per_epoch=500, batch_size=100, grid_every=5,
                steps_per_execution=100),
    "paper": dict(epochs=100, steps_per_epoch=500, batch_size=100, grid_every=10,
                  digit_epochs=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    fashion = small_images("fashion_mnist")
    mnist = small_images("mnist", labels=True)
    data = run.load(Sets(fashion=fashion, mnist=mnist))
    clothes = data.train_fashion.arrays()
    test_clothes = data.test_fashion.arrays()
    labeled_digits = data.train_mnist.arrays()
    test_labeled_digits = data.test_mnist.arrays()
    test_digits, _ = test_labeled_digits

    model = build_detector(run, s)
    train, held_out = split(clothes)
    pca = PrincipalComponents(train, s.latent_dim)

    # Each step: one joint update of the encoder and the decoder.
    run.fit(model, Source(train), partial(reconstructions, images=test_clothes[:12]))
    run.export(model)

    # Train ten more detectors, each without one of the digits.
    reports = []
    for digit in range(10):
        name = f"without digit {digit}"
        arguments = (run, s, digit, labeled_digits, test_labeled_digits)
        reports.append(run.once(name, report_without_digit, *arguments))

    with run.evaluation(model) as metrics:
        found = detector_report(model, pca, s, train, held_out, test_clothes, test_digits)
        metrics["auroc_mnist"] = found["auroc"]
        metrics["auroc_pca_mnist"] = found["auroc_pca"]
        metrics["auroc_neighbor_mnist"] = found["auroc_neighbor"]
        metrics["auroc_gradients_mnist"] = found["auroc_gradients"]
        metrics["caught_mnist"] = found["caught"]
        metrics["flagged_fashion"] = found["flagged"]
        scores = ("auroc", "auroc_pca", "auroc_neighbor", "auroc_gradients", "caught", "flagged")
        for key in scores:
            metrics[f"{key}_mean"] = np.mean([report[key] for report in reports])
        for digit, report in enumerate(reports):
            metrics[f"auroc_digit_{digit}"] = report["auroc"]
        metrics["auroc_best"] = max(report["auroc"] for report in reports)
        lines = {}
        for digit, report in enumerate(reports):
            lines[f"digit {digit} ({report['auroc']:.2f})"] = (ALARMS, report["curve"])
        run.draw("roc", line_plot(lines, "false-alarm rate", "detection rate"))
        shown = {"clothes": test_clothes, "digits": test_digits}
        run.draw("sample_grid", anomalies(model, shown))


def split(images):
    """Returns the training images and the last twelfth, which sets the threshold."""
    cut = len(images) * 11 // 12
    return images[:cut], images[cut:]


def build_detector(run, s):
    """Returns a compiled autoencoder."""
    with run.strategy.scope():
        hidden = (s.hidden, s.hidden // 2)
        encoder, decoder = mlp_networks((28, 28, 1), s.latent_dim, hidden, "relu")
        model = Autoencoder(encoder, decoder, likelihood=Normal(scale=1.0), seed=s.seed)
        run.compile(model, keras.optimizers.Adam(s.learning_rate))
    return model


def report_without_digit(run, s, digit, labeled, test_labeled):
    """Trains a detector on nine digits, and returns its report for the tenth."""
    images, labels = labeled
    test_images, test_labels = test_labeled
    train, held_out = split(images[labels != digit])

    keras.utils.set_random_seed(s.seed)
    model = build_detector(run, s)
    pca = PrincipalComponents(train, s.latent_dim)
    model.fit(
        Source(train).stream(s.batch_size, s.seed),
        epochs=s.digit_epochs,
        steps_per_epoch=s.steps_per_epoch,
        verbose=0,
    )

    normal = test_images[test_labels != digit]
    anomalous = test_images[test_labels == digit]
    return detector_report(model, pca, s, train, held_out, normal, anomalous)


def detector_report(model, pca, s, train, held_out, normal, anomalous):
    """Returns AUROCs, the percentages above the threshold, and the curve at `ALARMS`."""
    threshold = model.threshold(held_out, s.quantile)
    normal_scores = model.score(normal)
    anomalous_scores = model.score(anomalous)

    images = np.concatenate([normal, anomalous])
    is_anomaly = np.arange(len(images)) >= len(normal)
    scores = np.concatenate([normal_scores, anomalous_scores])
    pca_scores = squared_error(pca.reconstruct(images), images)
    distances, _ = nearest_neighbors(images, train[: s.neighbors])
    histograms = gradient_histograms(train[: s.neighbors])
    gradient_distances, _ = nearest_neighbors(gradient_histograms(images), histograms)

    curve = []
    for rate in ALARMS:
        limit = np.quantile(normal_scores, 1 - rate)
        curve.append(float((anomalous_scores > limit).mean()))
    return {
        "auroc": roc_auc_score(is_anomaly, scores),
        "auroc_pca": roc_auc_score(is_anomaly, pca_scores),
        "auroc_neighbor": roc_auc_score(is_anomaly, distances[:, 0]),
        "auroc_gradients": roc_auc_score(is_anomaly, gradient_distances[:, 0]),
        "flagged": 100 * float((normal_scores > threshold).mean()),
        "caught": 100 * float((anomalous_scores > threshold).mean()),
        "curve": curve,
    }


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
