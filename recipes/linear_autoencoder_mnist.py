"""Linear autoencoder on MNIST, compared with PCA.

Baldi, Hornik: "Neural Networks and Principal Component Analysis: Learning from Examples Without
Local Minima", Neural Networks 1989.

  python recipes/linear_autoencoder_mnist.py                    about 6 minutes on two CPU cores
  python recipes/linear_autoencoder_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a squared error of 13.868 per test digit (PCA: 13.866; 13.87 for
30 components in Hinton, Salakhutdinov 2006).

An autoencoder without hidden layers or activations that minimizes the squared error spans the
subspace of the first principal components, but its weights are not the components themselves. The
recipe reports the squared error per test digit, and the largest principal angle to PCA's subspace
for

- the decoder, whose columns must span this subspace: `largest_angle_decoder`;
- the encoder's codes of the training digits, as random variables: the cosine of
  `largest_angle_codes` is their smallest canonical correlation with PCA's codes. This angle is the
  angle of the encoder's columns, weighted by the covariance of the digits;
- the encoder's columns: `largest_angle_encoder`. This angle remains large, because training does
  not change the columns in directions in which digits barely vary, such as pixels that are always
  0.

The variances of MNIST's components 30 and 31 differ by only 4%, so noisy gradients mix them.
Therefore, each step uses all digits. As in PCA, the mean digit is subtracted first.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses

import numpy as np
from keras.optimizers import SGD
from scipy.linalg import subspace_angles

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import small_images
from keras_gen.losses import Normal
from keras_gen.metrics import squared_error
from keras_gen.networks import linear_networks
from keras_gen.workshop.baselines import PrincipalComponents
from keras_gen.workshop.visualize import filters, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 30  # Number of code dimensions
    learning_rate: float = 0.05
    """Learning rate for gradient descent with momentum 0.9 on half the squared error per digit."""


PRESETS = {
    "smoke": dict(latent_dim=2, epochs=2, steps_per_epoch=20, batch_size=1000),
    "cpu": dict(epochs=20, steps_per_epoch=100, batch_size=60_000, grid_every=5),
    "paper": dict(epochs=40, steps_per_epoch=100, batch_size=60_000, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist"))
    train = data.train.arrays()
    test = data.test.arrays()

    # In the model's range, -1 to 1, a standard deviation of 2 corresponds to 1 in units of 255
    # levels.
    mean = train.mean(axis=0) / 127.5 - 1
    with run.strategy.scope():
        encoder, decoder = linear_networks(mean, s.latent_dim)
        model = Autoencoder(encoder, decoder, Normal(scale=2.0), seed=s.seed)
        run.compile(model, SGD(s.learning_rate, momentum=0.9))

    # Each step: one joint update of the encoder and the decoder.
    run.fit(model, data.train, draw_filters)
    run.export(model)

    pca = PrincipalComponents(train, s.latent_dim)

    with run.evaluation(model) as metrics:
        pairs = {
            "decoder": (decoder_columns(model), pca.directions.T),
            "codes": (model.encode(train), pca.encode(train)),
            "encoder": (model.encoder.get_layer("codes").kernel.numpy(), pca.directions.T),
        }
        for name, (ours, components) in pairs.items():
            angles = subspace_angles(ours, components)
            metrics[f"largest_angle_{name}"] = np.degrees(angles.max())
        # Keep reconstructions as floats, without rounding or clipping.
        found = (model.reconstruct(test / np.float32(127.5) - 1) + 1) / 2
        metrics["squared_error"] = squared_error(found, test).mean()
        metrics["squared_error_pca"] = squared_error(pca.reconstruct(test), test).mean()
        run.draw("reconstructions", reconstructions(model, test[:20]))


def decoder_columns(model):
    """Returns the decoder's weights, one image per code, as columns `[pixels, codes]`."""
    return model.decoder.get_layer("components").kernel.numpy().T


def draw_filters(model):
    columns = decoder_columns(model)
    return filters(columns, (28, 28, 1), columns.shape[1])


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
