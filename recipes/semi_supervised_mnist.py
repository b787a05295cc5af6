"""Semi-supervised autoencoders on MNIST with few labels.

Ranzato, Szummer: "Semi-supervised Learning of Compact Document Representations with Deep Networks",
ICML 2008, train document codes with both reconstruction and classification; this recipe trains
codes of digits.

  python recipes/semi_supervised_mnist.py                   about 17 minutes on one of two CPU cores
  python recipes/semi_supervised_mnist.py --preset smoke     under a minute

Expected result of the cpu preset with 100 labels: a test error of 19.0% with pretraining and 19.2%
with both losses (label spreading over HOG: 5.4%; supervised only: 22.3%).

One network, with dropout at its input, is trained with 100, 600, 1,000, and 3,000 labels from
MNIST's training set. The sets of labels are balanced over the digits, nested, and resampled for
each of five seeds. The network is trained in three ways. The supervised baseline is trained only on
the labeled digits. In method (a), the network is pretrained without labels on all 60,000 digits as
an autoencoder, which is a denoising autoencoder because of the input dropout, and is then
fine-tuned on the labeled digits. In method (b), it is trained on both losses jointly, in batches
that consist half of labeled digits and half of samples from all digits. The code size, dropout,
fine-tuning rate, and weight were chosen from a few candidates, based on the error on the last
10,000 training digits in shorter runs with one seed and 100 labels. The test set is evaluated only
at the end of each run. With 100 labels, further baselines are a support vector machine on principal
components and label spreading through a graph.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import plot_by_count

import dataclasses
from functools import partial

import keras
import numpy as np
from keras.optimizers import Adam

from keras_gen.autoencoders import Autoencoder, ClassifyingAutoencoder
from keras_gen.data import Source, even_order, partly_labeled, small_images
from keras_gen.layers import Dropout
from keras_gen.metrics import mean_and_deviation
from keras_gen.networks import classifier_on, mlp_decoder, mlp_encoder
from keras_gen.workshop.baselines import few_label_baselines
from keras_gen.workshop.visualize import reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 500
    """Number of ReLU codes, which are the inputs of the classifier's single layer."""
    hidden: int = 500  # Units in the single hidden layer of the encoder and of the decoder
    dropout: float = 0.5  # Fraction of pixels dropped in training, in all three methods
    learning_rate: float = 1e-3  # Adam's learning rate, except for fine-tuning
    fine_tuning_rate: float = 2e-4  # Adam's learning rate for fine-tuning
    classification_weight: float = 100.0
    """Weight of a labeled digit's cross-entropy in joint training, method (b)."""
    label_steps: int = 1500
    """Number of training steps on labeled digits only; each step uses half a batch."""
    both_steps: int = 4000  # Number of training steps for joint training, method (b)
    repeats: int = 5  # Number of runs, with seeds starting at --seed


PRESETS = {
    "smoke": dict(hidden=32, latent_dim=16, epochs=2, steps_per_epoch=10, batch_size=50,
                  label_steps=10, both_steps=10, repeats=1, steps_per_execution=10),
    "cpu": dict(epochs=12, steps_per_epoch=500, batch_size=100, grid_every=4, both_steps=2500,
                steps_per_execution=100),
    "paper": dict(epochs=100, steps_per_epoch=600, batch_size=100, grid_every=10,
                  label_steps=5000, both_steps=30_000),
}  # fmt: skip

COUNTS = (100, 600, 1000, 3000)  # numbers of labels
WAYS = {
    "supervised": "labeled digits only",
    "pretrained": "pretrained on all digits",
    "both": "both losses",
}


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    digits, labels = data.train.arrays()
    unlabeled = Source(digits)
    test = data.test.arrays()
    test_images, _ = test

    # Pretrain without labels, once per seed. The first model is the main model. Each step: one
    # joint update of the encoder and the decoder.
    models = {}
    for seed in range(s.seed, s.seed + s.repeats):
        with run.strategy.scope():
            encoder, decoder = build_networks(s, seed)
            model = Autoencoder(encoder, decoder, seed=seed)
            run.compile(model, Adam(s.learning_rate))
        stream = partial(unlabeled.stream, s.batch_size, seed)
        if seed == s.seed:
            run.fit(model, stream, partial(reconstructions, images=test_images[:12]))
        else:
            run.fit(model, stream, part=f"seed_{seed}")
        models[seed] = model
    run.export(models[s.seed])

    # Classify with baselines that see the same 100 labels.
    others = []
    for seed in models:
        known = np.full_like(labels, -1)
        chosen = even_order(labels, seed)[: COUNTS[0]]
        known[chosen] = labels[chosen]
        accuracies = few_label_baselines(digits, known, *test)
        others.append({name: 100 - 100 * value for name, value in accuracies.items()})

    # Train the three classifiers for each number of labels and each seed.
    errors = {}
    for count in COUNTS:
        errors[count] = []
        for seed, model in models.items():
            few = data.train.select(even_order(labels, seed)[:count])
            train = partial(test_errors, run, s, seed, model.encoder, few, unlabeled, test)
            errors[count].append(run.once(f"{count} labels, seed {seed}", train))

    with run.evaluation(models[s.seed]) as metrics:
        for count in COUNTS:
            metrics |= mean_and_deviation(errors[count], f"{{}}_{count}")
        metrics |= mean_and_deviation(others, f"{{}}_{COUNTS[0]}")
        y_label = f"test error (%), mean and standard deviation over {s.repeats} seeds"
        run.draw("errors", plot_by_count(metrics, WAYS, COUNTS, "deviation", y_label))


def build_networks(s, seed):
    """Returns the encoder and the decoder for a seed."""
    keras.utils.set_random_seed(seed)
    sizes = dict(latent_dim=s.latent_dim, hidden=(s.hidden,), activation="relu")
    pixels = keras.Input((28, 28, 1))
    codes = mlp_encoder(output_activation="relu", **sizes)
    encoder = keras.Model(pixels, codes(Dropout(s.dropout)(pixels)), name="encoder")
    decoder = mlp_decoder(**sizes)
    return encoder, decoder


def test_errors(run, s, seed, encoder, few, unlabeled, test):
    """Returns the test errors of the three methods with the same labels, in percent."""
    images, labels = test
    fresh_encoder, _ = build_networks(s, seed)
    supervised = train_classifier(run, s, seed, fresh_encoder, few, s.learning_rate)
    pretrained = train_classifier(run, s, seed, encoder, few, s.fine_tuning_rate)
    both = train_with_both_losses(run, s, seed, few, unlabeled)
    logits = {
        "supervised": supervised.predict(images, batch_size=500, verbose=0),
        "pretrained": pretrained.predict(images, batch_size=500, verbose=0),
        "both": both.classify(images),
    }
    errors = {}
    for way, found in logits.items():
        wrong = found.argmax(axis=1) != labels
        errors[way] = 100 * float(wrong.mean())
    return errors


def train_classifier(run, s, seed, encoder, few, rate):
    """Returns a classifier that starts from an encoder, trained only on labeled digits."""
    keras.utils.set_random_seed(seed)
    with run.strategy.scope():
        classifier = classifier_on(encoder)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        classifier.compile(Adam(rate), loss, steps_per_execution=s.steps_per_execution)
    batches = few.stream(s.batch_size // 2, seed)
    classifier.fit(batches, steps_per_epoch=s.label_steps, verbose=0, shuffle=False)
    return classifier


def train_with_both_losses(run, s, seed, few, unlabeled):
    """Returns an autoencoder with a classifier on its codes, trained on all digits."""
    with run.strategy.scope():
        encoder, decoder = build_networks(s, seed)
        layers = [keras.Input((s.latent_dim,)), keras.layers.Dense(10, dtype="float32")]
        classifier = keras.Sequential(layers, name="classifier")
        weight = s.classification_weight
        model = ClassifyingAutoencoder(encoder, decoder, classifier, weight=weight)
        run.compile(model, Adam(s.learning_rate))
    batches = partly_labeled(few, unlabeled, s.batch_size, seed)
    model.fit(batches, steps_per_epoch=s.both_steps, verbose=0)
    return model


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
