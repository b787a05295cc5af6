"""Deep autoencoder on MNIST with a 30-dimensional code, compared with PCA and logistic PCA.

Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006. The
encoder (784-1000-500-250-30) has logistic units and a linear code, the decoder is its mirror image,
and the loss is the pixel cross-entropy. The paper reports the mean squared error of a test digit,
summed over its 784 pixels in [0, 1]: 3.00 for the autoencoder, 8.01 for logistic PCA, and 13.87 for
PCA with 30 components.

  python recipes/deep_autoencoder_mnist.py                       about 42 minutes on two CPU cores
  python recipes/deep_autoencoder_mnist.py --pretrain denoising  with greedy pretraining
  python recipes/deep_autoencoder_mnist.py --preset smoke        under a minute

Expected result of the cpu preset: a squared error of 2.91 (logistic PCA: 8.04; PCA: 13.87).

The paper pretrains with restricted Boltzmann machines, because logistic layers with standard
initial weights barely train. Here they are trained from scratch, with Adam and initial weights four
times as large (Glorot, Bengio 2010, sec. 4.2), or after pretraining with denoising layers.

The cpu preset uses weight decay, because the final error is higher on held-out digits than on
training digits. The decay is chosen without test digits, by the error of shorter runs on 10,000
held-out training digits; these runs are trained on the other 50,000 digits. In these runs, the
decay is increased in inverse proportion to the number of steps, so that weights shrink by the same
factor. The main model is then trained on all 60,000 digits.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial
from typing import Literal

import numpy as np
from keras.optimizers import AdamW

from keras_gen.autoencoders import Autoencoder, pretrain_layers
from keras_gen.data import small_images
from keras_gen.files.images import flat_pixels
from keras_gen.metrics import squared_error
from keras_gen.networks import mlp_networks
from keras_gen.workshop.baselines import PrincipalComponents
from keras_gen.workshop.visualize import reconstructions

SHAPE = (28, 28, 1)


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 30  # Number of code dimensions
    width: int = 1000
    """Units in the first hidden layer; the next layers have 1/2 and 1/4 as many."""
    activation: Literal["sigmoid", "relu", "tanh"] = "sigmoid"
    """Activation function of the hidden layers (paper: sigmoid)."""
    pretrain: Literal["none", "denoising"] = "none"
    """Pretraining: none, or denoising, which trains each layer in turn as a denoising
    autoencoder."""
    pretrain_epochs: int = 10  # Number of pretraining epochs per layer
    weight_decay: str = "0"
    """Weight decay of AdamW, multiplied by the learning rate and not applied to biases. If several
    values are given, the best is chosen on held-out training digits."""
    choice_epochs: int = 55
    """Number of epochs for each run that compares values of the weight decay."""
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half


PRESETS = {
    "smoke": dict(width=64, latent_dim=8, epochs=2, steps_per_epoch=20, batch_size=50,
                  weight_decay="0 0.01", choice_epochs=1),
    "cpu": dict(epochs=220, steps_per_epoch=240, batch_size=250, grid_every=20,
                steps_per_execution=40, weight_decay="0 0.003 0.01 0.03"),
    "paper": dict(epochs=500, steps_per_epoch=600, batch_size=100, grid_every=50),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist"))
    train = data.train.arrays()
    test = data.test.arrays()

    # Each step here and below: one joint update of the encoder and the decoder.
    candidates = [float(number) for number in s.weight_decay.split()]
    held_out_errors = {}
    if len(candidates) > 1:
        for candidate in candidates:
            held_out_errors[candidate] = held_out_error(run, s, data.train, candidate)
    weight_decay = min(held_out_errors, key=held_out_errors.get, default=candidates[0])

    pca_epochs = max(1, s.epochs // 5)
    with run.strategy.scope():
        model = build_model(s, hidden=(s.width, s.width // 2, s.width // 4))
        logistic_pca = build_model(s, hidden=())
        if s.pretrain == "denoising":
            pretrain_layers(model, data.train, partial(train_layer, run, s))
        compile_for(run, s, model, s.epochs, weight_decay)
        compile_for(run, s, logistic_pca, pca_epochs)
    run.fit(logistic_pca, data.train, part="logistic_pca", epochs=pca_epochs)
    run.fit(model, data.train, partial(reconstructions, images=test[:20]))
    run.export(model, half=True)

    pca = PrincipalComponents(train, s.latent_dim)

    with run.evaluation(model) as metrics:
        # Keep reconstructions as floats, without rounding to levels.
        floats = flat_pixels(test).reshape(test.shape)
        found = {
            "squared_error": model.reconstruct(floats),
            "squared_error_logistic_pca": logistic_pca.reconstruct(floats),
            "squared_error_pca": pca.reconstruct(test),
        }
        for name, images in found.items():
            metrics[name] = squared_error(images, floats).mean()
        metrics |= model.evaluate(data.test.batches(250), return_dict=True, verbose=0)
        metrics["weight_decay"] = weight_decay
        for candidate, error in held_out_errors.items():
            metrics[f"held_out_error_{candidate:g}"] = error


def held_out_error(run, s, source, weight_decay):
    """Trains on five sixths of the examples, and returns the squared error on the rest."""
    known = np.arange(len(source)) % 6 > 0
    train = source.select(known)
    held_out = source.select(~known).arrays()
    epochs = min(s.choice_epochs, s.epochs)
    with run.strategy.scope():
        model = build_model(s, hidden=(s.width, s.width // 2, s.width // 4))
        compile_for(run, s, model, epochs, weight_decay * s.epochs / epochs)
    run.fit(model, train, part=f"weight_decay_{weight_decay:g}", epochs=epochs)
    return float(squared_error(model.reconstruct(held_out), held_out).mean())


def build_model(s, hidden):
    """Returns an autoencoder, which is logistic PCA if there are no hidden layers."""
    encoder, decoder = mlp_networks(SHAPE, s.latent_dim, hidden, s.activation)
    return Autoencoder(encoder, decoder, seed=s.seed)


def compile_for(run, s, model, epochs, weight_decay=0.0):
    """Compiles a model for the given number of epochs."""
    optimizer = AdamW(run.in_halves(s.learning_rate, epochs), weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    run.compile(model, optimizer)


def train_layer(run, s, layer, source, name):
    """Pretrains one layer."""
    epochs = min(s.pretrain_epochs, s.epochs)
    compile_for(run, s, layer, epochs)
    run.fit(layer, source, part=name, epochs=epochs)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
