"""Few labels and many digits: what unlabeled examples add to a classifier, in two ways.

Ranzato, Szummer: "Semi-supervised Learning of Compact Document Representations with Deep Networks",
ICML 2008, train codes of documents by reconstruction and classification; here the same is done with
digits. One network, dropout at its input included, is trained in three ways, with 100, 600, 1,000
and 3,000 labels of MNIST's training set, drawn evenly over the classes and nested, anew for each of
five seeds:

- supervised only, on the labeled digits;
- (a) pretrained without labels as an autoencoder of all 60,000 digits, which with dropout at the
  input is a denoising one, and then fine-tuned on the labeled digits;
- (b) both losses at once, in batches that are one half labeled digits and one half of all digits.

The codes, dropout, fine-tuning's rate and the weight were chosen among a few with one seed and 100
labels, in shorter trainings, by the error on the last 10,000 digits of the training set; the test
set is measured at the end of each training.

  python recipes/semi_supervised_mnist.py                    about 13 minutes on two CPU cores
  python recipes/semi_supervised_mnist.py --preset smoke     under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
import functools

import keras
import numpy as np

from keras_gen.autoencoders import Autoencoder, ClassifyingAutoencoder
from keras_gen.data import Source, even_order, half_labeled, small_images
from keras_gen.images import write_png
from keras_gen.layers import Dropout
from keras_gen.networks import classifier_on, mlp_decoder, mlp_encoder
from keras_gen.results import Figure, Published
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import line_plot, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    """Settings of the autoencoders and the classifiers; the epochs are those of pretraining."""

    latent_dim: int = 500
    """Number of ReLU codes, which the classifier's only other layer takes."""
    hidden: int = 500
    """Units of the one hidden layer of encoder and decoder."""
    dropout: float = 0.5
    """Fraction of the pixels that are dropped in training, in all three ways."""
    learning_rate: float = 1e-3
    """Adam's rate, but for fine-tuning."""
    fine_tuning_rate: float = 2e-4
    """Adam's rate of fine-tuning."""
    classification_weight: float = 100.0
    """Weight of the cross-entropy of a labeled digit, in (b)."""
    label_steps: int = 1500
    """Steps of training on labeled digits alone, half a batch each."""
    both_steps: int = 4000
    """Steps of (b)."""
    repeats: int = 5
    """Seeds, from `seed` on."""


PRESETS = {
    "smoke": dict(
        hidden=32, latent_dim=16, epochs=2, steps_per_epoch=10, batch_size=50, label_steps=10,
        both_steps=10, repeats=1, steps_per_execution=10,
    ),
    "cpu": dict(
        epochs=12, steps_per_epoch=500, batch_size=100, grid_every=4, both_steps=2500,
        steps_per_execution=100,
    ),
    "paper": dict(
        epochs=100, steps_per_epoch=600, batch_size=100, grid_every=10, label_steps=5000,
        both_steps=30_000,
    ),
}  # fmt: skip

WAYS = {
    "supervised": "supervised only",
    "pretrained": "pretrained, fine-tuned",
    "both": "both losses at once",
}
COUNTS = (100, 600, 1000, 3000)
RESULTS = Published(
    system="Autoencoder, semi-supervised",
    family="autoencoders",
    paper="Ranzato & Szummer 2008, which reports on documents",
    dataset="MNIST",
    train_size=60_000,
    figures=tuple(
        Figure(
            f"{way}_{count}", f"test error, {count:,} labels, {text}, mean of 5 seeds", "%",
            spread=f"{way}_{count}_deviation", tolerance=2.0 if count == 100 else 0.8,
            given={"repeats": 5},
        )
        for count in COUNTS
        for way, text in WAYS.items()
    ),
)  # fmt: skip


def main(argv=None):
    """Trains, draws, measures and exports."""
    run = Run(__file__, Settings, PRESETS, __doc__, argv)
    s = run.settings
    data = small_images("mnist", labels=True)
    run.describe_data(data)
    digits, labels = data.train.arrays()
    test_digits, test_labels = data.test.arrays()
    unlabeled = Source(digits)
    options = dict(steps_per_execution=s.steps_per_execution)

    def networks(seed):
        """Encoder and decoder of a seed."""
        keras.utils.set_random_seed(seed)
        shared = dict(latent_dim=s.latent_dim, hidden=(s.hidden,), activation="relu")
        pixels = keras.Input((28, 28, 1))
        codes = mlp_encoder(output_activation="relu", **shared)
        encoder = keras.Model(pixels, codes(Dropout(s.dropout)(pixels)), name="encoder")
        return encoder, mlp_decoder(**shared)

    def pretrain(seed):
        """An autoencoder of all digits; that of the first seed is the main model."""
        with run.strategy.scope():
            model = Autoencoder(*networks(seed), seed=seed)
            model.compile(keras.optimizers.Adam(s.learning_rate), **options)

        def stream(start):
            return unlabeled.stream(s.batch_size, seed, start)

        part = "" if seed == s.seed else f"seed_{seed}"
        run.fit(model, stream, None if part else sample_grid, part=part)
        return model

    def sample_grid(model):
        return reconstructions(model, test_digits[:12])

    def error(logits):
        """Fraction of wrong answers on the test set, in percent."""
        return 100 * float((np.argmax(logits, axis=1) != test_labels).mean())

    def train_classifier(encoder, few, rate, seed):
        """The test error of a classifier that starts from an encoder."""
        keras.utils.set_random_seed(seed)
        with run.strategy.scope():
            classifier = classifier_on(encoder)
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            classifier.compile(keras.optimizers.Adam(rate), loss, **options)
        batches = few.stream(s.batch_size // 2, seed)
        classifier.fit(batches, steps_per_epoch=s.label_steps, verbose=0, shuffle=False)
        return error(classifier.predict(test_digits, batch_size=500, verbose=0))

    def train_both(few, seed):
        """The test error of both losses at once."""
        with run.strategy.scope():
            parts = networks(seed)
            logits = [keras.Input((s.latent_dim,)), keras.layers.Dense(10, dtype="float32")]
            classifier = keras.Sequential(logits, name="classifier")
            model = ClassifyingAutoencoder(*parts, classifier, weight=s.classification_weight)
            model.compile(keras.optimizers.Adam(s.learning_rate), **options)
        batches = half_labeled(few, unlabeled, s.batch_size, seed)
        model.fit(batches, steps_per_epoch=s.both_steps, verbose=0)
        return error(model.classify(test_digits))

    def measure(count, seed):
        """The test errors of the three ways with the same labels."""
        few = data.train.select(even_order(labels, seed)[:count])
        return {
            "supervised": train_classifier(networks(seed)[0], few, s.learning_rate, seed),
            "pretrained": train_classifier(models[seed].encoder, few, s.fine_tuning_rate, seed),
            "both": train_both(few, seed),
        }

    models = {seed: pretrain(seed) for seed in range(s.seed, s.seed + s.repeats)}

    def evaluate(model, directory):
        write_png(directory / "sample_grid.png", sample_grid(model))
        found = {}
        for count in COUNTS:
            cells = [
                run.once(f"{count} labels, seed {seed}", functools.partial(measure, count, seed))
                for seed in models
            ]
            for way in WAYS:
                errors = [cell[way] for cell in cells]
                found[f"{way}_{count}"] = float(np.mean(errors))
                found[f"{way}_{count}_deviation"] = float(np.std(errors, ddof=len(errors) > 1))
        lines = {
            text: (COUNTS, [found[f"{way}_{count}"] for count in COUNTS])
            for way, text in WAYS.items()
        }
        curves = line_plot(lines, "labels", "test error (%)", log_x=True)
        write_png(directory / "errors.png", curves)
        return found

    run.finish(models[s.seed], evaluate, data.record())


if __name__ == "__main__":
    run_recipe(main)
