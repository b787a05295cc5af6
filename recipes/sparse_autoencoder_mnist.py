"""Sparse autoencoders on MNIST: each digit may use few of the codes, which become pen strokes.

Ng: "Sparse autoencoder", CS294A lecture notes, 2011: one layer of sigmoid units, and the divergence
KL(0.05 || mean activation) of every unit added to the loss. With it the L1 norm of the codes, and a
plain autoencoder of the same network.

  python recipes/sparse_autoencoder_mnist.py                    about 3 minutes on two CPU cores
  python recipes/sparse_autoencoder_mnist.py --preset smoke     under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The notes report no
number.

Deviations: cross-entropy in the place of the squared error, for which the notes' beta is 3; mean
activations of a batch in the place of the training set's; Adam, with decoupled weight decay, in the
place of L-BFGS.
"""

import dataclasses

import keras

from keras_gen.autoencoders import Autoencoder, SparseAutoencoder
from keras_gen.data import small_images
from keras_gen.images import write_png
from keras_gen.metrics import squared_error
from keras_gen.networks import one_layer_networks
from keras_gen.results import Figure, Published
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.training import ConstantThenLinear
from keras_gen.visualize import filters, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    """Settings of the sparse autoencoders on MNIST."""

    hidden: int = 196
    """Sigmoid units of the one layer of codes."""
    target: float = 0.05
    """Mean activation that the KL penalty asks for: rho."""
    kl_weight: float = 20.0
    """Weight of the KL penalty: beta."""
    l1_weight: float = 1.0
    """Weight of the L1 penalty."""
    weight_decay: float = 0.4
    """Fraction of the weights, but not of the biases, that is subtracted times the rate (AdamW):
    what pixels that are always black are multiplied by fades."""
    learning_rate: float = 1e-3
    """Adam's rate, constant in the first half and then linear to zero."""


PRESETS = {
    "smoke": dict(hidden=25, epochs=2, steps_per_epoch=50, batch_size=50),
    "cpu": dict(
        epochs=30, steps_per_epoch=600, batch_size=100, grid_every=10, steps_per_execution=100
    ),
    "paper": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20),
}

NEAR_ZERO = 0.01
SPARSE = dict(hidden=196, target=0.05)
# Key, name, unit, tolerance.
MEASURES = (
    ("kl_activation", "mean activation, KL to 0.05", "", 0.005),
    ("l1_near_zero", f"fraction of codes below {NEAR_ZERO}, L1", "", 0.05),
    ("plain_activation", "mean activation, plain", "", 0.05),
    ("plain_near_zero", f"fraction of codes below {NEAR_ZERO}, plain", "", 0.05),
    ("kl_error", "squared error per image, KL", "", 1.0),
    ("l1_error", "squared error per image, L1", "", 1.0),
    ("plain_error", "squared error per image, plain", "", 1.0),
)
RESULTS = Published(
    system="Sparse autoencoder",
    family="autoencoders",
    paper="Ng 2011, https://web.stanford.edu/class/cs294a/sparseAutoencoder.pdf",
    dataset="MNIST",
    train_size=60_000,
    figures=tuple(
        Figure(
            key, name, unit, higher_is_better=key.endswith("near_zero"), tolerance=tolerance,
            given=SPARSE,
        )
        for key, name, unit, tolerance in MEASURES
    ),
)  # fmt: skip


def main(argv=None):
    """Trains, draws, measures and exports."""
    run = Run(__file__, Settings, PRESETS, __doc__, argv)
    s = run.settings
    data = small_images("mnist")
    run.describe_data(data)
    test = data.test.arrays()

    def build(kind, **options):
        model = kind(*one_layer_networks(latent_dim=s.hidden), seed=s.seed, **options)
        steps = s.epochs * s.steps_per_epoch
        rate = ConstantThenLinear.in_halves(s.learning_rate, steps)
        optimizer = keras.optimizers.AdamW(rate, weight_decay=s.weight_decay)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        model.compile(optimizer, steps_per_execution=s.steps_per_execution)
        return model

    with run.strategy.scope():
        model = build(SparseAutoencoder, penalty="kl", weight=s.kl_weight, target=s.target)
        others = {
            "l1": build(SparseAutoencoder, penalty="l1", weight=s.l1_weight),
            "plain": build(Autoencoder),
        }

    def stream(start):
        return data.train.stream(s.batch_size, s.seed, start)

    def sample_grid(model):
        return filters(model.encoder.get_weights()[0], (28, 28, 1))

    def evaluate(model, directory):
        write_png(directory / "sample_grid.png", sample_grid(model))
        write_png(directory / "reconstructions.png", reconstructions(model, test[:16]))
        measured = {}
        for name, each in {"kl": model, **others}.items():
            write_png(directory / f"filters-{name}.png", sample_grid(each))
            codes, errors = each.encode(test), squared_error(each.reconstruct(test), test)
            measured[f"{name}_activation"] = float(codes.mean())
            measured[f"{name}_near_zero"] = float((codes < NEAR_ZERO).mean())
            measured[f"{name}_error"] = float(errors.mean())
        return measured

    run.fit(model, stream, sample_grid)
    for name, each in others.items():
        run.fit(each, stream, sample_grid, part=name)
    run.finish(model, evaluate, data.record())


if __name__ == "__main__":
    run_recipe(main)
