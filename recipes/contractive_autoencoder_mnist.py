"""Contractive autoencoder on MNIST.

Rifai, Vincent, Muller, Glorot, Bengio: "Contractive Auto-Encoders: Explicit Invariance During
Feature Extraction", ICML 2011. The autoencoder has 1,000 sigmoid codes and the penalty lambda
||dh/dx||_F^2.

  python recipes/contractive_autoencoder_mnist.py                  about 10 minutes on two CPU cores
  python recipes/contractive_autoencoder_mnist.py --preset smoke   under a minute

Expected result of the cpu preset: a test error of 1.67% (without pretraining: 1.73%;
nearest neighbors of strokes: 1.55%).

For comparison, a plain autoencoder, which is the same model with lambda 0, is also trained. Both
encoders, and an encoder with random weights, are then fine-tuned with labels as classifiers; as in
the paper, the epoch is chosen on 10,000 held-out training digits. The pretraining uses all training
digits without labels. Five nearest neighbors in codes of strokes (see `stroke_codes`) are another
baseline.

Deviations: weights are not tied; Adam is used instead of plain gradient descent; lambda is not
tuned; and the fine-tuning rate was chosen on the 10,000 held-out training digits.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import prefixed

import dataclasses

import keras
from keras.optimizers import Adam
from sklearn.neighbors import KNeighborsClassifier

from keras_gen.autoencoders import ContractiveAutoencoder
from keras_gen.data import small_images
from keras_gen.metrics import fine_tuned_error
from keras_gen.networks import one_layer_networks
from keras_gen.workshop.baselines import stroke_codes
from keras_gen.workshop.visualize import reconstructions, unit_filters


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    hidden: int = 1000  # Number of sigmoid units in the code layer, the only hidden layer
    weight: float = 0.1  # Weight of the squared norm of the Jacobian, lambda, in nats
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    tuning_epochs: int = 30
    """Number of fine-tuning epochs; the epoch with the highest validation accuracy is kept."""
    tuning_rate: float = 3e-3
    """Adam's learning rate for fine-tuning; linear decay to 0 in the second half."""
    labeled: int = 60_000
    """Number of labeled training digits; one sixth of them is used to choose the epoch."""


PRESETS = {
    "smoke": dict(hidden=50, epochs=2, steps_per_epoch=50, batch_size=50, tuning_epochs=2,
                  labeled=3000),
    "cpu": dict(epochs=30, steps_per_epoch=600, batch_size=100, grid_every=10,
                steps_per_execution=100),
    "paper": dict(epochs=300, steps_per_epoch=600, batch_size=100, grid_every=30,
                  tuning_epochs=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    labeled = data.train.take(s.labeled)
    cut = len(labeled) * 5 // 6
    train = labeled.select(slice(cut)).arrays()
    validation = labeled.select(slice(cut, None)).arrays()
    test = data.test.arrays()
    test_images, test_labels = test

    models = {}
    with run.strategy.scope():
        for name, weight in (("contractive", s.weight), ("plain", 0.0)):
            encoder, decoder = one_layer_networks(latent_dim=s.hidden)
            models[name] = ContractiveAutoencoder(encoder, decoder, weight=weight, seed=s.seed)
            run.compile(models[name], Adam(run.in_halves(s.learning_rate)))
    model = models["contractive"]

    # Each step: one joint update of the encoder and the decoder.
    run.fit(model, data.train, unit_filters)
    run.export(model)
    run.fit(models["plain"], data.train, unit_filters, part="plain")

    # Fine-tune a classifier that starts from each encoder.
    keras.utils.set_random_seed(s.seed)
    random_encoder, _ = one_layer_networks(latent_dim=s.hidden)
    encoders = {name: each.encoder for name, each in models.items()}
    encoders["random"] = random_encoder
    tuning = (s.batch_size, s.tuning_epochs, s.tuning_rate, s.seed)
    reports = {}
    for name, encoder in encoders.items():
        arguments = (encoder, train, validation, test, *tuning)
        reports[name] = run.once(f"fine-tuned, {name}", fine_tuned_error, *arguments)

    run.say("fitting a nearest-neighbor classifier to gradient histograms")
    images, labels = labeled.arrays()
    strokes, test_strokes = stroke_codes(images, test_images)
    nearest = KNeighborsClassifier().fit(strokes, labels)

    with run.evaluation(model) as metrics:
        metrics["neighbors_test_error"] = 100 * (1 - nearest.score(test_strokes, test_labels))
        for name, report in reports.items():
            metrics |= prefixed(f"{name}_", report)
        for name, each in models.items():
            metrics[f"{name}_norm"] = float(each.jacobian_norms(test_images).mean())
            run.draw(f"filters-{name}", unit_filters(each))
        run.draw("reconstructions", reconstructions(model, test_images[:16]))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
