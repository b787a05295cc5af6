"""Deep autoencoders with codes of 2, 5, 10 and 30 numbers on MNIST, against PCA.

Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006: a
deep autoencoder, 784-1000-500-250-d and back with a linear code, keeps more of a digit in d numbers
than the first d principal components do, and its plane of two separates the digits better (their
fig. 3). The main model, which is exported, is that of 2. What an autoencoder does not give is shown
too: decoded random codes are no digits, which is why variational autoencoders exist.

Deviations: trained as a whole by Adam from random weights, where the paper pretrains a stack of
restricted Boltzmann machines and then uses conjugate gradients; its fine-tuning's cross-entropy is
the loss here too. The preset cpu takes a smaller network of rectified linear units.

  python recipes/code_sizes_mnist.py                  about 6 minutes on two CPU cores
  python recipes/code_sizes_mnist.py --preset smoke   under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from typing import Literal

import keras
import numpy as np
from sklearn.decomposition import PCA

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import small_images
from keras_gen.images import grid, write_png
from keras_gen.metrics import knn_accuracy, squared_error
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.results import Figure, Published
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.training import ConstantThenLinear
from keras_gen.visualize import code_scatter, line_plot, random_codes, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    """Settings of the autoencoders of several code sizes."""

    hidden: Literal["1000-500-250", "512-256-128", "64-32"] = "1000-500-250"
    """Units of the encoder's hidden layers; the decoder mirrors them."""
    activation: Literal["sigmoid", "relu"] = "sigmoid"
    """Of the hidden layers: logistic units in the paper."""
    learning_rate: float = 1e-3
    """Adam's rate in the first half; then it falls to zero in a straight line."""


PRESETS = {
    "smoke": dict(hidden="64-32", activation="relu", epochs=2, steps_per_epoch=20, batch_size=32),
    "cpu": dict(
        hidden="512-256-128",
        activation="relu",
        epochs=20,
        steps_per_epoch=600,
        batch_size=100,
        grid_every=5,
        steps_per_execution=100,
    ),
    "paper": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20),
}

SIZES = (2, 5, 10, 30)
RESULTS = Published(
    system="Deep autoencoders of several code sizes",
    family="autoencoders",
    paper="Hinton & Salakhutdinov 2006, https://doi.org/10.1126/science.1127647, fig. 2B",
    dataset="MNIST",
    train_size=60_000,
    figures=(
        *(
            Figure(
                f"{kind}error_{size}", f"squared error per digit, {text} of {size}", "",
                tolerance=tolerance,
            )
            for size in SIZES
            for kind, text, tolerance in (
                ("", "code", 0.05 * 60 / size**0.5),
                ("pca_", "principal components, code", 0.05),
            )
        ),
        Figure("knn_2", "accuracy of 5 neighbors, code of 2", "", True, tolerance=0.05),
        Figure(
            "pca_knn_2", "accuracy of 5 neighbors, 2 principal components", "", True,
            tolerance=0.005,
        ),
    ),
)  # fmt: skip


def main(argv=None):
    """Trains, draws, measures and exports."""
    run = Run(__file__, Settings, PRESETS, __doc__, argv)
    s = run.settings
    data = small_images("mnist", labels=True)
    run.describe_data(data)
    (train, train_labels), (test, labels) = data.train.arrays(), data.test.arrays()
    first = [np.flatnonzero(labels == digit)[0] for digit in range(10)]
    hidden = tuple(map(int, s.hidden.split("-")))
    # Weights that make up for the flat slope of a sigmoid, which else learns nothing at this depth.
    options = dict(activation=s.activation, gain=4.0 if s.activation == "sigmoid" else 1.0)
    steps = s.epochs * s.steps_per_epoch

    def build(size):
        with run.strategy.scope():
            model = Autoencoder(
                mlp_encoder(latent_dim=size, hidden=hidden, **options),
                mlp_decoder(latent_dim=size, hidden=hidden[::-1], **options),
                seed=s.seed,
            )
            rate = ConstantThenLinear.in_halves(s.learning_rate, steps)
            model.compile(keras.optimizers.Adam(rate), steps_per_execution=s.steps_per_execution)
        return model

    models = {size: build(size) for size in SIZES}

    def stream(start):
        return data.train.stream(s.batch_size, s.seed, start)

    def sample_grid(model):
        return reconstructions(model, test[first])

    def evaluate(model, directory):
        models[2] = model
        flat_train, flat = (x.reshape(len(x), -1) / np.float32(255) for x in (train, test))
        pca = PCA(max(SIZES), svd_solver="covariance_eigh").fit(flat_train)
        scores_train, scores = pca.transform(flat_train), pca.transform(flat)
        rows, of_pca, errors, pca_errors = [test[first]], [], [], []
        for size, network in models.items():
            rows.append(network.reconstruct(test[first]))
            back = network.reconstruct(flat.reshape(test.shape)).reshape(flat.shape)
            errors.append(float(squared_error(back, flat).mean()))
            back = scores[:, :size] @ pca.components_[:size] + pca.mean_
            of_pca.append(network.restore(back[first].reshape(test[first].shape)))
            pca_errors.append(float(squared_error(back, flat).mean()))
        write_png(directory / "sample_grid.png", grid(np.concatenate(rows + of_pca), columns=10))
        lines = {"autoencoder": (SIZES, errors), "PCA": (SIZES, pca_errors)}
        curve = line_plot(lines, "numbers in the code", "squared error per digit", log_x=True)
        write_png(directory / "errors.png", curve)
        planes = {"autoencoder": model.encode(test), "PCA": scores[:, :2]}
        write_png(directory / "codes.png", code_scatter(planes, labels))
        largest = models[max(SIZES)]
        write_png(directory / "random_codes.png", random_codes(largest, largest.encode(train)))
        known = {"autoencoder": model.encode(train), "PCA": scores_train[:, :2]}
        accuracy = [knn_accuracy(known[k], train_labels, planes[k], labels) for k in planes]
        keys = [f"{kind}error_{size}" for kind in ("", "pca_") for size in SIZES]
        return dict(
            zip([*keys, "knn_2", "pca_knn_2"], [*errors, *pca_errors, *accuracy], strict=True)
        )

    for size in SIZES[1:]:
        run.fit(models[size], stream, part=f"code_{size}")
    run.fit(models[2], stream, sample_grid)
    run.finish(models[2], evaluate, data.record())
    run.say(f"reconstruct: keras-gen apply {run.exported.parent} DIGIT.png -o out.png (28x28)")


if __name__ == "__main__":
    run_recipe(main)
