"""Do digits drawn by a GAN help a classifier that has few real ones?

Antoniou, Storkey, Edwards: "Data Augmentation Generative Adversarial Networks", 2017, whose GAN is
another.

  python recipes/gan_augmentation_mnist.py                  about 39 minutes on one of two CPU cores
  python recipes/gan_augmentation_mnist.py --preset smoke   under a minute

Expected result of the cpu preset with 50 labels: a test accuracy of 62 % with a GAN's digits, 67 %
without them, 77 % with shifts.

A classifier is trained on 50, 200 or 1,000 labeled digits in four ways: on them alone; with shifts,
the ordinary augmentation; with as many digits drawn by a conditional GAN, which was trained on the
same few digits; and with both. The baseline is a support vector machine of the labeled digits. All
of it is repeated for other draws of the labels. The images that the discriminator sees are
augmented too, because it would learn so few digits by heart. A GAN adds no more than how its
networks fill the space between the digits that it knows.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR), padded to 32x32.
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe
from keras_gen.workshop.run.reports import plot_by_count

import dataclasses
from functools import partial

import keras
import numpy as np
from keras.optimizers import Adam
from sklearn.svm import SVC

from keras_gen.core import averaged_weights
from keras_gen.data import Source, even_order, pad_to, random_shift_flip, small_images
from keras_gen.files.images import flat_pixels
from keras_gen.gan import ConditionalGAN
from keras_gen.metrics import mean_and_deviation
from keras_gen.networks import conv_encoder
from keras_gen.workshop.visualize import samples


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    latent_dim: int = 64  # Dimensions of a GAN's latents
    filters: int = 64  # Channels of the discriminator's first layer, doubled with every stage
    learning_rate: float = 2e-4  # Adam's rate for both networks of a GAN
    ema: float = 0.99  # Momentum of the generator's weight average, which draws; 0: none
    generated: int = 10_000  # Digits that a GAN draws once for the classifier
    classifier_steps: int = 1000  # Training steps of each classifier
    classifier_rate: float = 2e-3  # Adam's rate for it
    shift: int = 2  # Most pixels of a shift
    labels: str = "50 200 1000"  # Numbers of labels, the last those of the GAN that is exported
    repeats: int = 5  # Draws of the labels, from `seed` on


PRESETS = {
    "smoke": dict(labels="50", latent_dim=4, filters=4, ema=0.5, generated=100, epochs=2,
                  classifier_steps=3, repeats=1, steps_per_epoch=3, batch_size=10),
    "cpu": dict(filters=16, learning_rate=5e-4, epochs=4, steps_per_epoch=250, batch_size=50,
                classifier_steps=400),
    "paper": dict(epochs=100, steps_per_epoch=500, batch_size=50, grid_every=10),
}  # fmt: skip

WAYS = ("plain", "shifts", "gan", "both")
IN_WORDS = {
    "plain": "labeled digits alone",
    "shifts": "with shifts",
    "gan": "with a GAN's digits",
    "both": "with shifts and a GAN's digits",
    "svc": "a support vector machine",
}


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    train = data.train.map(padded)
    test = data.test.map(padded).arrays()
    _, labels = train.arrays()
    counts = [int(count) for count in s.labels.split()]
    seeds = range(s.seed, s.seed + s.repeats)
    main_case = (counts[-1], s.seed)

    # A GAN for each number of labels and each draw of them.
    # Each step: one update of the discriminator, then one of the generator.
    models = {}
    for count in counts:
        for seed in seeds:
            few = train.select(even_order(labels, seed)[:count])
            model = build_gan(run, s, seed)
            stream = partial(few.stream, s.batch_size, seed)
            part = "" if (count, seed) == main_case else f"labels_{count}_seed_{seed}"
            run.fit(model, stream, samples, part=part)
            models[count, seed] = model
    run.export(models[main_case], default="sample")

    # The classifiers.
    accuracies = {}
    for count in counts:
        accuracies[count] = []
        for seed in seeds:
            few = train.select(even_order(labels, seed)[:count])
            model = models[count, seed]
            measure = partial(test_accuracies, s, seed, few.arrays(), test, model)
            accuracies[count].append(run.once(f"{count} labels, seed {seed}", measure))

    with run.evaluation(models[main_case]) as metrics:
        for count in counts:
            metrics |= mean_and_deviation(accuracies[count], f"{{}}_{count}", (*WAYS, "svc"))
        y_label = f"test accuracy (%), mean and deviation of {s.repeats} draws"
        run.draw("accuracy", plot_by_count(metrics, IN_WORDS, counts, "deviation", y_label))


def padded(image, label):
    return pad_to(image, 32), label


def build_gan(run, s, seed):
    """A compiled conditional GAN."""
    with run.strategy.scope():
        keras.utils.set_random_seed(seed)
        model = ConditionalGAN.for_images(
            (32, 32, 1),
            classes=10,
            latent_dim=s.latent_dim,
            filters=s.filters,
            augmentation=("translation", "cutout"),
            seed=seed,
        )
        d_optimizer = Adam(s.learning_rate, 0.5)
        g_optimizer = run.averaged(Adam(s.learning_rate, 0.5))
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)
    return model


def test_accuracies(s, seed, few, test, model):
    """Test accuracies of the classifiers of a few labeled digits in percent, by their training."""
    images, labels = few
    test_images, test_labels = test

    machine = SVC().fit(flat_pixels(images), labels)
    accuracies = {"svc": 100 * float(machine.score(flat_pixels(test_images), test_labels))}

    drawn_labels = np.arange(s.generated) % 10
    with averaged_weights(model):
        drawn_images = model.sample(s.generated, seed=seed, label=drawn_labels)
    # The labeled digits are repeated, so that half of a batch is real.
    repeated = np.resize(np.arange(len(images)), s.generated)
    mixed_images = np.concatenate([images[repeated], drawn_images])
    mixed_labels = np.concatenate([labels[repeated], drawn_labels])

    real = Source((images, labels))
    mixed = Source((mixed_images, mixed_labels))
    shifts = random_shift_flip(s.shift, flip=False)
    ways = {
        "plain": (real, None),
        "shifts": (real, shifts),
        "gan": (mixed, None),
        "both": (mixed, shifts),
    }
    for way, (source, augment) in ways.items():
        classifier = build_classifier(s, seed)
        stream = source.stream(s.batch_size, seed, augment=augment)
        classifier.fit(stream, steps_per_epoch=s.classifier_steps, verbose=0, shuffle=False)
        found = classifier.predict(test_images, 500, verbose=0).argmax(axis=1)
        accuracies[way] = 100 * float((found == test_labels).mean())
    return accuracies


def build_classifier(s, seed):
    """A compiled classifier of digits."""
    keras.utils.set_random_seed(seed)
    scale = keras.layers.Rescaling(1 / 127.5, -1)
    network = conv_encoder((32, 32, 1), 10)
    classifier = keras.Sequential([scale, network])
    rate = keras.optimizers.schedules.CosineDecay(s.classifier_rate, s.classifier_steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(Adam(rate), loss)
    return classifier


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
