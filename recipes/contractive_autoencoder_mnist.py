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
from keras_gen.metrics import fine_tuned_error
from keras_gen.networks import one_layer_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import reconstructions, unit_filters


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    hidden: int = 1000  # Sigmoid units of the one layer of codes
    weight: float = 0.1  # Weight of the squared norm of the Jacobian, in nats: lambda
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half and then linear to zero
    tuning_epochs: int = 30  # Epochs of fine-tuning; the one of best validation is kept
    tuning_rate: float = 3e-3  # Adam's rate while fine-tuning, constant, then linear to zero
    labeled: int = 60_000  # Labeled training digits, a sixth of them for choosing the epoch


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


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    labeled, test = data.train.take(s.labeled), data.test.arrays()
    cut = len(labeled) * 5 // 6
    parts = labeled.select(slice(cut)).arrays(), labeled.select(slice(cut, None)).arrays(), test
    models = {}
    with run.strategy.scope():
        for name, weight in (("contractive", s.weight), ("plain", 0.0)):
            networks = one_layer_networks(latent_dim=s.hidden)
            models[name] = ContractiveAutoencoder(*networks, weight=weight, seed=s.seed)
            run.compile(models[name], keras.optimizers.Adam(run.in_halves(s.learning_rate)))
    model = models["contractive"]
    run.fit(model, data.train, unit_filters)
    run.fit(models["plain"], data.train, unit_filters, part="plain")

    with run.evaluation(model) as metrics:
        encoders = {name: each.encoder for name, each in models.items()}
        keras.utils.set_random_seed(s.seed)
        encoders["random"] = one_layer_networks(latent_dim=s.hidden)[0]
        tuning = s.batch_size, s.tuning_epochs, s.tuning_rate, s.seed
        for name, encoder in encoders.items():
            found = run.once(f"fine-tuned, {name}", fine_tuned_error, encoder, *parts, *tuning)
            metrics |= {f"{name}_{key}": value for key, value in found.items()}
        for name, each in models.items():
            metrics[f"{name}_norm"] = float(each.jacobian_norms(test[0]).mean())
            run.draw(f"filters-{name}", unit_filters(each))
        run.draw("reconstructions", reconstructions(model, test[0][:16]))
    run.export(model)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
