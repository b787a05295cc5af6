"""Convolutional autoencoder against a dense one at equal code size, on MNIST and CIFAR-10.

Masci, Meier, Ciresan, Schmidhuber: "Stacked Convolutional Auto-Encoders for Hierarchical Feature
Extraction", ICANN 2011: weights that all places share suit images. The decoder upsamples in two
ways, by transposed convolutions and by resizing before a convolution, which draws no checkerboards
(Odena, Dumoulin, Olah: "Deconvolution and Checkerboard Artifacts", Distill 2016). Six models, one a
network and data set, are trained alike and compared by the squared error of test images, summed
over pixels and channels. It is half of what they minimize. Beside them is PCA with as many
components, clipped to the range of pixels. The main model, which is exported, is that of CIFAR-10
with resizing. Its images are mirrored at random, for PCA too.

Components of small variance are learned last, so it takes many steps to come below PCA: batches are
small, and ELU units, which unlike ReLU have a gradient everywhere, bear a higher learning rate.

Deviations: no pretraining layer by layer, strides in place of pooling, ELU, Adam, and a dense code
in place of maps, so that the code size can be equal.

  python recipes/convolutional_autoencoder_mnist_cifar10.py  # 17 minutes on two CPU cores
  python recipes/convolutional_autoencoder_mnist_cifar10.py --preset smoke  # under a minute

Data: mnist and cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from functools import partial

import keras
import numpy as np

from keras_gen.autoencoders import Autoencoder
from keras_gen.baselines import PrincipalComponents
from keras_gen.data import Sets, random_crop_flip, small_images
from keras_gen.media.images import grid
from keras_gen.metrics import squared_error
from keras_gen.networks import conv_decoder, conv_encoder, mlp_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    mnist_code: int = 32  # Dimensions of the code of a digit
    cifar10_code: int = 128  # Dimensions of the code of a color image
    filters: int = 32  # Channels of the first convolution; the second has twice as many
    hidden: int = 512  # Units of the dense encoder's hidden layer
    learning_rate: float = 2e-3
    """Adam's rate, constant in the first half and then linear to zero; of the dense network half of
    it."""


PRESETS = {
    "smoke": dict(mnist_code=4, cifar10_code=8, filters=4, hidden=16, epochs=2, steps_per_epoch=5,
                  batch_size=32),
    "cpu": dict(epochs=24, steps_per_epoch=500, batch_size=32, steps_per_execution=50),
    "paper": dict(filters=64, epochs=100, steps_per_epoch=500, batch_size=100, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(Sets(mnist=small_images("mnist"), cifar10=small_images("cifar10")))
    digits, photos = data.train_mnist, data.train_cifar10
    mirrored = partial(photos.stream, s.batch_size, s.seed, augment=random_crop_flip(32))
    streams = {"mnist": digits, "cifar10": mirrored}
    tests = {"mnist": data.test_mnist.arrays(), "cifar10": data.test_cifar10.arrays()}
    latent_dims, models = {"mnist": s.mnist_code, "cifar10": s.cifar10_code}, {}
    with run.strategy.scope():
        for name, test in tests.items():
            for network in ("dense", "transposed", "resize"):
                sizes = test.shape[1:], latent_dims[name]
                if network == "dense":
                    rate, networks = s.learning_rate / 2, mlp_networks(*sizes, (s.hidden,), "elu")
                else:
                    rate, options = s.learning_rate, ((s.filters, 2 * s.filters), "elu")
                    decoder = conv_decoder(*sizes, *options, upsampling=network)
                    networks = conv_encoder(*sizes, *options), decoder
                models[name, network] = Autoencoder(*networks, "normal", seed=s.seed)
                run.compile(models[name, network], keras.optimizers.Adam(run.in_halves(rate)))
    main_model = models["cifar10", "resize"]
    for (name, network), model in models.items():
        draw = lambda model: reconstructions(model, tests["cifar10"][:10])  # noqa: E731
        part = {} if model is main_model else dict(part=f"{name}_{network}")
        run.fit(model, streams[name], None if part else draw, **part)

    with run.evaluation(main_model) as metrics:
        rows = {name: [test[:10]] for name, test in tests.items()}
        for (name, network), model in reversed(models.items()):
            found = model.reconstruct(tests[name])
            metrics[f"{name}_{network}"] = squared_error(found, tests[name]).mean()
            rows[name].insert(1, found[:10])
        whole = photos.arrays()
        known = dict(mnist=digits.arrays(), cifar10=np.r_[whole, whole[:, :, ::-1]])
        for name, test in tests.items():
            found = PrincipalComponents(known[name], latent_dims[name]).reconstruct(test)
            metrics[f"{name}_pca"] = squared_error(found.clip(0, 1), test).mean()
        run.draw("sample_grid", grid(np.concatenate(rows["cifar10"]), columns=10))
        run.draw("mnist", grid(np.concatenate(rows["mnist"]), columns=10))
    run.export(main_model)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
