"""Domain adaptation between digit datasets: DANN, domain confusion, and ADDA.

Ganin et al.: "Domain-Adversarial Training of Neural Networks", JMLR 2016; Tzeng et al.:
"Simultaneous Deep Transfer Across Domains and Tasks", ICCV 2015, and "Adversarial Discriminative
Domain Adaptation", CVPR 2017.

  python recipes/domain_adaptation_digits.py                    17 minutes on one of two CPU cores
  python recipes/domain_adaptation_digits.py --preset smoke     under a minute

Expected result of the cpu preset: ADDA classifies 54% of MNIST-M, 80% of USPS, and 78% of MNIST
correctly; the source-only network reaches 23%, 61%, and 35%, and DANN 29%, 66%, and 60%. Nearest
neighbors in HOG features, without adaptation, reach 68%, 81%, and 70%; on cropped digits, they
reach 90% of USPS and 79% of MNIST. A support vector machine on digits blended into photographs
classifies 86% of MNIST-M correctly.

Gradient reversal (DANN), domain confusion, and ADDA are compared with a network trained only on the
source, from MNIST to MNIST-M (digits on photographs) and between MNIST and USPS. Each method is
trained with several seeds, which also determine the samples of 2,000 MNIST and 1,800 USPS digits.
Target labels are used only to evaluate test digits, whose photographs differ from those used in
training. See also co_gan_mnist_usps, which uses the same digits, and unit_mnist_usps, which
translates digits before classification.

The baselines require no second training run: the nearest neighbor in pixel space; the five nearest
neighbors in histograms of oriented gradients (HOG); a linear classifier on features with the
target's mean and covariance (CORAL); and both types of neighbors for digits whose ink is scaled to
fill the image. Scaling helps because much of the gap between MNIST and USPS is due to the missing
margin in USPS. For MNIST-M, another baseline is a support vector machine on HOG of labeled digits
that are blended into training photographs, as in MNIST-M.

Weights were chosen for MNIST to USPS, with the labels of USPS training digits that were not
sampled.

Deviations: all methods train LeNet with Adam for the same number of steps, except ADDA, which
starts from the source network.

Data: mnist and usps through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR; usps from files
that you download yourself, listed in the error message), and photographs as for srgan_set5.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import keras
import numpy as np
from keras.optimizers import Adam
from sklearn.svm import SVC

from keras_gen.adaptation import ADDA, DANN, DomainConfusion
from keras_gen.classifiers import Classifier
from keras_gen.core.schedules import Sigmoid
from keras_gen.data import (
    Sets,
    Source,
    on_photographs,
    photograph_patches,
    small_images,
    unpaired,
)
from keras_gen.metrics import gradient_histograms, mean_and_deviation
from keras_gen.workshop.baselines import (
    coral_accuracy,
    framed_ink,
    gradient_accuracy,
    neighbor_accuracy,
)
from keras_gen.workshop.visualize import captioned

CLASSES = 10
ROWS = 6  # number of digits per column in a sample grid; each column shows one predicted class
COPIES = 4  # number of photographs into which each labeled digit is blended for a baseline
SHOWN = 500  # number of digits from which the grid's digits are selected


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    seeds: int = 5  # Number of seeds for digit samples and initial weights, starting at --seed
    mnist_images: int = 2000  # Number of MNIST training digits
    usps_images: int = 1800  # Number of USPS training digits
    tested: int = 10_000  # Maximum number of test digits per target dataset
    filters: int = 20  # Channels of LeNet's first convolution
    hidden: int = 500  # Units in LeNet's dense layer
    learning_rate: float = 3e-4  # Adam's learning rate
    dann_weight: float = 0.05  # Final weight of the reversed gradient
    confusion_weight: float = 0.03  # Final weight of the confusion loss
    source_epochs: int = 3
    """Number of epochs for all methods except ADDA, which starts from a source network."""
    adda_rate: float = 2e-4  # Adam's learning rate for ADDA


PRESETS = {
    "smoke": dict(seeds=1, mnist_images=100, usps_images=90, tested=50, filters=4, hidden=8,
                  source_epochs=1, epochs=2, steps_per_epoch=10, batch_size=8,
                  steps_per_execution=5),
    "cpu": dict(seeds=3, epochs=6, steps_per_epoch=500, batch_size=64, steps_per_execution=100),
    "paper": dict(epochs=20, source_epochs=20, steps_per_epoch=500, batch_size=64,
                  steps_per_execution=100),
}  # fmt: skip

WAYS = ("source_alone", "dann", "confusion", "adda")


def main(run: Run, s: Settings):
    data = run.load(
        Sets(
            mnist=small_images("mnist", labels=True),
            usps=small_images("usps", labels=True, fill=True),
            photographs=photograph_patches(28),
        )
    )
    mnist, usps = data.train_mnist.arrays(), data.train_usps.arrays()
    test_mnist = data.test_mnist.take(s.tested).arrays()
    test_usps = data.test_usps.take(s.tested).arrays()
    photographs = data.train_photographs.arrays()
    test_photographs = data.test_photographs.arrays()
    test_mnist_m = on_photographs(test_mnist[0], test_photographs), test_mnist[1]

    def task(target, seed):
        """Returns labeled source images, target images, and labeled test images."""
        rng = np.random.default_rng(seed)
        from_mnist = drawn(mnist, s.mnist_images, rng)
        from_usps = drawn(usps, s.usps_images, rng)
        if target == "usps":
            return from_mnist, from_usps[0], test_usps
        if target == "mnist":
            return from_usps, from_mnist[0], test_mnist
        others, _ = drawn(mnist, s.mnist_images, rng)
        images, labels = from_mnist
        return (
            (in_color(images), labels),
            on_photographs(others, photographs, seed),
            test_mnist_m,
        )

    # Train the model that is shown and exported, which adapts from MNIST to USPS.
    source, target, test = task("usps", s.seed)
    with run.strategy.scope():
        keras.utils.set_random_seed(s.seed)
        alone = Classifier.for_images(source[0].shape[1:], filters=s.filters, hidden=s.hidden)
        run.compile(alone, Adam(s.learning_rate))
    run.fit(alone, Source(source), part="source", epochs=s.source_epochs)
    with run.strategy.scope():
        model = ADDA.from_source(alone, (s.hidden, s.hidden))
        run.compile(model, optimizer=Adam(s.adda_rate, 0.5), d_optimizer=Adam(s.adda_rate, 0.5))

    def draw(model):
        return by_class(model, test[0][:SHOWN])

    run.fit(model, partial(domain_batches, source, target, s.batch_size, s.seed), draw)
    run.export(model, default="classify")

    found = {}
    for name in ("mnist_m", "usps", "mnist"):
        measure = partial(measured, s, task, name)
        found[name] = run.each_seed(f"to {name}, seed {{}}", measure, s.seeds)
    for seed, of_seed in zip(range(s.seed, s.seed + s.seeds), found["mnist_m"], strict=True):
        labeled, _, on_new_photographs = task("mnist_m", seed)
        of_seed["pasted"] = pasted_accuracy(*labeled, photographs, *on_new_photographs, seed)

    with run.evaluation(model) as metrics:
        right = accuracy(model, *test)
        metrics["exported_to_usps"] = right
        metrics["exported_to_usps_deviation"] = np.sqrt(right * (1 - right) / len(test[1]))
        for name, of_seeds in found.items():
            metrics |= mean_and_deviation(of_seeds, f"{{}}_to_{name}")


def drawn(examples, count, rng):
    """Returns the given number of random examples, images and labels."""
    images, labels = examples
    some = rng.permutation(len(images))[:count]
    return images[some], labels[some]


def in_color(images):
    return np.repeat(images, 3, axis=-1)


def domain_batches(source, target, batch_size, seed, start=0):
    """Returns batches of source images, their labels, and target images."""
    pairs = unpaired(Source(source), Source(target), batch_size, seed, start)
    return pairs.map(lambda labeled, other: (*labeled, other))


def dann(s, shape, seed):
    keras.utils.set_random_seed(seed)
    weight = Sigmoid(s.dann_weight, s.source_epochs * s.steps_per_epoch)
    sizes = dict(filters=s.filters, hidden=s.hidden, discriminator_hidden=(s.hidden,))
    return DANN.for_images(shape, **sizes, weight=weight, seed=seed)


def measured(s, task, name, seed):
    """Returns the fractions of test images classified correctly, by method."""
    source, target, test = task(name, seed)
    shape = source[0].shape[1:]
    steps = s.source_epochs * s.steps_per_epoch
    sizes = dict(filters=s.filters, hidden=s.hidden)
    batches = domain_batches(source, target, s.batch_size, seed)

    keras.utils.set_random_seed(seed)
    alone = Classifier.for_images(shape, **sizes, seed=seed)
    trained(
        alone,
        Source(source).stream(s.batch_size, seed),
        steps,
        s,
        optimizer=Adam(s.learning_rate),
    )

    reversal = dann(s, shape, seed)
    trained(reversal, batches, steps, s, optimizer=Adam(s.learning_rate))

    keras.utils.set_random_seed(seed)
    weight = Sigmoid(s.confusion_weight, steps)
    sizes |= dict(discriminator_hidden=(s.hidden,))
    confusion = DomainConfusion.for_images(shape, **sizes, weight=weight, seed=seed)
    both = dict(optimizer=Adam(s.learning_rate), d_optimizer=Adam(s.learning_rate))
    trained(confusion, batches, steps, s, **both)

    adda = ADDA.from_source(alone, (s.hidden, s.hidden), seed=seed)
    both = dict(optimizer=Adam(s.adda_rate, 0.5), d_optimizer=Adam(s.adda_rate, 0.5))
    trained(adda, batches, s.epochs * s.steps_per_epoch, s, **both)

    models = dict(zip(WAYS, (alone, reversal, confusion, adda), strict=True))
    found = {name: accuracy(model, *test) for name, model in models.items()}
    found["dann_on_source"] = accuracy(reversal, *source)

    images, labels = source
    test_images, test_labels = test
    found["neighbor"] = neighbor_accuracy(*source, *test)
    framed = framed_ink(images[..., :1]), labels, framed_ink(test_images[..., :1]), test_labels
    found["framed_neighbor"] = neighbor_accuracy(*framed)
    found["gradients"] = gradient_accuracy(*source, *test)
    found["framed_gradients"] = gradient_accuracy(*framed)
    features = (
        alone.features(images),
        labels,
        alone.features(target),
        alone.features(test_images),
    )
    found["aligned"] = coral_accuracy(*features, test_labels, covariance=False)
    found["coral"] = coral_accuracy(*features, test_labels)
    return found


def pasted_accuracy(images, labels, photographs, test_images, test_labels, seed):
    """Returns the accuracy of a support vector machine on HOG of digits on photographs."""
    pasted = [
        gradient_histograms(on_photographs(images[..., :1], photographs, seed + copy))
        for copy in range(COPIES)
    ]
    machine = SVC(C=10).fit(np.concatenate(pasted), np.tile(labels, COPIES))
    return machine.score(gradient_histograms(test_images), test_labels)


def trained(model, batches, steps, s, **optimizers):
    model.compile(**optimizers, steps_per_execution=s.steps_per_execution)
    model.fit(batches, steps_per_epoch=steps, verbose=0)


def accuracy(model, images, labels):
    return float(np.mean(model.classify(images).argmax(axis=1) == labels))


def by_class(model, images):
    """Shows the first images assigned to each class, in that digit's column."""
    named = model.classify(images).argmax(axis=1)
    columns = []
    for digit in range(CLASSES):
        found = images[named == digit][:ROWS]
        blank = np.zeros((ROWS - len(found), *images.shape[1:]), np.uint8)
        columns.append(np.concatenate([found, blank]))
    names = [str(digit) for digit in range(CLASSES)]
    return captioned(np.stack(columns, axis=1), column_names=names)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
