"""Conditional VAE on MNIST.

Sohn, Lee, Yan: "Learning Structured Output Representation using Deep Conditional Generative
Models", NeurIPS 2015.

  python recipes/conditional_vae_mnist.py                   about 25 minutes on one of two CPU cores
  python recipes/conditional_vae_mnist.py --preset smoke    under a minute

The encoder and the decoder receive the label as a one-hot vector. The likelihood of test digits
given their label is compared with a Bernoulli mixture and with boosted trees per digit. Two
independently trained classifiers measure how often samples show the requested class; the worse
result counts.

Deviations: conditions are labels, whereas the paper completes digits from a known quarter, so its
conditions are images. Networks and binarization follow Burda, Grosse, Salakhutdinov (2016). The
prior is N(0, 1) for all labels, so latents encode properties that all classes share, such as slant
and thickness.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import binarize, small_images
from keras_gen.metrics import active_units, class_report, nll_summary, trained_extractors
from keras_gen.networks import mlp_decoder, mlp_encoder, start_at_mean, with_labels
from keras_gen.vae import ConditionalVAE
from keras_gen.workshop.baselines import BernoulliMixture, BoostedPixels, mixture_samples
from keras_gen.workshop.visualize import captioned

SHAPE = (28, 28, 1)
CLASSES = 10


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 50  # Number of latent dimensions
    hidden: int = 200  # Units in each of the two hidden layers of the encoder and decoder
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    components: int = 50  # Number of components in each class's Bernoulli mixture, a baseline
    boosted: int = 50_000
    """Number of pixels used to train the boosted trees for each class, a baseline."""
    compared: int = 10_000
    """Number of images to compare from each set: samples and training images."""
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


PRESETS = {
    "smoke": dict(hidden=32, latent_dim=8, epochs=2, steps_per_epoch=20, batch_size=20,
                  components=2, boosted=1000, compared=200, classifier_steps=20),
    "cpu": dict(epochs=150, steps_per_epoch=600, batch_size=100, grid_every=25,
                steps_per_execution=100),
    "paper": dict(epochs=600, steps_per_epoch=600, batch_size=100, grid_every=50,
                  steps_per_execution=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    binary, labels = data.train.arrays(s.seed, binarize)
    test, test_labels = data.test.arrays(s.seed, binarize)

    with run.strategy.scope():
        pixels = int(np.prod(SHAPE))
        hidden = (s.hidden, s.hidden)
        heads = ("mean", "log_variance")
        encoder = mlp_encoder((pixels + CLASSES,), s.latent_dim, hidden, heads=heads)
        decoder = mlp_decoder(SHAPE, s.latent_dim + CLASSES, hidden)
        start_at_mean(decoder, binary)
        model = ConditionalVAE(
            with_labels(encoder, CLASSES, shape=SHAPE),
            with_labels(decoder, CLASSES),
            CLASSES,
            seed=s.seed,
        )
        run.compile(model, Adam(run.in_halves(s.learning_rate), epsilon=1e-4))

    def draw(model):
        drawn = model.sample(80, seed=s.seed, label=every_label(80))
        names = [str(digit) for digit in range(CLASSES)]
        return captioned(np.split(drawn, 8), column_names=names)

    # Each step: one joint update of the encoder and the decoder on digits and their labels.
    stream = partial(data.train.stream, s.batch_size, s.seed, augment_batch=binarize)
    run.fit(model, stream, draw)
    run.export(model, default="sample")

    # Fit the baselines, a mixture and boosted trees per digit, and train the classifiers.
    run.say(
        f"fitting a mixture of {s.components} Bernoulli distributions and boosted trees to each "
        "digit class"
    )
    mixture_nats = np.zeros(len(test))
    tree_nats = np.zeros(len(test))
    options = dict(levels=2, trees=150, learning_rate=0.1, seed=s.seed)
    mixtures = []
    images, _ = data.train.arrays()
    count = s.compared // CLASSES
    for label in range(CLASSES):
        of_label = test_labels == label
        known = binary[labels == label]
        mixture = BernoulliMixture(known, s.components, seed=s.seed)
        mixture_nats[of_label] = -mixture.log_prob(test[of_label])
        trees = BoostedPixels(examples=s.boosted, **options).fit(known.astype("uint8"))
        tree_nats[of_label] = -trees.log_prob(test[of_label].astype("uint8"))
        mixtures.append(mixture_samples(images[labels == label], count, seed=s.seed, black=True))
    extractors = trained_extractors(images, labels, s.classifier_steps)

    with run.evaluation(model) as metrics:
        metrics |= nll_summary({"nll": -model.log_prob(test, test_labels)})
        metrics["nll_mixture"] = mixture_nats.mean()
        metrics["nll_trees"] = tree_nats.mean()
        means, _ = model.encode(test, test_labels)
        metrics["active_units"], _ = active_units(means)

        run.say("classifying samples with two classifiers")
        sample_labels = every_label(s.compared)
        sets = {
            "": (model.sample(s.compared, seed=s.seed, label=sample_labels), sample_labels),
            "baseline_": (np.concatenate(mixtures), np.repeat(np.arange(CLASSES), count)),
            "floor_": data.test.arrays(),
        }
        for prefix, (drawn, asked) in sets.items():
            agreements = []
            for extractor in extractors.values():
                known = extractor(images[: s.compared])
                found = extractor(drawn)
                report = class_report(known, labels[: s.compared], found, asked, s.seed)
                agreements.append(report["agreement"])
            # Keep the worse result of the two classifiers.
            metrics[f"{prefix}agreement"] = min(agreements)


def every_label(count):
    """Returns the given number of labels, equally distributed."""
    return np.arange(count) % CLASSES


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
