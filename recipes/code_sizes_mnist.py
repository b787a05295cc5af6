"""Deep autoencoders with code sizes 2, 5, 10, and 30 on MNIST, compared with PCA.

Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006. A
deep autoencoder (784-1000-500-250-d and its mirror image, with a linear code) preserves more of a
digit than the first d principal components do, and its two-dimensional codes separate the digits
better (their fig. 3).

  python recipes/code_sizes_mnist.py                  about 4 minutes on two CPU cores
  python recipes/code_sizes_mnist.py --preset smoke   under a minute

Expected result of the cpu preset: a squared error of 26.6 per digit with a 2-dimensional code (PCA:
43.6).

The exported model has a 2-dimensional code. The recipe also shows a limitation of autoencoders:
random codes do not decode to digits, which is why variational autoencoders exist.

Deviations: the networks are trained end to end with Adam from random weights. The paper pretrains a
stack of restricted Boltzmann machines, and then minimizes the cross-entropy with conjugate
gradients. The cross-entropy is also the loss here. The cpu preset uses a smaller ReLU network.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial
from typing import Literal

import numpy as np
from keras.optimizers import Adam
from sklearn.neighbors import KNeighborsClassifier

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import small_images
from keras_gen.files.images import flat_pixels
from keras_gen.metrics import squared_error
from keras_gen.networks import mlp_networks
from keras_gen.workshop.baselines import PrincipalComponents
from keras_gen.workshop.visualize import (
    code_scatter,
    image_rows,
    line_plot,
    random_codes,
    reconstructions,
)

SHAPE = (28, 28, 1)
SIZES = (2, 5, 10, 30)


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    hidden: Literal["1000-500-250", "512-256-128", "64-32"] = "1000-500-250"
    """Units in the encoder's hidden layers; the decoder mirrors these layers."""
    activation: Literal["sigmoid", "relu"] = "sigmoid"
    """Activation function of the hidden layers (paper: sigmoid)."""
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half


PRESETS = {
    "smoke": dict(hidden="64-32", activation="relu", epochs=2, steps_per_epoch=20,
                  batch_size=32),
    "cpu": dict(hidden="512-256-128", activation="relu", epochs=20, steps_per_epoch=600,
                batch_size=100, grid_every=5, steps_per_execution=100),
    "paper": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    train, train_labels = data.train.arrays()
    test, test_labels = data.test.arrays()
    first_of_each_digit = [np.flatnonzero(test_labels == digit)[0] for digit in range(10)]
    shown = test[first_of_each_digit]

    hidden = tuple(map(int, s.hidden.split("-")))
    models = {}
    with run.strategy.scope():
        for size in SIZES:
            encoder, decoder = mlp_networks(SHAPE, size, hidden, s.activation)
            models[size] = Autoencoder(encoder, decoder, seed=s.seed)
            run.compile(models[size], Adam(run.in_halves(s.learning_rate)))

    # Each step: one joint update of the encoder and the decoder.
    for size in SIZES[1:]:
        run.fit(models[size], data.train, part=f"code_{size}")
    run.fit(models[2], data.train, partial(reconstructions, images=shown))
    run.export(models[2])

    pca = PrincipalComponents(train, max(SIZES))

    with run.evaluation(models[2]) as metrics:
        # Keep reconstructions as floats, without rounding to levels.
        floats = flat_pixels(test).reshape(test.shape)
        rows = {"digit": shown}
        pca_rows = {}
        for size, model in models.items():
            metrics[f"error_{size}"] = squared_error(model.reconstruct(floats), floats).mean()
            rows[f"autoencoder, {size}"] = model.reconstruct(shown)
            projected = pca.reconstruct(test, size)
            metrics[f"pca_error_{size}"] = squared_error(projected, floats).mean()
            pca_rows[f"PCA, {size}"] = model.restore(projected[first_of_each_digit]).numpy()
        run.draw("sample_grid", image_rows({**rows, **pca_rows}))

        planes = {}
        for name, coder, key in (
            ("autoencoder", models[2], "knn_2"),
            ("PCA", pca, "pca_knn_2"),
        ):
            train_plane = coder.encode(train)[:, :2]
            planes[name] = coder.encode(test)[:, :2]
            neighbors = KNeighborsClassifier().fit(train_plane, train_labels)
            metrics[key] = neighbors.score(planes[name], test_labels)
        run.draw("codes", code_scatter(planes, test_labels))

        errors = [metrics[f"error_{size}"] for size in SIZES]
        pca_errors = [metrics[f"pca_error_{size}"] for size in SIZES]
        lines = {"autoencoder": (SIZES, errors), "PCA": (SIZES, pca_errors)}
        drawn = line_plot(lines, "code size", "squared error per digit", log_x=True)
        run.draw("errors", drawn)

        largest = models[max(SIZES)]
        run.draw("random_codes", random_codes(largest, largest.encode(train)))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
