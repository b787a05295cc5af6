"""Sparse autoencoders on MNIST.

Ng: "Sparse autoencoder", CS294A lecture notes, 2011. There is one layer of sigmoid units, and the
divergence KL(0.05 || mean activation) of every unit is added to the loss.

  python recipes/sparse_autoencoder_mnist.py                    about 2 minutes on two CPU cores
  python recipes/sparse_autoencoder_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a mean activation of 0.056 with the divergence (without a
penalty: 0.53).

The recipe compares the divergence, the L1 norm of the codes, and a plain autoencoder with the same
network. The notes report no metrics.

Deviations: cross-entropy instead of the squared error, for which the notes set beta to 3; mean
activations over a batch instead of the training set; and Adam with decoupled weight decay instead
of L-BFGS.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from pathlib import Path

from keras.optimizers import AdamW

from keras_gen.autoencoders import Autoencoder, SparseAutoencoder
from keras_gen.data import small_images
from keras_gen.metrics import squared_error
from keras_gen.networks import one_layer_networks
from keras_gen.workshop.visualize import reconstructions, unit_filters


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    images: Path | None = None  # Your own image folder
    hidden: int = 196  # Number of sigmoid units in the code layer, the only hidden layer
    target: float = 0.05  # Target mean activation in the KL penalty, rho
    kl_weight: float = 20.0  # Weight of the KL penalty, beta
    l1_weight: float = 1.0  # Weight of the L1 penalty
    weight_decay: float = 0.4
    """Weight decay of AdamW, multiplied by the learning rate and not applied to biases. Weight
    decay shrinks the weights of pixels that are always black."""
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half


PRESETS = {
    "smoke": dict(hidden=25, epochs=2, steps_per_epoch=50, batch_size=50),
    "cpu": dict(epochs=30, steps_per_epoch=600, batch_size=100, grid_every=10,
                steps_per_execution=100),
    "paper": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", images=s.images), train=s.batch_size)
    test = data.test.arrays()

    with run.strategy.scope():
        networks = one_layer_networks(latent_dim=s.hidden)
        options = dict(penalty="kl", weight=s.kl_weight, target=s.target)
        kl = SparseAutoencoder(*networks, seed=s.seed, **options)
        run.compile(kl, build_optimizer(run, s))

        networks = one_layer_networks(latent_dim=s.hidden)
        l1 = SparseAutoencoder(*networks, seed=s.seed, penalty="l1", weight=s.l1_weight)
        run.compile(l1, build_optimizer(run, s))

        networks = one_layer_networks(latent_dim=s.hidden)
        plain = Autoencoder(*networks, seed=s.seed)
        run.compile(plain, build_optimizer(run, s))

    # Each step: one joint update of the encoder and the decoder.
    run.fit(kl, data.train, unit_filters)
    run.export(kl)
    run.fit(l1, data.train, unit_filters, part="l1")
    run.fit(plain, data.train, unit_filters, part="plain")

    with run.evaluation(kl) as metrics:
        for name, model in (("kl", kl), ("l1", l1), ("plain", plain)):
            codes = model.encode(test)
            errors = squared_error(model.reconstruct(test), test)
            metrics[f"{name}_activation"] = float(codes.mean())
            metrics[f"{name}_near_zero"] = float((codes < 0.01).mean())
            metrics[f"{name}_error"] = float(errors.mean())
            run.draw(f"filters-{name}", unit_filters(model))
        run.draw("reconstructions", reconstructions(kl, test[:16]))


def build_optimizer(run, s):
    """Returns AdamW with weight decay for weights but not for biases."""
    optimizer = AdamW(run.in_halves(s.learning_rate), weight_decay=s.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
