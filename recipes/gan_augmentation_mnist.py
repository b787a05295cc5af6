"""Digits of a GAN beside few real ones: whether they help a classifier.

Of 50, 200 or 1,000 labeled digits a classifier is trained in four ways: on them alone; with shifts,
the ordinary augmentation; with as many digits beside them that a conditional GAN draws, trained on
the same digits and no others; and with both. Beside it stands a support vector machine of the
labeled digits. All of it is repeated for other draws of the labels. A GAN adds no more than how its
networks fill the space between the digits that it knows.

  python recipes/gan_augmentation_mnist.py                  about 39 minutes on one of two CPU cores
  python recipes/gan_augmentation_mnist.py --preset smoke   under a minute

Antoniou, Storkey, Edwards: "Data Augmentation Generative Adversarial Networks", 2017, whose GAN is
another. What the discriminator sees is augmented too, or it would learn so few digits by heart.
Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR), padded to 32x32.
"""

import dataclasses
from functools import partial

import keras
import numpy as np
from sklearn.svm import SVC

from keras_gen.data import Source, even_order, pad_to, random_shift_flip, small_images
from keras_gen.gan import ConditionalGAN
from keras_gen.media.images import flat_pixels
from keras_gen.metrics import mean_and_deviation
from keras_gen.networks import conv_encoder
from keras_gen.run import Run, RunSettings, run_recipe
from keras_gen.training import averaged_weights
from keras_gen.visualize import line_plot, samples


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    latent_dim: int = 64  # Dimensions of a GAN's latents
    filters: int = 64  # Channels of the discriminator's first layer; they double with every stage
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


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    train, test = (part.map(lambda x, y: (pad_to(x, 32), y)) for part in (data.train, data.test))
    counts = [int(count) for count in s.labels.split()]
    labels, found, models, main_one = train.arrays()[1], {}, {}, (counts[-1], s.seed)
    for count in counts:
        for seed in range(s.seed, s.seed + s.repeats):
            few = train.select(even_order(labels, seed)[:count])
            models[count, seed] = model = gan(run, s, seed)
            part = "" if (count, seed) == main_one else f"labels_{count}_seed_{seed}"
            run.fit(model, partial(few.stream, s.batch_size, seed), samples, part=part)

    with run.evaluation(models[main_one]) as metrics:
        for (count, seed), model in models.items():
            few = train.select(even_order(labels, seed)[:count])
            measure = partial(accuracies, s, seed, few, test.arrays(), model)
            found[count, seed] = run.once(f"{count} labels, seed {seed}", measure)
        ways = (*WAYS, "svc")
        for count in counts:
            of_seeds = [of for (labeled, _), of in found.items() if labeled == count]
            metrics |= mean_and_deviation(of_seeds, f"{{}}_{count}", ways)
        lines = {way: (counts, [metrics[f"{way}_{n}"] for n in counts]) for way in ways}
        run.draw("accuracy", line_plot(lines, "labels", "test accuracy (%)", log_x=True))
    run.export(models[main_one], default="sample")


def gan(run, s, seed):
    """A conditional GAN that waits for its few digits."""
    with run.strategy.scope():
        keras.utils.set_random_seed(seed)
        sizes = dict(latent_dim=s.latent_dim, filters=s.filters)
        options = dict(augmentation=("translation", "cutout"), seed=seed)
        model = ConditionalGAN.for_images((32, 32, 1), classes=10, **sizes, **options)
        d_optimizer, g_optimizer = (keras.optimizers.Adam(s.learning_rate, 0.5) for _ in "dg")
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=run.averaged(g_optimizer))
    return model


def accuracies(s, seed, few, test, model):
    """Test accuracies of the classifier in percent, by the way it was trained."""
    (images, labels), drawn = few.arrays(), np.arange(s.generated) % 10
    # As often as those that are drawn, so that half of a batch is real.
    again = np.resize(np.arange(len(images)), s.generated)
    with averaged_weights(model):
        made = model.sample(s.generated, seed=seed, label=drawn)
    mixed = np.concatenate([images[again], made]), np.concatenate([labels[again], drawn])
    machine = SVC().fit(flat_pixels(images), labels)
    found = {"svc": 100 * float(machine.score(flat_pixels(test[0]), test[1]))}
    shifts = random_shift_flip(s.shift, flip=False)
    for way in WAYS:
        keras.utils.set_random_seed(seed)
        scale, network = keras.layers.Rescaling(1 / 127.5, -1), conv_encoder((32, 32, 1), 10)
        classifier = keras.Sequential([scale, network])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        rate = keras.optimizers.schedules.CosineDecay(s.classifier_rate, s.classifier_steps)
        classifier.compile(keras.optimizers.Adam(rate), loss)
        source = Source(mixed if way in ("gan", "both") else (images, labels))
        augment = shifts if way in ("shifts", "both") else None
        batches = source.stream(s.batch_size, seed, augment=augment)
        classifier.fit(batches, steps_per_epoch=s.classifier_steps, verbose=0, shuffle=False)
        classes = classifier.predict(test[0], 500, verbose=0).argmax(axis=1)
        found[way] = 100 * float((classes == test[1]).mean())
    return found


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
