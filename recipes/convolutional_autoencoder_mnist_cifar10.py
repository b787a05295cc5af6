"""Convolutional autoencoder against a dense one at equal code size, on MNIST and CIFAR-10.

Masci, Meier, Ciresan, Schmidhuber: "Stacked Convolutional Auto-Encoders for Hierarchical Feature
Extraction", ICANN 2011: weights that all places share suit images. The decoder upsamples in two
ways, by transposed convolutions and by resizing before a convolution, which draws no checkerboards
(Odena, Dumoulin, Olah: "Deconvolution and Checkerboard Artifacts", Distill 2016). Six models, one a
network and data set, are trained alike, on the cross-entropy of pixels between 0 and 1, and
compared by the squared error of test images, summed over pixels and channels. The main one, which
is exported, is that of CIFAR-10 with resizing.

Deviations: no pretraining layer by layer, strides in place of pooling, ReLU, Adam, and a dense code
in place of maps, so that the code size can be equal.

  python recipes/convolutional_autoencoder_mnist_cifar10.py  # 12 minutes on two CPU cores
  python recipes/convolutional_autoencoder_mnist_cifar10.py --preset smoke  # under a minute

Data: mnist and cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses

import keras
import numpy as np

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import Sets, small_images
from keras_gen.images import grid, write_png
from keras_gen.metrics import squared_error
from keras_gen.networks import conv_decoder, conv_encoder, mlp_decoder, mlp_encoder
from keras_gen.results import Figure, Published
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.training import ConstantThenLinear
from keras_gen.visualize import reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    """Settings of the convolutional and the dense autoencoders."""

    mnist_code: int = 32
    """Size of the code of a digit."""
    cifar10_code: int = 128
    """Size of the code of a color image."""
    filters: int = 32
    """Channels of the first convolution; the second has twice as many."""
    hidden: int = 512
    """Units of the dense encoder's first layer; the second has half as many."""
    learning_rate: float = 1e-3
    """Adam's rate in the first half; then it falls to zero in a straight line."""


PRESETS = {
    "smoke": dict(
        mnist_code=4, cifar10_code=8, filters=4, hidden=16,
        epochs=2, steps_per_epoch=5, batch_size=32,
    ),
    "cpu": dict(epochs=6, steps_per_epoch=400, batch_size=128, steps_per_execution=50),
    "paper": dict(filters=64, epochs=100, steps_per_epoch=500, batch_size=100, grid_every=10),
}  # fmt: skip

NETWORKS = ("dense", "transposed", "resize")
MAIN = ("cifar10", "resize")
WORDS = {"mnist": "MNIST, code of 32", "cifar10": "CIFAR-10, code of 128"}
SIZES = {"mnist": {"mnist_code": 32}, "cifar10": {"cifar10_code": 128}}
TOLERANCES = {"mnist": 0.3, "cifar10": 2.0}

RESULTS = Published(
    system="Convolutional autoencoder",
    family="autoencoders",
    paper="Masci et al. 2011, https://doi.org/10.1007/978-3-642-21735-7_7",
    dataset="MNIST and CIFAR-10",
    train_size=(60_000, 50_000),
    figures=tuple(
        Figure(
            f"{name}_{network}", f"squared error per image, {WORDS[name]}, {network}", "",
            tolerance=TOLERANCES[name], given=SIZES[name],
        )
        for name in ("cifar10", "mnist")
        for network in reversed(NETWORKS)
    ),
)  # fmt: skip


def main(argv=None):
    """Trains, draws, measures and exports."""
    run = Run(__file__, Settings, PRESETS, __doc__, argv)
    s = run.settings
    data = Sets(mnist=small_images("mnist"), cifar10=small_images("cifar10"))
    run.describe_data(data)
    train = {"mnist": data.train_mnist, "cifar10": data.train_cifar10}
    test = {"mnist": data.test_mnist.arrays(), "cifar10": data.test_cifar10.arrays()}
    codes = {"mnist": s.mnist_code, "cifar10": s.cifar10_code}
    steps = s.epochs * s.steps_per_epoch

    def build(name, network):
        shape, latents = test[name].shape[1:], codes[name]
        with run.strategy.scope():
            if network == "dense":
                hidden = (s.hidden, max(s.hidden // 2, 1))
                encoder = mlp_encoder(shape, latents, hidden, "relu")
                decoder = mlp_decoder(shape, latents, hidden[::-1], "relu")
            else:
                filters = (s.filters, 2 * s.filters)
                encoder = conv_encoder(shape, latents, filters)
                decoder = conv_decoder(shape, latents, filters, upsampling=network)
            # All on the cross-entropy, whose minimum is that of the squared error: the mean.
            model = Autoencoder(encoder, decoder, likelihood="bernoulli", seed=s.seed)
            rate = ConstantThenLinear.in_halves(s.learning_rate, steps)
            model.compile(keras.optimizers.Adam(rate), steps_per_execution=s.steps_per_execution)
        return model

    models = {(name, network): build(name, network) for name in train for network in NETWORKS}

    def sample_grid(model):
        return reconstructions(model, test["cifar10"][:10])

    def evaluate(model, directory):
        models[MAIN] = model
        for name, images in test.items():
            rows = [models[name, network].reconstruct(images[:10]) for network in NETWORKS]
            image = grid(np.concatenate([images[:10], *rows]), columns=10)
            write_png(
                directory / ("sample_grid.png" if name == "cifar10" else f"{name}.png"), image
            )
        return {
            f"{name}_{network}": float(
                squared_error(models[name, network].reconstruct(test[name]), test[name]).mean()
            )
            for name in ("cifar10", "mnist")
            for network in reversed(NETWORKS)
        }

    for (name, network), model in models.items():
        part = "" if (name, network) == MAIN else f"{name}_{network}"

        def stream(start, source=train[name]):
            return source.stream(s.batch_size, s.seed, start)

        run.fit(model, stream, None if part else sample_grid, part=part)
    run.finish(models[MAIN], evaluate, data.record())
    run.say(f"reconstruct: keras-gen apply {run.exported.parent} IMAGE.png -o out.png (32x32)")


if __name__ == "__main__":
    run_recipe(main)
