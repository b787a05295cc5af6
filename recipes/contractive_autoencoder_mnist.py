"""Contractive autoencoder on MNIST: codes that hardly change with the digit, to classify by.

Rifai, Vincent, Muller, Glorot, Bengio: "Contractive Auto-Encoders: Explicit Invariance During
Feature Extraction", ICML 2011: 1,000 sigmoid codes and lambda ||dh/dx||_F^2. A plain autoencoder is
the same with lambda 0. Each encoder, and one of random weights, then becomes a classifier that is
fine-tuned with labels; as in the paper, 10,000 of the training digits are held out for choosing
its epoch. All training digits, without labels, are pretrained on.

  python recipes/contractive_autoencoder_mnist.py                  about 10 minutes on two CPU cores
  python recipes/contractive_autoencoder_mnist.py --preset smoke   under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).

Deviations: weights are not tied; Adam in the place of plain gradient descent; lambda is not
searched, and the rate of fine-tuning was chosen by the 10,000 held-out training digits.
"""

import dataclasses

import keras

from keras_gen.autoencoders import ContractiveAutoencoder
from keras_gen.data import small_images
from keras_gen.images import write_png
from keras_gen.networks import classifier_on, one_layer_networks
from keras_gen.results import Figure, Published
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.training import ConstantThenLinear
from keras_gen.visualize import filters, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    """Settings of the contractive autoencoder on MNIST."""

    hidden: int = 1000
    """Sigmoid units of the one layer of codes."""
    weight: float = 0.1
    """Weight of the squared norm of the Jacobian, in nats: lambda."""
    learning_rate: float = 1e-3
    """Adam's rate, constant in the first half and then linear to zero."""
    tuning_epochs: int = 30
    """Epochs of fine-tuning a classifier, of which the one of best validation is kept."""
    tuning_rate: float = 3e-3
    """Adam's rate while fine-tuning, constant in the first half and then linear to zero."""
    labeled: int = 60_000
    """Training digits with a label, a sixth of which is held out for choosing the epoch."""


PRESETS = {
    "smoke": dict(
        hidden=50, epochs=2, steps_per_epoch=50, batch_size=50, tuning_epochs=2, labeled=3000
    ),
    "cpu": dict(
        epochs=30, steps_per_epoch=600, batch_size=100, grid_every=10, steps_per_execution=100
    ),
    "paper": dict(
        epochs=300, steps_per_epoch=600, batch_size=100, grid_every=30, tuning_epochs=100
    ),
}

# Key, name, unit, the paper's value, tolerance.
MEASURES = (
    ("contractive_test_error", "test error, fine-tuned, contractive", "%", 1.14, 0.25),
    ("plain_test_error", "test error, fine-tuned, plain", "%", 1.78, 0.25),
    ("random_test_error", "test error, without pretraining", "%", None, 0.25),
    ("contractive_norm", "mean ||dh/dx||_F, contractive", "", None, 0.2),
    ("plain_norm", "mean ||dh/dx||_F, plain", "", None, 2.0),
)
RESULTS = Published(
    system="Contractive autoencoder",
    family="autoencoders",
    paper="Rifai et al. 2011, https://icml.cc/2011/papers/455_icmlpaper.pdf, table 1",
    dataset="MNIST",
    train_size=60_000,
    figures=tuple(
        Figure(
            key, name, unit, paper_value=value, tolerance=tolerance,
            given={"hidden": 1000, "weight": 0.1, "labeled": 60_000},
        )
        for key, name, unit, value, tolerance in MEASURES
    ),
)  # fmt: skip


def main(argv=None):
    """Trains, draws, measures and exports."""
    run = Run(__file__, Settings, PRESETS, __doc__, argv)
    s = run.settings
    data = small_images("mnist", labels=True)
    run.describe_data(data)
    test = data.test.arrays()
    labeled = data.train.take(s.labeled)
    count = len(labeled) * 5 // 6
    learned, validation = (
        labeled.select(part).arrays() for part in (slice(count), slice(count, None))
    )

    def build(weight):
        model = ContractiveAutoencoder(
            *one_layer_networks(latent_dim=s.hidden), weight=weight, seed=s.seed
        )
        steps = s.epochs * s.steps_per_epoch
        rate = ConstantThenLinear.in_halves(s.learning_rate, steps)
        model.compile(keras.optimizers.Adam(rate), steps_per_execution=s.steps_per_execution)
        return model

    with run.strategy.scope():
        model, plain = build(s.weight), build(0.0)

    def stream(start):
        return data.train.stream(s.batch_size, s.seed, start)

    def sample_grid(model):
        return filters(model.encoder.get_weights()[0], (28, 28, 1))

    def fine_tuned(encoder):
        keras.utils.set_random_seed(s.seed)
        network = classifier_on(encoder)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        steps = s.tuning_epochs * -(-count // s.batch_size)
        rate = ConstantThenLinear.in_halves(s.tuning_rate, steps)
        network.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
        best = keras.callbacks.EarlyStopping(
            "val_accuracy", mode="max", patience=s.tuning_epochs, restore_best_weights=True
        )
        network.fit(
            *learned, s.batch_size, s.tuning_epochs, verbose=0, callbacks=[best],
            validation_data=validation,
        )  # fmt: skip
        accuracy = network.evaluate(*test, verbose=0)[1]
        return {"test_error": 100 * (1 - accuracy), "epoch": best.best_epoch + 1}

    def evaluate(model, directory):
        measured = {}
        encoders = {"contractive": model.encoder, "plain": plain.encoder}
        keras.utils.set_random_seed(s.seed)
        encoders["random"] = one_layer_networks(latent_dim=s.hidden)[0]
        for name, encoder in encoders.items():
            found = run.once(f"fine-tuned, {name}", lambda e=encoder: fine_tuned(e))
            measured |= {f"{name}_{key}": value for key, value in found.items()}
        for name, each in {"contractive": model, "plain": plain}.items():
            measured[f"{name}_norm"] = float(each.jacobian_norms(test[0]).mean())
            write_png(directory / f"filters-{name}.png", sample_grid(each))
        write_png(directory / "sample_grid.png", sample_grid(model))
        write_png(directory / "reconstructions.png", reconstructions(model, test[0][:16]))
        return measured

    run.fit(model, stream, sample_grid)
    run.fit(plain, stream, sample_grid, part="plain")
    run.finish(model, evaluate, data.record())


if __name__ == "__main__":
    run_recipe(main)
