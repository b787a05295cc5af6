"""Deep autoencoder with 30 codes on MNIST, beside PCA and logistic PCA.

Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006: a
784-1000-500-250-30 encoder of logistic units with linear codes, its mirror image, and the
cross-entropy of the pixels. The paper reports the mean squared error of a test digit (the sum over
its 784 pixels between 0 and 1): 3.00 for the autoencoder, 8.01 for logistic PCA and 13.87 for PCA
with 30 components.

  python recipes/deep_autoencoder_mnist.py                       about 25 minutes on two CPU cores
  python recipes/deep_autoencoder_mnist.py --pretrain denoising  the same after greedy pretraining
  python recipes/deep_autoencoder_mnist.py --preset smoke        under a minute

The paper pretrains with restricted Boltzmann machines, because logistic layers of usual first
weights hardly train; here they train from the start, with Adam and initial weights four times as
large (Glorot, Bengio 2010, sec. 4.2), or after pretraining with denoising layers. The preset cpu
decays weights a little, for the test error ends above the training error.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
import functools
from typing import Literal

import keras
import numpy as np
from sklearn.decomposition import PCA

from keras_gen.autoencoders import Autoencoder, pretrain_layers
from keras_gen.data import small_images
from keras_gen.images import write_png
from keras_gen.metrics import squared_error
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.results import Figure, Published
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.training import ConstantThenLinear
from keras_gen.visualize import reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    """Settings of the deep autoencoder."""

    latent_dim: int = 30
    """Number of codes."""
    width: int = 1000
    """Units of the first hidden layer; the others have a half and a quarter of them."""
    activation: Literal["sigmoid", "relu", "tanh"] = "sigmoid"
    """Of the hidden layers; logistic in the paper."""
    pretrain: Literal["none", "denoising"] = "none"
    """Train the layers one after the other first, each as a denoising autoencoder."""
    pretrain_epochs: int = 10
    """Epochs of each layer of the pretraining."""
    weight_decay: float = 0.0
    """Fraction of the weights, but not of the biases, that is subtracted times the rate (AdamW)."""
    learning_rate: float = 1e-3
    """Adam's rate in the first half of the run; it falls to zero in the second."""


PRESETS = {
    "smoke": dict(width=64, latent_dim=8, epochs=2, steps_per_epoch=20, batch_size=50),
    "cpu": dict(
        epochs=220,
        steps_per_epoch=240,
        batch_size=250,
        grid_every=20,
        steps_per_execution=40,
        weight_decay=0.01,
    ),
    "paper": dict(epochs=500, steps_per_epoch=600, batch_size=100, grid_every=50),
}

RESULTS = Published(
    system="Deep autoencoder",
    family="autoencoders",
    paper="Hinton & Salakhutdinov 2006, https://doi.org/10.1126/science.1127647, p. 506",
    dataset="MNIST",
    train_size=60_000,
    figures=tuple(
        Figure(
            key, f"squared error per test digit, {name}", "", paper_value=value,
            tolerance=tolerance,
            given={"latent_dim": 30},
        )
        for key, name, value, tolerance in (
            ("squared_error", "30 codes", 3.00, 0.15),
            ("squared_error_logistic_pca", "logistic PCA, 30 codes", 8.01, 0.1),
            ("squared_error_pca", "PCA, 30 codes", 13.87, 0.01),
        )
    ),
)  # fmt: skip


def main(argv=None):
    """Trains, draws, measures and exports."""
    run = Run(__file__, Settings, PRESETS, __doc__, argv)
    s = run.settings
    data = small_images("mnist")
    run.describe_data(data)
    hidden = (s.width, s.width // 2, s.width // 4)
    # The slope of a sigmoid is a quarter of tanh's.
    options = dict(activation=s.activation, gain=4.0 if s.activation == "sigmoid" else 1.0)
    pca_epochs = max(1, s.epochs // 5)

    def compiled(model, epochs=s.epochs):
        steps = epochs * s.steps_per_epoch
        rate = ConstantThenLinear.in_halves(s.learning_rate, steps)
        optimizer = keras.optimizers.AdamW(rate, weight_decay=s.weight_decay)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        model.compile(optimizer, steps_per_execution=s.steps_per_execution)
        return model

    def stream(start, source=data.train):
        return source.stream(s.batch_size, s.seed, start)

    def train_layer(layer, source, name):
        epochs = min(s.pretrain_epochs, s.epochs)
        compiled(layer, epochs)
        run.fit(layer, functools.partial(stream, source=source), part=name, epochs=epochs)

    with run.strategy.scope():
        model = Autoencoder(
            mlp_encoder(latent_dim=s.latent_dim, hidden=hidden, **options),
            mlp_decoder(latent_dim=s.latent_dim, hidden=hidden[::-1], **options),
            seed=s.seed,
        )
        if s.pretrain == "denoising":
            pretrain_layers(model, data.train, train_layer)
        compiled(model)
        # One linear layer to the codes, and one back to logits.
        logistic_pca = compiled(
            Autoencoder(
                mlp_encoder(latent_dim=s.latent_dim, hidden=()),
                mlp_decoder(latent_dim=s.latent_dim, hidden=()),
                seed=s.seed,
            ),
            pca_epochs,
        )

    test = data.test.arrays()
    run.fit(logistic_pca, stream, part="logistic_pca", epochs=pca_epochs)
    run.fit(model, stream, lambda model: reconstructions(model, test[:20]))

    def evaluate(model, directory):
        write_png(directory / "sample_grid.png", reconstructions(model, test[:20]))
        images = test / np.float32(255)

        def error(reconstructed):
            return float(squared_error(reconstructed.reshape(images.shape), images).mean())

        train, flat = (
            x.reshape(len(x), -1) for x in (data.train.arrays() / np.float32(255), images)
        )
        pca = PCA(s.latent_dim, random_state=s.seed).fit(train)
        return {
            "squared_error": error(model.reconstruct(images)),
            "squared_error_logistic_pca": error(logistic_pca.reconstruct(images)),
            "squared_error_pca": error(pca.inverse_transform(pca.transform(flat))),
        } | model.evaluate(data.test.batches(250), return_dict=True, verbose=0)

    run.finish(model, evaluate, data.record())


if __name__ == "__main__":
    run_recipe(main)
