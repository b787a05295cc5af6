"""Features of red and green digits that tell whether they are odd, and not their color.

Edwards, Storkey: "Censoring Representations with an Adversary", ICLR 2016; Raff, Sylvester:
"Gradient Reversal against Discrimination", DSAA 2018.

  python recipes/blind_representations_mnist.py                 10 minutes on one of two CPU cores
  python recipes/blind_representations_mnist.py --preset smoke  under a minute

Four fifths of the odd digits are red, and half of the even ones, so that the color says something
of the class; of test digits half are red in each. An adversary (ALFR) and gradient reversal (GRAD)
make features of a digit. By these, logistic regression and gradient-boosted trees, trained anew,
predict the color (area under the ROC curve, the larger one; 0.5 is blind). Beside it stand the
accuracy of the class, and that among the green odd digits, the rare ones.

Who knows what the color is needs no adversary: a network of gray digits is blind by design. Linear
erasure (LEACE) of the pixels is the cheap method for who does not.

Deviations: each model's. Adam with a rate that falls by a cosine.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from functools import partial

import keras
import numpy as np
from keras.optimizers import Adam
from sklearn.linear_model import LogisticRegression

from keras_gen.baselines import LinearErasure
from keras_gen.bases import Classifier, dense_discriminator
from keras_gen.data import Source, rare_color, small_images
from keras_gen.fairness import ALFR, GRAD
from keras_gen.metrics import attribute_leak, group_report, mean_and_deviation
from keras_gen.networks import conv_encoder, mlp_encoder
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.run.reports import suffixed
from keras_gen.visualize import code_scatter

COLORS = ("red", "green")
RARE = 3  # the group of green odd digits
SHOWN = 2000  # digits in an image


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    seeds: int = 3  # Initial weights and orders of the digits, from `seed` on
    green: float = 0.2  # Fraction of the odd training digits that are green
    filters: int = 16  # Channels of the first convolution, doubled by the second one
    features: int = 2  # Numbers that are made of a digit
    hidden: int = 64  # Units of the hidden layers of the adversary
    learning_rate: float = 1e-3  # Adam's rate, falling to zero by a cosine
    weight: float = 1.0  # Weight of the adversary
    discriminator_steps: int = 5  # Steps of ALFR's adversary for one of the encoder
    erased: int = 10_000  # Digits whose pixels linear methods are fitted to


PRESETS = {
    "smoke": dict(seeds=1, filters=4, hidden=8, discriminator_steps=2, epochs=2,
                  steps_per_epoch=10, batch_size=16, steps_per_execution=5, erased=200),
    "cpu": dict(epochs=4, steps_per_epoch=500, batch_size=100, steps_per_execution=100),
    "paper": dict(seeds=5, epochs=20, steps_per_epoch=600, batch_size=100,
                  steps_per_execution=100, erased=60_000),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    train, train_groups = rare_color(data.train, s.green, s.seed)
    test, groups = rare_color(data.test, 0.5, s.seed)
    images, odd = train.arrays()
    colored = Source((images, odd, train_groups % 2), origin=train.origin)
    test_images, test_odd = test.arrays()

    with run.strategy.scope():
        model = blind(ALFR, s, s.seed)
        run.compile(model, optimizer=Adam(rate(s)), d_optimizer=Adam(s.learning_rate))

    def draw(model):
        features = model.features(test_images[:SHOWN])[:, :2]
        return code_scatter({"features": features}, groups[:SHOWN] % 2, COLORS)

    # Each step: one update of encoder and classifier, then several of the adversary.
    run.fit(model, colored, draw)

    held_out = test_images, test_odd, groups
    found = {}
    for name, way in {"alfr": alfr, "grad": grad, "plain": plain, "gray": gray}.items():
        found[name] = []
        for seed in range(s.seed, s.seed + s.seeds):
            measure = partial(way, s, seed, colored, held_out)
            found[name].append(run.once(f"{name}, seed {seed}", measure))

    with run.evaluation(model) as metrics:
        metrics |= suffixed(report(model, colored, held_out), "_exported")
        for name, of_seeds in found.items():
            metrics |= mean_and_deviation(of_seeds, f"{{}}_{name}")
        some = colored.take(s.erased).arrays()
        metrics |= suffixed(erased(some, held_out), "_erased")
    run.export(model, default="features")


def rate(s):
    return keras.optimizers.schedules.CosineDecay(s.learning_rate, s.epochs * s.steps_per_epoch)


def networks(s, channels):
    """Returns an encoder to few bounded features, and a linear classifier of them."""
    encoder = conv_encoder(
        (28, 28, channels), s.features, (s.filters, 2 * s.filters), output_activation="tanh"
    )
    return encoder, mlp_encoder((s.features,), 2, hidden=(), name="classifier")


def blind(cls, s, seed, **options):
    """Returns a model with initial weights of the seed."""
    keras.utils.set_random_seed(seed)
    discriminator = dense_discriminator(s.features, 2, (s.hidden, s.hidden))
    if cls is ALFR:
        options["discriminator_steps"] = s.discriminator_steps
    return cls(*networks(s, 3), discriminator, **{"weight": s.weight} | options, seed=seed)


def alfr(s, seed, colored, held_out):
    """Returns the report on a model that is trained with the seed, and so do the next ones."""
    model = blind(ALFR, s, seed)
    optimizers = dict(optimizer=Adam(rate(s)), d_optimizer=Adam(s.learning_rate))
    return trained(model, s, seed, colored, held_out, **optimizers)


def grad(s, seed, colored, held_out):
    return trained(blind(GRAD, s, seed), s, seed, colored, held_out, optimizer=Adam(rate(s)))


def plain(s, seed, colored, held_out):
    """The encoder does not heed its opponent."""
    model = blind(GRAD, s, seed, weight=0.0)
    return trained(model, s, seed, colored, held_out, optimizer=Adam(rate(s)))


def gray(s, seed, colored, held_out):
    """The images have no color."""
    keras.utils.set_random_seed(seed)
    model = Classifier(*networks(s, 1), seed=seed)
    images, odd, colors = colored.arrays()
    test_images, *others = held_out
    uncolored = Source((images.sum(axis=-1, keepdims=True, dtype=np.uint8), odd, colors))
    test = (test_images.sum(axis=-1, keepdims=True, dtype=np.uint8), *others)
    return trained(model, s, seed, uncolored, test, optimizer=Adam(rate(s)))


def trained(model, s, seed, examples, held_out, **optimizers):
    model.compile(**optimizers, steps_per_execution=s.steps_per_execution)
    batches = examples.stream(s.batch_size, seed)
    if len(model.batch) == 2:
        batches = batches.map(lambda image, label, color: (image, label))
    model.fit(batches, steps_per_epoch=s.epochs * s.steps_per_epoch, verbose=0)
    return report(model, examples, held_out)


def report(model, examples, held_out):
    """Returns what features tell of the color, and accuracies over all and the rare digits."""
    images, _, colors = examples.arrays()
    test_images, test_odd, groups = held_out
    leaks = attribute_leak(
        model.features(images), colors, model.features(test_images), groups % 2
    )
    right = group_report(model.classify(test_images).argmax(axis=1), test_odd, groups)
    return leaks | {"accuracy": right["accuracy"], "rare": right[f"group_{RARE}"]}


def erased(examples, held_out):
    """Returns the same of the pixels without what a linear predictor could tell."""
    images, odd, colors = examples
    test_images, test_odd, groups = held_out
    pixels = images.reshape(len(images), -1) / 255
    erasure = LinearErasure(pixels, colors)
    codes = erasure(pixels)
    test_codes = erasure(test_images.reshape(len(test_images), -1) / 255)
    linear = LogisticRegression(max_iter=200).fit(codes, odd)
    leaks = attribute_leak(codes, colors, test_codes, groups % 2)
    right = group_report(linear.predict(test_codes), test_odd, groups)
    return leaks | {"accuracy": right["accuracy"], "rare": right[f"group_{RARE}"]}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
