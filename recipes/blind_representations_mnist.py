"""Fair representations on colored MNIST: predict parity but not color.

Edwards, Storkey: "Censoring Representations with an Adversary", ICLR 2016; Raff, Sylvester:
"Gradient Reversal against Discrimination", DSAA 2018.

  python recipes/blind_representations_mnist.py                 18 minutes on one of two CPU cores
  python recipes/blind_representations_mnist.py --preset smoke  under a minute

Expected result of the cpu preset: the AUC for color is 0.57 with an adversary and 0.64 without one,
with accuracies of 0.960 and 0.970; for gray digits, the AUC is 0.51 and the accuracy 0.981.

Four fifths of the odd digits and half of the even digits are red, so color is informative about the
class; among test digits, half of each class are red. Networks trained with an adversary (ALFR) or
gradient reversal (GRAD) compute features of a digit. Freshly trained probes, logistic regression
and gradient-boosted trees, predict the color from these features (the larger AUC counts; 0.5 is
chance). These probes are trained on recolored training digits, half red in each class, so the class
does not help them. The class accuracy is also reported, overall and for green odd digits, the rare
group.

If the attribute is known to be color, no adversary is needed, because a network trained on gray
digits is color-blind by design. Linear erasure (LEACE) on the pixels is an inexpensive method that
does not require the colors at prediction time. However, it gives no guarantee if the correlation
between colors and classes differs from the correlation in the digits to which it was fitted.

Deviations: see each model. In addition, Adam uses cosine decay.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import suffixed

import dataclasses
from functools import partial

import keras
import tensorflow as tf
from keras.optimizers import Adam
from sklearn.linear_model import LogisticRegression

from keras_gen.classifiers import Classifier, dense_discriminator
from keras_gen.data import Source, rare_color, small_images
from keras_gen.fairness import ALFR, GRAD
from keras_gen.metrics import attribute_leak, group_report, mean_and_deviation
from keras_gen.networks import conv_encoder, mlp_encoder
from keras_gen.workshop.baselines import LinearErasure
from keras_gen.workshop.visualize import code_scatter

COLORS = ("red", "green")
RARE = 3  # index of the group of green odd digits
SHOWN = 2000  # digits per image


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    seeds: int = 3  # Number of seeds for weights and data order, starting at --seed
    green: float = 0.2  # Fraction of green digits among the odd training digits
    filters: int = 16  # Channels of the first convolution; the second has twice as many
    features: int = 2  # Number of learned features per digit
    hidden: int = 64  # Units in each hidden layer of the adversary
    learning_rate: float = 1e-3  # Adam's learning rate; cosine decay to 0
    weight: float = 1.0  # Weight of the adversary
    discriminator_steps: int = 5  # Number of adversary updates per encoder update in ALFR
    erased: int = 10_000
    """Number of digits used to fit the linear erasure of color from pixels, a baseline."""


PRESETS = {
    "smoke": dict(seeds=1, filters=4, hidden=8, discriminator_steps=2, epochs=2,
                  steps_per_epoch=10, batch_size=16, steps_per_execution=5, erased=200),
    "cpu": dict(epochs=4, steps_per_epoch=500, batch_size=100, steps_per_execution=100),
    "paper": dict(seeds=5, epochs=20, steps_per_epoch=600, batch_size=100,
                  steps_per_execution=100, erased=60_000),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    colored = with_colors(data.train, s.green, s.seed)
    probed = with_colors(data.train, 0.5, s.seed)
    test = with_colors(data.test, 0.5, s.seed)
    test_images, _, test_colors = test.arrays()

    with run.strategy.scope():
        model = blind(ALFR, s, s.seed)
        run.compile(model, optimizer=Adam(rate(s)), d_optimizer=Adam(s.learning_rate))

    def draw(model):
        features = model.features(test_images[:SHOWN])[:, :2]
        return code_scatter(
            {"two features": features}, test_colors[:SHOWN], COLORS, colors=COLORS
        )

    # Each step: one update of the encoder and the classifier, then several updates of the
    # adversary.
    run.fit(model, colored, draw)
    run.export(model, default="features")

    found = {}
    for name, way in {"alfr": alfr, "grad": grad, "plain": plain, "gray": gray}.items():
        measure = partial(way, s, colored, probed, test)
        found[name] = run.each_seed(f"{name}, seed {{}}", measure, s.seeds)

    with run.evaluation(model) as metrics:
        metrics |= suffixed(report(model, probed, test), "_exported")
        for name, of_seeds in found.items():
            metrics |= mean_and_deviation(of_seeds, f"{{}}_{name}")
        some = colored.take(s.erased), probed.take(s.erased)
        metrics |= suffixed(erased(*some, test), "_erased")


def with_colors(digits, green, seed):
    """Returns examples (image, whether it is odd, color)."""
    painted, groups = rare_color(digits, green, seed)
    images, odd = painted.arrays()
    return Source((images, odd, groups % 2), origin=painted.origin)


def rate(s):
    return keras.optimizers.schedules.CosineDecay(s.learning_rate, s.epochs * s.steps_per_epoch)


def networks(s, channels):
    """Returns an encoder with few bounded features and a linear classifier."""
    encoder = conv_encoder(
        (28, 28, channels), s.features, (s.filters, 2 * s.filters), output_activation="tanh"
    )
    return encoder, mlp_encoder((s.features,), 2, hidden=(), name="classifier")


def blind(cls, s, seed, **options):
    """Returns a model with initial weights from the seed."""
    keras.utils.set_random_seed(seed)
    discriminator = dense_discriminator(s.features, 2, (s.hidden, s.hidden))
    if cls is ALFR:
        options["discriminator_steps"] = s.discriminator_steps
    return cls(*networks(s, 3), discriminator, **{"weight": s.weight} | options, seed=seed)


def alfr(s, colored, probed, test, seed):
    """Returns the report on a model trained with the seed, as do the functions below."""
    model = blind(ALFR, s, seed)
    optimizers = dict(optimizer=Adam(rate(s)), d_optimizer=Adam(s.learning_rate))
    return report(trained(model, s, seed, colored, **optimizers), probed, test)


def grad(s, colored, probed, test, seed):
    model = blind(GRAD, s, seed)
    return report(trained(model, s, seed, colored, optimizer=Adam(rate(s))), probed, test)


def plain(s, colored, probed, test, seed):
    """Returns the report on a model whose encoder ignores its adversary."""
    model = blind(GRAD, s, seed, weight=0.0)
    return report(trained(model, s, seed, colored, optimizer=Adam(rate(s))), probed, test)


def gray(s, colored, probed, test, seed):
    """Returns the report on a model for images without color."""
    keras.utils.set_random_seed(seed)
    model = Classifier(*networks(s, 1), seed=seed)
    colored, probed, test = (each.map(uncolored) for each in (colored, probed, test))
    labeled = colored.map(lambda image, odd, color: (image, odd))
    trained(model, s, seed, labeled, optimizer=Adam(rate(s)))
    return report(model, probed, test)


def uncolored(image, odd, color):
    return tf.reduce_sum(image, axis=-1, keepdims=True), odd, color


def trained(model, s, seed, examples, **optimizers):
    model.compile(**optimizers, steps_per_execution=s.steps_per_execution)
    steps = s.epochs * s.steps_per_epoch
    model.fit(examples.stream(s.batch_size, seed), steps_per_epoch=steps, verbose=0)
    return model


def report(model, probed, test):
    """Returns how well features predict the color, and the accuracies for all and rare digits."""
    images, _, colors = probed.arrays()
    test_images, test_odd, test_colors = test.arrays()
    named = model.classify(test_images).argmax(axis=1)
    codes = model.features(images), model.features(test_images)
    return of_codes(codes, colors, named, test_odd, test_colors)


def erased(colored, probed, test):
    """Returns the report on pixels from which linearly predictive information was erased."""
    images, odd, colors = map(flat, colored.arrays())
    erasure = LinearErasure(images, colors)
    probed_images, _, probed_colors = map(flat, probed.arrays())
    test_images, test_odd, test_colors = map(flat, test.arrays())
    linear = LogisticRegression(max_iter=200).fit(erasure(images), odd)
    codes = erasure(probed_images), erasure(test_images)
    return of_codes(codes, probed_colors, linear.predict(codes[1]), test_odd, test_colors)


def flat(values):
    return values.reshape(len(values), -1) / 255 if values.ndim > 1 else values


def of_codes(codes, colors, named, test_odd, test_colors):
    leaks = attribute_leak(codes[0], colors, codes[1], test_colors)
    right = group_report(named, test_odd, 2 * test_odd + test_colors)
    return leaks | {"accuracy": right["accuracy"], "rare": right[f"group_{RARE}"]}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
