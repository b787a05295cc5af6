"""Linear autoencoder on MNIST, which finds the principal components.

Baldi, Hornik: "Neural Networks and Principal Component Analysis: Learning from Examples Without
Local Minima", Neural Networks 1989: an autoencoder without hidden layers and activations that
minimizes the squared error spans the subspace of the first principal components, though not by the
components themselves. Measured is the largest principal angle between the two subspaces, and the
squared error per test digit of both (13.87 for PCA with 30 components in Hinton, Salakhutdinov
2006).

  python recipes/linear_autoencoder_mnist.py                    about 6 minutes on two CPU cores
  python recipes/linear_autoencoder_mnist.py --preset smoke     under a minute

Components 30 and 31 of MNIST differ by 4 % in variance, so noisy gradients mix them: a step
takes all digits. Their mean is subtracted first, as in PCA.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses

import keras
import numpy as np
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import small_images
from keras_gen.images import write_png
from keras_gen.losses import Normal
from keras_gen.metrics import squared_error
from keras_gen.networks import linear_networks
from keras_gen.results import Figure, Published
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import filters, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    """Settings of the linear autoencoder."""

    latent_dim: int = 30
    """Number of codes."""
    learning_rate: float = 0.05
    """Of gradient descent with momentum 0.9, for a loss of half the squared error per digit."""


PRESETS = {
    "smoke": dict(latent_dim=2, epochs=2, steps_per_epoch=20, batch_size=1000),
    "cpu": dict(epochs=20, steps_per_epoch=100, batch_size=60_000, grid_every=5),
    "paper": dict(epochs=40, steps_per_epoch=100, batch_size=60_000, grid_every=5),
}

RESULTS = Published(
    system="Linear autoencoder",
    family="autoencoders",
    paper="Baldi & Hornik 1989, https://doi.org/10.1016/0893-6080(89)90014-2; PCA's error: "
    "Hinton & Salakhutdinov 2006",
    dataset="MNIST",
    train_size=60_000,
    figures=(
        Figure(
            "largest_angle", "largest principal angle to PCA's subspace, 30 codes", "degrees",
            tolerance=1.0, given={"latent_dim": 30},
        ),
        Figure(
            "squared_error", "squared error per test digit, 30 codes", "",
            paper_value=13.87, tolerance=0.01, given={"latent_dim": 30},
        ),
        Figure(
            "squared_error_pca", "squared error per test digit, PCA, 30 codes", "",
            paper_value=13.87, tolerance=0.01, given={"latent_dim": 30},
        ),
    ),
)  # fmt: skip


def main(argv=None):
    """Trains, draws, measures and exports."""
    run = Run(__file__, Settings, PRESETS, __doc__, argv)
    s = run.settings
    data = small_images("mnist")
    run.describe_data(data)
    train, test = data.train.arrays(), data.test.arrays()
    # In the model's range, -1 to 1, where a standard deviation of 2 is 1 in units of 255 levels.
    mean = train.mean(axis=0) / 127.5 - 1
    with run.strategy.scope():
        model = Autoencoder(*linear_networks(mean, s.latent_dim), Normal(scale=2.0), seed=s.seed)
        model.compile(
            keras.optimizers.SGD(s.learning_rate, momentum=0.9),
            steps_per_execution=s.steps_per_execution,
        )

    def components(model):
        return model.decoder.get_layer("components").kernel.numpy().T

    def sample_grid(model):
        return filters(components(model), train.shape[1:], s.latent_dim)

    run.fit(model, lambda start: data.train.stream(s.batch_size, s.seed, start), sample_grid)

    def evaluate(model, directory):
        write_png(directory / "sample_grid.png", sample_grid(model))
        write_png(directory / "reconstructions.png", reconstructions(model, test[:20]))
        flat, images = (x.reshape(len(x), -1) / np.float32(255) for x in (train, test))
        pca = PCA(s.latent_dim, random_state=s.seed).fit(flat)
        # Floats, which are neither rounded nor clipped.
        found = (model.reconstruct(test / np.float32(127.5) - 1) + 1).reshape(images.shape) / 2
        return {
            "largest_angle": float(
                np.degrees(subspace_angles(components(model), pca.components_.T).max())
            ),
            "squared_error": float(squared_error(found, images).mean()),
            "squared_error_pca": float(
                squared_error(pca.inverse_transform(pca.transform(images)), images).mean()
            ),
        }

    run.finish(model, evaluate, data.record())


if __name__ == "__main__":
    run_recipe(main)
