"""DCGAN's guidelines, taken away one by one: which of them a small network on clothes needs.

Radford, Metz, Chintala: "Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks", ICLR 2016, sec. 3.

  python recipes/dcgan_guidelines_fashion_mnist.py  # 39 minutes on one of two CPU cores (shared)
  python recipes/dcgan_guidelines_fashion_mnist.py --preset smoke  # about a minute

Expected result of the cpu preset: a kernel distance of 0.23 with all guidelines, 0.06 with pooling,
0.26 without the leaky ReLU, 0.40 and more without another one; 0.25 of a mixture of Gaussians.

The whole network and those without a guideline train from the same seed on as many images:
without strides (max pooling and repeated pixels), without batch normalization, with hidden dense
layers, with tanh for the generator's ReLU, without tanh at its end, and with ReLU for the
discriminator's leaky one. The standard deviation of the initial weights, 0.02, suits networks that
are normalized, so those without normalization train once more from Keras' he_normal, which
takes the output channels of a transposed kernel for its inputs.

Samples are compared as in dcgan_fashion_mnist.py. A training that ends in NaN is measured as it was
before, and the metrics say so.

Deviations of the cpu preset: an eighth of the paper's channels, 80,000 images for each network, and
rates that fall to zero in the second half, so that no last step decides.

Data: fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR), padded to
32x32. The paper reports no such comparison.
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
# Name -> what is taken away, and the initial weights.
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
    "normalization_he": "the same, he_normal",
    "convolutions": "dense layers",
    "relu": "tanh for ReLU",
    "tanh": "no tanh at the end",
    "leaky_relu": "ReLU for leaky ReLU",
}
FIGURES = ("kernel_distance", "precision", "recall", "pyramid_16")


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    variants: int = len(VARIANTS)  # How many of the networks are trained
    latent_dim: int = 100  # Dimensions of the latents
    filters: int = 128  # Channels where the maps are largest, doubled with every stage
    hidden: int = 512  # Units of the dense layers where there are any
    learning_rate: float = 2e-4  # Adam's rate for both, in the second half linear to zero
    beta_1: float = 0.5  # Adam's first momentum
    compared: int = 10_000  # Samples, test images and training images that are compared
    classifier_steps: int = 1500  # Of each classifier whose features they are compared in


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

    # The main model: the whole network.
    # Each step: one update of the discriminator, then one of the generator.
    model = build(run, s, "whole")
    run.fit(model, train, samples)
    run.export(model, default="sample")

    # What samples are compared with, and in; and the baseline.
    extractors = trained_extractors(images, labels, s.classifier_steps)
    evaluate = GenerationEvaluation(extractors, images[: len(test_images)], s.seed)
    mixture = mixture_samples(images, len(test_images), seed=s.seed)

    # The other networks.
    rows = {"whole": measure(model, evaluate, s)}
    for name in list(VARIANTS)[1 : s.variants]:
        rows[name] = run.once(name, train_and_measure, run, s, name, train, evaluate)

    with run.evaluation(model) as metrics:
        shown = {NAMES[name]: np.array(row["samples"], "uint8") for name, row in rows.items()}
        shown |= {"mixture of Gaussians": mixture[:12], "test images": test_images[:12]}
        run.draw("variants", image_rows(shown))
        rows |= {"baseline": evaluate(mixture), "floor": evaluate(test_images)}
        for key in (*FIGURES, "stopped"):
            metrics |= {f"{key}_{name}": row[key] for name, row in rows.items() if key in row}
        metrics |= extractor_accuracies(extractors)


def build(run, s, name):
    """A compiled model, with the initial weights of the seed."""
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
    """The figures of a network, whether or not its training ends well."""
    model = build(run, s, name)
    ending = {}
    try:
        stream = train.stream(s.batch_size, s.seed)
        model.fit(stream, epochs=s.epochs, steps_per_epoch=s.steps_per_epoch, verbose=0)
    except NonFiniteLossError as error:
        ending = {"stopped": str(error)}
    return measure(model, evaluate, s) | ending


def measure(model, evaluate, s):
    """The figures of a model's samples, and some of the samples."""
    found = evaluate(model.sample(len(evaluate.real), seed=s.seed))
    row = {key: found[key] for key in FIGURES}
    return row | {"samples": model.sample(12, seed=1).tolist()}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
