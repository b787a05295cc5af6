"""Deep autoencoders with codes of 2, 5, 10 and 30 dimensions on MNIST, against PCA.

Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006: a
deep autoencoder, 784-1000-500-250-d and back with a linear code, keeps more of a digit than the
first d principal components do, and its plane of two separates the digits better (their fig. 3).
The main model, which is exported, is that of 2. What an autoencoder does not give is shown too:
decoded random codes are no digits, which is why variational autoencoders exist.

Deviations: trained as a whole by Adam from random weights, where the paper pretrains a stack of
restricted Boltzmann machines and then uses conjugate gradients; its fine-tuning's cross-entropy is
the loss here too. The preset cpu takes a smaller network of rectified linear units.

  python recipes/code_sizes_mnist.py                  about 4 minutes on two CPU cores
  python recipes/code_sizes_mnist.py --preset smoke   under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from typing import Literal

import keras
import numpy as np

from keras_gen.autoencoders import Autoencoder
from keras_gen.baselines import PrincipalComponents
from keras_gen.data import small_images
from keras_gen.media.images import flat_pixels, grid
from keras_gen.metrics import knn_accuracy, squared_error
from keras_gen.networks import mlp_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import code_scatter, line_plot, random_codes, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    hidden: Literal["1000-500-250", "512-256-128", "64-32"] = "1000-500-250"
    """Units of the encoder's hidden layers; the decoder mirrors them."""
    activation: Literal["sigmoid", "relu"] = "sigmoid"  # Of the hidden layers; sigmoid in the paper
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half and then linear to zero


PRESETS = {
    "smoke": dict(hidden="64-32", activation="relu", epochs=2, steps_per_epoch=20, batch_size=32),
    "cpu": dict(
        hidden="512-256-128", activation="relu", epochs=20, steps_per_epoch=600, batch_size=100,
        grid_every=5, steps_per_execution=100,
    ),
    "paper": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20),
}  # fmt: skip

SIZES = (2, 5, 10, 30)


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    (train, train_labels), (test, labels) = data.train.arrays(), data.test.arrays()
    first = [np.flatnonzero(labels == digit)[0] for digit in range(10)]
    hidden = tuple(map(int, s.hidden.split("-")))
    models = {}
    with run.strategy.scope():
        for size in SIZES:
            networks = mlp_networks(latent_dim=size, hidden=hidden, activation=s.activation)
            models[size] = Autoencoder(*networks, seed=s.seed)
            run.compile(models[size], keras.optimizers.Adam(run.in_halves(s.learning_rate)))
    for size in SIZES[1:]:
        run.fit(models[size], data.train, part=f"code_{size}")
    run.fit(models[2], data.train, lambda model: reconstructions(model, test[first]))

    with run.evaluation(models[2]) as metrics:
        pca, floats = PrincipalComponents(train, max(SIZES)), flat_pixels(test).reshape(test.shape)
        rows, of_pca, planes = [test[first]], [], {}
        for size, model in models.items():
            metrics[f"error_{size}"] = squared_error(model.reconstruct(floats), floats).mean()
            rows.append(model.reconstruct(test[first]))
            back = pca.reconstruct(test, size)
            metrics[f"pca_error_{size}"] = squared_error(back, floats).mean()
            of_pca.append(model.restore(back[first]))
        for coder, name, key in ((models[2], "autoencoder", "knn_2"), (pca, "PCA", "pca_knn_2")):
            known, planes[name] = (coder.encode(images)[:, :2] for images in (train, test))
            metrics[key] = knn_accuracy(known, train_labels, planes[name], labels)
        run.draw("sample_grid", grid(np.concatenate(rows + of_pca), columns=10))
        run.draw("codes", code_scatter(planes, labels))
        lines = {
            name: (SIZES, [metrics[f"{key}{size}"] for size in SIZES])
            for name, key in (("autoencoder", "error_"), ("PCA", "pca_error_"))
        }
        run.draw("errors", line_plot(lines, "code size", "squared error per digit", log_x=True))
        codes = models[max(SIZES)].encode(train)
        run.draw("random_codes", random_codes(models[max(SIZES)], codes))
    run.export(models[2])


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
