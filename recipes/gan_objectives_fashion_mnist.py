"""GAN objectives and regularizers on Fashion-MNIST.

Goodfellow et al. 2014 (non-saturating); Mao et al. 2017 (least squares); Arjovsky et al. 2017
(Wasserstein); Lim, Ye 2017 (hinge); Jolicoeur-Martineau 2019 (relativistic); each with R1
(Mescheder et al. 2018), the gradient penalty (Gulrajani et al. 2017), spectral normalization
(Miyato et al. 2018), and no regularizer. The first objective is also combined with DRAGAN's penalty
(Kodali et al. 2017), consistency regularization (Zhang et al. 2020), and DiffAugment (Zhao et al.
2020).

  python recipes/gan_objectives_fashion_mnist.py  # about 54 minutes on one of two CPU cores
  python recipes/gan_objectives_fashion_mnist.py --preset smoke  # about a minute

Expected result of the cpu preset: the non-saturating objective with R1 reaches a kernel distance of
0.030; a Gaussian mixture, whose blur is not visible at this size, has 0.004.

As in the larger study by Lucic et al. (2018), all combinations train one small DCGAN from the same
weights on the same number of images. Here, the two networks have different learning rates (Heusel
et al. 2017). They are evaluated as in dcgan_fashion_mnist.py. If the weights of a run become NaN,
the last finite weights are evaluated. The metrics record this fact and the warnings from
`AdversarialHealth`.

Deviations: the papers train larger networks for longer; critics take one step per generator step;
and the discriminator has no batch normalization, because penalties do not allow it.

Data: fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR), padded to
32x32. The cpu preset then downscales them to 16x16, because 32x32 would take more steps.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import extractor_accuracies

import dataclasses
from functools import partial

import keras
import numpy as np
from keras.optimizers import Adam

from keras_gen.core import NonFiniteLossError, averaged_weights
from keras_gen.data import Source, pad_to, resize_cover, small_images
from keras_gen.gan import GAN
from keras_gen.losses import R1
from keras_gen.messages import in_words
from keras_gen.metrics import GenerationEvaluation, trained_extractors
from keras_gen.metrics.adversarial_health import AdversarialHealth
from keras_gen.networks import dcgan_discriminator, dcgan_generator
from keras_gen.workshop.baselines import mixture_samples
from keras_gen.workshop.visualize import image_rows, samples

# The first combination is the main model.
OBJECTIVES = ("non_saturating", "least_squares", "wasserstein", "hinge", "relativistic")
HOLDS = ("r1", "gradient", "spectral", "none")
TABLE = [(objective, hold) for objective in OBJECTIVES for hold in HOLDS]
TABLE += [("non_saturating", hold) for hold in ("dragan", "consistency", "augmentation")]
IN_WORDS = {
    "r1": "R1",
    "gradient": "gradient penalty",
    "spectral": "spectral normalization",
    "none": "no regularizer",
    "dragan": "DRAGAN",
    "augmentation": "DiffAugment",
}
FIGURES = ("kernel_distance", "frechet_distance", "pyramid_16")


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    size: int = 32  # Side length of the images, in pixels
    latent_dim: int = 64  # Number of latent dimensions
    filters: int = 64  # Channels of the discriminator's first layer, doubled at each stage
    d_rate: float = 4e-4  # Adam's learning rate for the discriminator
    g_rate: float = 1e-4  # Adam's learning rate for the generator
    r1_weight: float = 10.0  # Weight of the R1 penalty
    ema: float = 0.998
    """EMA momentum for the generators; evaluation uses the averaged weights. 0 disables EMA."""
    combinations: int = len(TABLE)
    """Number of combinations of an objective and a regularizer to train."""
    compared: int = 10_000
    """Number of images to compare from each set: samples, test images, and training images."""
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


PRESETS = {
    "smoke": dict(filters=4, epochs=2, steps_per_epoch=10, batch_size=32, combinations=2,
                  compared=200, classifier_steps=20),
    "cpu": dict(size=16, filters=16, g_rate=4e-4, r1_weight=0.1, epochs=30,
                steps_per_epoch=200, batch_size=64, grid_every=25, compared=2000,
                steps_per_execution=50),
    "paper": dict(epochs=100, steps_per_epoch=1000, batch_size=64, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("fashion_mnist", labels=True))
    images, labels = data.train.map(partial(resized, s.size)).arrays()
    test_images, _ = data.test.map(partial(resized, s.size)).take(s.compared).arrays()
    train = Source(images)

    # Train the main model, the first combination. Each step: one update of the discriminator, then
    # one update of the generator.
    model = build(run, s, *TABLE[0])
    health = []
    callback = AdversarialHealth(images[:500], say=health.append)
    run.fit(model, train, samples, callbacks=[callback])
    run.export(model, default="sample")

    # Prepare the evaluation: the classifiers' features of test images, and the baseline.
    extractors = trained_extractors(images, labels, s.classifier_steps)
    evaluate = GenerationEvaluation(extractors, images[: len(test_images)], s.seed)
    mixture = mixture_samples(images, len(test_images), seed=s.seed, black=True)

    # Train the other combinations.
    rows = {"_".join(TABLE[0]): measure(model, evaluate, s, health)}
    for combination in TABLE[1 : s.combinations]:
        name = "_".join(combination)
        rows[name] = run.once(name, train_and_measure, run, s, combination, train, evaluate)

    with run.evaluation(model) as metrics:
        shown = {}
        for (objective, hold), row in zip(TABLE, rows.values(), strict=False):
            name = f"{in_words(objective)}, {IN_WORDS.get(hold, hold)}"
            shown[name] = np.array(row["samples"], "uint8")
        shown["test images"] = test_images[:10]
        run.draw("combinations", image_rows(shown))
        rows["baseline"] = evaluate(mixture)
        rows["floor"] = evaluate(test_images)
        for key in (*FIGURES, "health", "stopped"):
            metrics |= {f"{key}_{name}": row[key] for name, row in rows.items() if key in row}
        metrics |= {f"extractor_{name}": each.name for name, each in extractors.items()}
        metrics |= extractor_accuracies(extractors)


def resized(size, image, label):
    return resize_cover(pad_to(image, 32), size), label


def build(run, s, objective, hold):
    """Returns a combination's compiled model; all combinations start from the same weights."""
    keras.utils.set_random_seed(s.seed)
    shape = (s.size, s.size, 1)
    penalties = {name: name for name in ("gradient", "dragan", "consistency")}
    penalties["r1"] = R1(s.r1_weight)
    normalization = "spectral" if hold == "spectral" else None
    augmentation = ("color", "translation", "cutout") if hold == "augmentation" else ()
    with run.strategy.scope():
        model = GAN(
            dcgan_generator(shape, s.latent_dim, s.filters),
            dcgan_discriminator(shape, s.filters, normalization),
            objective,
            penalties.get(hold),
            augmentation=augmentation,
            seed=s.seed,
        )
        d_optimizer = Adam(s.d_rate, 0.5)
        g_optimizer = run.averaged(Adam(s.g_rate, 0.5))
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)
    return model


def train_and_measure(run, s, combination, train, evaluate):
    """Returns the metrics of a combination, even if its training fails."""
    model = build(run, s, *combination)
    health = []
    callback = AdversarialHealth(train.take(500).arrays(), say=health.append)
    ending = {}
    try:
        model.fit(
            train.stream(s.batch_size, s.seed),
            epochs=s.epochs,
            steps_per_epoch=s.steps_per_epoch,
            verbose=0,
            callbacks=[callback],
        )
    except NonFiniteLossError as error:
        ending = {"stopped": str(error)}
    return measure(model, evaluate, s, health) | ending


def measure(model, evaluate, s, health):
    """Returns the metrics of a model's samples, its health records, and some of the samples."""
    with averaged_weights(model):
        found = evaluate(model.sample(len(evaluate.real), seed=s.seed))
        shown = model.sample(10, seed=1).tolist()
    return {key: found[key] for key in FIGURES} | {"health": health, "samples": shown}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
