"""Ablation of the DCGAN guidelines on Fashion-MNIST.

Radford, Metz, Chintala: "Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks", ICLR 2016, sec. 3.

  python recipes/dcgan_guidelines_fashion_mnist.py  # 39 minutes on one of two CPU cores (shared)
  python recipes/dcgan_guidelines_fashion_mnist.py --preset smoke  # about a minute

Expected result of the cpu preset: a kernel distance of 0.23 with all guidelines, 0.06 with pooling,
0.26 without the leaky ReLU, and at least 0.40 without any one of the other guidelines (Gaussian
mixture: 0.14).

The full network and one variant per guideline are trained from the same seed on the same number of
images. The variants are without strides (max pooling and pixel repetition), without batch
normalization, with hidden dense layers, with tanh instead of the generator's ReLU, without the
generator's output tanh, and with ReLU instead of the discriminator's leaky ReLU. An initial
standard deviation of 0.02 suits networks with normalization, so the networks without normalization
are also trained with Keras's he_normal initialization, which mistakes the output channels of a
transposed kernel for its inputs.

Samples are evaluated as in dcgan_fashion_mnist.py. If the weights of a run become NaN, the last
finite weights are evaluated, and the metrics record this fact.

Deviations of the cpu preset: an eighth of the paper's channels, 80,000 images per network, and
learning rates that decay to zero in the second half, so that the result does not depend on the last
step.

Data: fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR), padded to
32x32. The paper has no such comparison.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import extractor_accuracies

import dataclasses

import keras
import numpy as np
from keras.optimizers import Adam

from keras_gen.core import NonFiniteLossError
from keras_gen.data import Source, pad_to, small_images
from keras_gen.gan import GAN
from keras_gen.metrics import GenerationEvaluation, trained_extractors
from keras_gen.networks import dcgan_without
from keras_gen.workshop.baselines import mixture_samples
from keras_gen.workshop.visualize import image_rows, samples

SHAPE = (32, 32, 1)
# Maps each name to the removed guideline and the initializer of the weights.
VARIANTS = {
    "whole": (None, None),
    "strides": ("strides", None),
    "normalization": ("normalization", None),
    "normalization_he": ("normalization", "he_normal"),
    "convolutions": ("convolutions", None),
    "relu": ("relu", None),
    "tanh": ("tanh", None),
    "leaky_relu": ("leaky_relu", None),
}
NAMES = {
    "whole": "all guidelines",
    "strides": "pooling",
    "normalization": "no normalization",
    "normalization_he": "no normalization, he_normal",
    "convolutions": "dense layers",
    "relu": "tanh instead of ReLU",
    "tanh": "no output tanh",
    "leaky_relu": "ReLU instead of leaky ReLU",
}
FIGURES = ("kernel_distance", "precision", "recall", "pyramid_16")


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    variants: int = len(VARIANTS)  # Number of network variants to train
    latent_dim: int = 100  # Number of latent dimensions
    filters: int = 128  # Channels at the highest resolution, doubled at every coarser stage
    hidden: int = 512  # Units in each hidden layer of the variant with dense hidden layers
    learning_rate: float = 2e-4
    """Adam's learning rate for both networks; linear decay to 0 in the second half."""
    beta_1: float = 0.5  # Adam's beta_1, the decay rate of the gradients' running average
    compared: int = 10_000
    """Number of images to compare from each set: samples, test images, and training images."""
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


PRESETS = {
    "smoke": dict(variants=3, filters=2, hidden=8, latent_dim=4, epochs=2,
                  steps_per_epoch=10, batch_size=16, steps_per_execution=5, compared=100,
                  classifier_steps=20),
    "cpu": dict(filters=16, hidden=256, epochs=5, steps_per_epoch=500, batch_size=32,
                steps_per_execution=50, compared=2000),
    "paper": dict(epochs=100, steps_per_epoch=468, batch_size=128, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("fashion_mnist", labels=True))
    images, labels = data.train.arrays()
    test_images, _ = data.test.take(s.compared).arrays()
    images = pad_to(images, SHAPE[0]).numpy()
    test_images = pad_to(test_images, SHAPE[0]).numpy()
    train = Source(images)

    # Train the main model, the full network. Each step: one update of the discriminator, then one
    # update of the generator.
    model = build(run, s, "whole")
    run.fit(model, train, samples)
    run.export(model, default="sample")

    # Prepare the evaluation: the classifiers' features of test images, and the baseline.
    extractors = trained_extractors(images, labels, s.classifier_steps)
    evaluate = GenerationEvaluation(extractors, images[: len(test_images)], s.seed)
    mixture = mixture_samples(images, len(test_images), seed=s.seed, black=True)

    # Train the other networks.
    rows = {"whole": measure(model, evaluate, s)}
    for name in list(VARIANTS)[1 : s.variants]:
        rows[name] = run.once(name, train_and_measure, run, s, name, train, evaluate)

    with run.evaluation(model) as metrics:
        shown = {NAMES[name]: np.array(row["samples"], "uint8") for name, row in rows.items()}
        shown |= {"Gaussian mixture": mixture[:12], "test images": test_images[:12]}
        run.draw("variants", image_rows(shown))
        rows |= {"baseline": evaluate(mixture), "floor": evaluate(test_images)}
        for key in (*FIGURES, "stopped"):
            metrics |= {f"{key}_{name}": row[key] for name, row in rows.items() if key in row}
        metrics |= extractor_accuracies(extractors)


def build(run, s, name):
    """Returns a compiled model with initial weights from the seed."""
    keras.utils.set_random_seed(s.seed)
    guideline, initializer = VARIANTS[name]
    with run.strategy.scope():
        sizes = s.latent_dim, s.filters, s.hidden
        generator, discriminator = dcgan_without(guideline, SHAPE, *sizes, initializer)
        model = GAN(generator, discriminator, seed=s.seed)
        d_optimizer = Adam(run.in_halves(s.learning_rate), s.beta_1)
        g_optimizer = Adam(run.in_halves(s.learning_rate), s.beta_1)
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)
    return model


def train_and_measure(run, s, name, train, evaluate):
    """Returns the metrics of a network, even if its training fails."""
    model = build(run, s, name)
    ending = {}
    try:
        stream = train.stream(s.batch_size, s.seed)
        model.fit(stream, epochs=s.epochs, steps_per_epoch=s.steps_per_epoch, verbose=0)
    except NonFiniteLossError as error:
        ending = {"stopped": str(error)}
    return measure(model, evaluate, s) | ending


def measure(model, evaluate, s):
    """Returns the metrics of a model's samples, and some of the samples."""
    found = evaluate(model.sample(len(evaluate.real), seed=s.seed))
    row = {key: found[key] for key in FIGURES}
    return row | {"samples": model.sample(12, seed=1).tolist()}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
