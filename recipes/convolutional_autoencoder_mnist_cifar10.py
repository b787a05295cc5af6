"""Convolutional and dense autoencoders on MNIST and CIFAR-10.

Masci, Meier, Ciresan, Schmidhuber: "Stacked Convolutional Auto-Encoders for Hierarchical Feature
Extraction", ICANN 2011. Weights that are shared across all positions suit images.

  python recipes/convolutional_autoencoder_mnist_cifar10.py  # 17 minutes on two CPU cores
  python recipes/convolutional_autoencoder_mnist_cifar10.py --preset smoke  # under a minute

Expected result of the cpu preset: a squared error per photograph of 14.1 with transposed
convolutions and 14.5 with resize convolutions (PCA: 14.5; dense network: 15.0).

The decoder upsamples in two ways: with transposed convolutions, and by resizing before a
convolution, which avoids checkerboard artifacts (Odena, Dumoulin, Olah: "Deconvolution and
Checkerboard Artifacts", Distill 2016). Six models, one per network and dataset, are trained in the
same way with equal code sizes. They are compared by the squared error on test images, summed over
pixels and channels. The loss is half of this error. The baseline is PCA with the same number of
components, clipped to the pixel range. The exported main model uses resizing on CIFAR-10. CIFAR-10
images are randomly mirrored for all methods, including PCA.

Low-variance components are learned last, so it takes many steps to beat PCA. Therefore, batches are
small, and ELU units, which unlike ReLU have a gradient everywhere, permit a higher learning rate.

Deviations: no layer-wise pretraining; strides instead of pooling; ELU; Adam; and a dense code
instead of feature maps, which makes equal code sizes possible.

Data: mnist and cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import Sets, random_crop_flip, small_images
from keras_gen.metrics import squared_error
from keras_gen.networks import conv_decoder, conv_encoder, mlp_networks
from keras_gen.workshop.baselines import PrincipalComponents
from keras_gen.workshop.visualize import image_rows, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    mnist_code: int = 32  # Number of dimensions of a digit's code
    cifar10_code: int = 128  # Number of dimensions of a color image's code
    filters: int = 32  # Channels of the first convolution; the second has twice as many
    hidden: int = 512  # Units in the dense encoder's hidden layer
    learning_rate: float = 2e-3
    """Adam's learning rate; linear decay to 0 in the second half. The dense network uses half of
    this rate."""


PRESETS = {
    "smoke": dict(mnist_code=4, cifar10_code=8, filters=4, hidden=16, epochs=2,
                  steps_per_epoch=5, batch_size=32),
    "cpu": dict(epochs=24, steps_per_epoch=500, batch_size=32, steps_per_execution=50),
    "paper": dict(filters=64, epochs=100, steps_per_epoch=500, batch_size=100, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(Sets(mnist=small_images("mnist"), cifar10=small_images("cifar10")))
    digits = data.train_mnist.arrays()
    photos = data.train_cifar10.arrays()
    tests = {"mnist": data.test_mnist.arrays(), "cifar10": data.test_cifar10.arrays()}
    latent_dims = {"mnist": s.mnist_code, "cifar10": s.cifar10_code}

    models = {}
    with run.strategy.scope():
        for name, test in tests.items():
            for network in ("dense", "transposed", "resize"):
                shape = test.shape[1:]
                encoder, decoder = build_networks(s, network, shape, latent_dims[name])
                model = Autoencoder(encoder, decoder, "normal", seed=s.seed)
                rate = s.learning_rate / 2 if network == "dense" else s.learning_rate
                run.compile(model, Adam(run.in_halves(rate)))
                models[name, network] = model

    # Each step: one joint update of the encoder and the decoder.
    mirrored = partial(
        data.train_cifar10.stream, s.batch_size, s.seed, augment=random_crop_flip(32)
    )
    run.fit(models["mnist", "dense"], data.train_mnist, part="mnist_dense")
    run.fit(models["mnist", "transposed"], data.train_mnist, part="mnist_transposed")
    run.fit(models["mnist", "resize"], data.train_mnist, part="mnist_resize")
    run.fit(models["cifar10", "dense"], mirrored, part="cifar10_dense")
    run.fit(models["cifar10", "transposed"], mirrored, part="cifar10_transposed")
    main_model = models["cifar10", "resize"]
    run.fit(main_model, mirrored, partial(reconstructions, images=tests["cifar10"][:10]))
    run.export(main_model)

    # Evaluate the baselines.
    mirrored_photos = np.concatenate([photos, photos[:, :, ::-1]])
    components = {
        "mnist": PrincipalComponents(digits, s.mnist_code),
        "cifar10": PrincipalComponents(mirrored_photos, s.cifar10_code),
    }

    with run.evaluation(main_model) as metrics:
        rows = {name: {} for name in tests}
        for (name, network), model in reversed(models.items()):
            found = model.reconstruct(tests[name])
            metrics[f"{name}_{network}"] = squared_error(found, tests[name]).mean()
            rows[name][network] = found[:10]
        for name, test in tests.items():
            found = components[name].reconstruct(test).clip(0, 1)
            metrics[f"{name}_pca"] = squared_error(found, test).mean()
        # Rows: images, and their reconstructions by the dense, transposed, and resize networks.
        for name, image in (("cifar10", "sample_grid"), ("mnist", "mnist")):
            shown = dict(reversed(rows[name].items()))
            run.draw(image, image_rows({"image": tests[name][:10], **shown}))


def build_networks(s, network, shape, latent_dim):
    """Returns a dense or convolutional encoder and decoder, with one way of upsampling."""
    if network == "dense":
        return mlp_networks(shape, latent_dim, (s.hidden,), "elu")
    filters = (s.filters, 2 * s.filters)
    decoder = conv_decoder(shape, latent_dim, filters, "elu", upsampling=network)
    encoder = conv_encoder(shape, latent_dim, filters, "elu")
    return encoder, decoder


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
