"""Few labels and many digits: what unlabeled examples add to a classifier, in two ways.

Ranzato, Szummer: "Semi-supervised Learning of Compact Document Representations with Deep Networks",
ICML 2008, train codes of documents by reconstruction and classification; here the same is done with
digits. One network, dropout at its input included, is trained in three ways, with 100, 600, 1,000
and 3,000 labels of MNIST's training set, drawn evenly over the classes and nested, anew for each of
five seeds: supervised only, on the labeled digits; (a) pretrained without labels as an autoencoder
of all 60,000 digits, which with dropout at the input is a denoising one, and then fine-tuned on the
labeled digits; (b) both losses at once, in batches that are one half labeled digits and one half of
all digits. Codes, dropout, fine-tuning's rate and the weight were chosen among a few with one seed
and 100 labels, in shorter trainings, by the error on the last 10,000 digits of the training set;
the test set is measured at the end of each training.

  python recipes/semi_supervised_mnist.py                    about 13 minutes on two CPU cores
  python recipes/semi_supervised_mnist.py --preset smoke     under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from functools import partial

import keras

from keras_gen.autoencoders import Autoencoder, ClassifyingAutoencoder
from keras_gen.data import Source, even_order, partly_labeled, small_images
from keras_gen.layers import Dropout
from keras_gen.metrics import mean_and_deviation
from keras_gen.networks import classifier_on, mlp_decoder, mlp_encoder
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import line_plot, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 500  # ReLU codes, which the classifier's only other layer takes
    hidden: int = 500  # Units of the one hidden layer of encoder and decoder
    dropout: float = 0.5  # Fraction of the pixels that are dropped in training, in all three ways
    learning_rate: float = 1e-3  # Adam's rate, but for fine-tuning
    fine_tuning_rate: float = 2e-4  # Adam's rate of fine-tuning
    classification_weight: float = 100.0  # Weight of the cross-entropy of a labeled digit, in (b)
    label_steps: int = 1500  # Steps of training on labeled digits alone, half a batch each
    both_steps: int = 4000  # Steps of (b)
    repeats: int = 5  # Seeds, from `seed` on


PRESETS = {
    "smoke": dict(hidden=32, latent_dim=16, epochs=2, steps_per_epoch=10, batch_size=50,
                  label_steps=10, both_steps=10, repeats=1, steps_per_execution=10),
    "cpu": dict(epochs=12, steps_per_epoch=500, batch_size=100, grid_every=4, both_steps=2500,
                steps_per_execution=100),
    "paper": dict(epochs=100, steps_per_epoch=600, batch_size=100, grid_every=10, label_steps=5000,
                  both_steps=30_000),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    (digits, labels), test = data.train.arrays(), data.test.arrays()
    unlabeled, models = Source(digits), {}
    for seed in range(s.seed, s.seed + s.repeats):
        with run.strategy.scope():
            models[seed] = Autoencoder(*networks(s, seed), seed=seed)
            run.compile(models[seed], keras.optimizers.Adam(s.learning_rate))
        draw = None if seed != s.seed else lambda model: reconstructions(model, test[0][:12])
        stream = partial(unlabeled.stream, s.batch_size, seed)
        run.fit(models[seed], stream, draw, part="" if seed == s.seed else f"seed_{seed}")

    ways, counts = ("supervised", "pretrained", "both"), (100, 600, 1000, 3000)
    with run.evaluation(models[s.seed]) as metrics:
        for count in counts:
            found = []
            for seed, model in models.items():
                few = data.train.select(even_order(labels, seed)[:count])
                train = partial(errors, run, s, seed, model.encoder, few, unlabeled, test)
                found.append(run.once(f"{count} labels, seed {seed}", train))
            metrics |= mean_and_deviation(found, f"{{}}_{count}")
        lines = {way: (counts, [metrics[f"{way}_{n}"] for n in counts]) for way in ways}
        run.draw("errors", line_plot(lines, "labels", "test error (%)", log_x=True))
    run.export(models[s.seed])


def networks(s, seed):
    """Encoder and decoder of a seed."""
    keras.utils.set_random_seed(seed)
    shared = dict(latent_dim=s.latent_dim, hidden=(s.hidden,), activation="relu")
    pixels = keras.Input((28, 28, 1))
    codes = mlp_encoder(output_activation="relu", **shared)
    encoder = keras.Model(pixels, codes(Dropout(s.dropout)(pixels)), name="encoder")
    return encoder, mlp_decoder(**shared)


def errors(run, s, seed, encoder, few, unlabeled, test):
    """The test errors of the three ways with the same labels, in percent."""
    supervised = train_classifier(run, s, seed, networks(s, seed)[0], few, s.learning_rate)
    pretrained = train_classifier(run, s, seed, encoder, few, s.fine_tuning_rate)
    with run.strategy.scope():
        parts = networks(s, seed)
        layers = [keras.Input((s.latent_dim,)), keras.layers.Dense(10, dtype="float32")]
        classifier = keras.Sequential(layers, name="classifier")
        both = ClassifyingAutoencoder(*parts, classifier, weight=s.classification_weight)
        run.compile(both, keras.optimizers.Adam(s.learning_rate))
    batches = partly_labeled(few, unlabeled, s.batch_size, seed)
    both.fit(batches, steps_per_epoch=s.both_steps, verbose=0)
    images, labels = test
    predict = dict(batch_size=500, verbose=0)
    logits = {"supervised": supervised.predict(images, **predict)}
    logits |= {"pretrained": pretrained.predict(images, **predict), "both": both.classify(images)}
    return {k: 100 * float((v.argmax(axis=1) != labels).mean()) for k, v in logits.items()}


def train_classifier(run, s, seed, encoder, few, rate):
    """A classifier that starts from an encoder."""
    keras.utils.set_random_seed(seed)
    with run.strategy.scope():
        classifier = classifier_on(encoder)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        steps = dict(steps_per_execution=s.steps_per_execution)
        classifier.compile(keras.optimizers.Adam(rate), loss, **steps)
    batches = few.stream(s.batch_size // 2, seed)
    classifier.fit(batches, steps_per_epoch=s.label_steps, verbose=0, shuffle=False)
    return classifier


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
