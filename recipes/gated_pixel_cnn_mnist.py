"""Gated PixelCNN on binarized MNIST, conditional on the class.

Van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves, Kavukcuoglu: "Conditional Image Generation
with PixelCNN Decoders", NeurIPS 2016.

  python recipes/gated_pixel_cnn_mnist.py                    80 minutes on one of two CPU cores
  python recipes/gated_pixel_cnn_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a test NLL of 85.0 nats (boosted trees on the 36 preceding
pixels: 91.8); 0.977 of the test digits are classified correctly by Bayes' rule. With --filters 40
--blocks 8 --head-filters 40, the exported model reaches 83.7 nats in 94 minutes.

The network receives the class. p(x) is the mean of p(x | class) over the ten classes, and Bayes'
rule classifies a digit by its most probable class. Two classifiers, trained independently on binary
digits, measure how often samples show the requested class; the worse result counts, and their
accuracy on test digits is also reported. The lower halves of test digits are completed several
times. Agreement is the fraction of completions that show the digit's class, and diversity is the
fraction of missing pixels in which two completions of a digit differ.

The paper reports no nats for binary digits. The reference value is 80.10 nats for the Gated
PixelCNN in Gulrajani, Kumar, Ahmed, Taiga, Visin, Vazquez, Courville: "PixelVAE: A Latent Variable
Model for Natural Images", ICLR 2017, where digits are binarized once; here, they are rebinarized in
each epoch. The recipe also counts strokes that extend beyond the lower edge, because a network that
sees few rows above a pixel does not know when a digit has to end.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import binary_baselines

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam
from scipy.special import logsumexp

from keras_gen.autoregressive import ConditionalPixelCNN
from keras_gen.data import binarize, small_images
from keras_gen.metrics import lower_edge_ink, nll_summary, trained_extractors
from keras_gen.networks import gated_pixel_cnn
from keras_gen.workshop.visualize import captioned, image_rows

SHAPE = (28, 28, 1)
CLASSES = 10
LOWER_HALF = np.repeat(np.arange(28)[:, None, None] >= 14, 28, axis=1)
COMPLETED = 100  # number of test digits to complete
ROWS = 12  # number of digits in the picture of completions
GRAY = 96  # number of completions of each digit in the picture


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    filters: int = 24  # Feature maps in each stack
    blocks: int = 5  # Number of blocks after the first layer
    kernel: int = 3  # Kernel size of the convolutions within a block
    head_filters: int = 24  # Feature maps of the layers before the output layer
    learning_rate: float = 3e-3  # Adam's learning rate; linear decay to 0 in the second half
    ema: float = 0.99
    """EMA momentum for the weights; evaluation uses the averaged weights. 0 disables EMA."""
    completions: int = 4
    """Number of completions per digit, for the lower halves of 100 test digits."""
    tested: int = 10_000  # Number of test digits; the first ones are used
    compared: int = 1000  # Number of samples, and number of test digits, to classify
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier
    boosted: int = 800_000  # Number of pixels used to train the boosted trees, a baseline
    templates: str = "300 1000"
    """Candidate numbers of components in the Bernoulli mixture, a baseline; the best number is
    chosen on held-out training digits."""


PRESETS = {
    "smoke": dict(filters=4, blocks=1, epochs=2, steps_per_epoch=10, batch_size=4, completions=2,
                  compared=20, tested=20, classifier_steps=20, templates="5 10", boosted=1000),
    "cpu": dict(epochs=18, steps_per_epoch=1000, batch_size=16, grid_every=6,
                steps_per_execution=50),
    "paper": dict(filters=128, blocks=15, head_filters=2048, epochs=200, steps_per_epoch=3750,
                  batch_size=16, grid_every=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    train, labels = data.train.arrays(s.seed, binarize)
    test, test_labels = (part[: s.tested] for part in data.test.arrays(s.seed, binarize))

    with run.strategy.scope():
        network = gated_pixel_cnn(
            SHAPE,
            outputs_per_value=1,
            filters=s.filters,
            blocks=s.blocks,
            kernel=s.kernel,
            head_filters=s.head_filters,
            levels=2,
            classes=CLASSES,
        )
        model = ConditionalPixelCNN(network, CLASSES, "bernoulli", seed=s.seed)
        run.compile(model, run.averaged(Adam(run.in_halves(s.learning_rate))))

    def draw(model):
        drawn = model.sample(80, seed=s.seed, label=np.arange(80) % CLASSES)
        names = [str(digit) for digit in range(CLASSES)]
        return captioned(np.split(drawn, 8), column_names=names)

    # Each step: all pixels are predicted in parallel, each from earlier pixels.
    stream = partial(data.train.stream, s.batch_size, s.seed, augment_batch=binarize)
    run.fit(model, stream, draw)
    run.export(model, default="sample", half=True)

    # Fit the baselines: mixtures, trees, and a table. Trees and the table predict each pixel from
    # earlier pixels.
    baselines = binary_baselines(run, train, test)

    with run.evaluation(model) as metrics:
        run.say(f"computing the NLL of {len(test)} test digits")
        by_label = model.classify(test).astype("float64")  # log p(digit | label)
        nats = np.log(CLASSES) - logsumexp(by_label, axis=1)
        metrics |= nll_summary({"nll": nats})
        metrics |= baselines
        metrics["nll_given_label"] = -by_label[np.arange(len(test)), test_labels].mean()
        metrics["bayes_accuracy"] = np.mean(by_label.argmax(axis=1) == test_labels)

        run.say("classifying samples and completions with two classifiers")
        asked = np.arange(s.compared) % CLASSES
        known = test_labels[:COMPLETED]
        options = dict(n=s.completions, seed=s.seed, labels=known)
        completed = as_levels(model.complete(test[:COMPLETED], LOWER_HALF, **options))
        differ = completed[:, 0] != completed[:, 1]
        metrics["diversity"] = np.mean(differ[:, LOWER_HALF[..., 0] > 0])
        sets = {
            "": (model.sample(s.compared, seed=s.seed, label=asked), asked),
            "completed_": (completed.reshape(-1, *SHAPE), np.repeat(known, s.completions)),
            "floor_": (as_levels(test[: s.compared]), test_labels[: s.compared]),
        }
        metrics["edge_ink"] = lower_edge_ink(sets[""][0])
        metrics["floor_edge_ink"] = lower_edge_ink(as_levels(test))
        reports = {prefix: [] for prefix in sets}
        extractors = trained_extractors(as_levels(train), labels, s.classifier_steps)
        for extractor in extractors.values():
            for prefix, (images, classes) in sets.items():
                logits = extractor(images)["logits"]
                reports[prefix].append(np.mean(logits.argmax(axis=-1) == classes))
        # Keep the worse result of the two classifiers.
        for prefix, found in reports.items():
            metrics[f"{prefix}agreement"] = min(found)
        occluded = np.where(LOWER_HALF, GRAY, as_levels(test[:ROWS]))
        rows = {"known half": occluded}
        for number in range(s.completions):
            rows[f"completion {number + 1}"] = completed[:ROWS, number]
        rows["digit"] = as_levels(test[:ROWS])
        run.draw("completions", image_rows(rows))


def as_levels(binary):
    """Returns uint8 images, 0 and 255, from floats 0 and 1."""
    return (255 * binary).astype("uint8")


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
