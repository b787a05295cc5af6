"""InfoGAN on MNIST.

Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel: "InfoGAN: Interpretable Representation Learning
by Information Maximizing Generative Adversarial Nets", NeurIPS 2016, which reports an error of 5%.

  python recipes/info_gan_mnist.py                    15 minutes on one of two CPU cores
  python recipes/info_gan_mnist.py --preset paper --mixed-precision bfloat16  24 minutes on one core
  python recipes/info_gan_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: an error of 12% to 27%, depending on the seed (k-means on pixels:
45%; on strokes: 9%).

The generator receives a code with one ten-class category and two continuous variables, and a
network Q predicts the code from the generated images. As in the paper, the categories are used to
classify digits. Each category is matched to one label on training digits, whose labels are not used
for any other purpose. The baselines are k-means on pixels and on codes of strokes (see
`stroke_codes`), whose clusters are matched in the same way.

Deviations: matching uses labels of training digits, and the error is measured on test digits.
Latents are normal. In the cpu preset, all digits are randomly rotated, sheared, scaled, and shifted
before the discriminator and Q see them. Without these transformations, the slant of a one becomes a
category, and other digits share a category. Q predicts continuous codes with a fixed standard
deviation of 1 and the same weight as for a category, as in the authors' code. When Q learned the
standard deviation, as in the paper, the generator encoded the continuous variables more and more
precisely, and few categories matched a single digit.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses

import numpy as np
from keras.optimizers import Adam
from sklearn.cluster import KMeans

from keras_gen.data import small_images
from keras_gen.files.images import flat_pixels
from keras_gen.gan import InfoGAN
from keras_gen.metrics import matched_accuracy
from keras_gen.networks import info_gan_networks
from keras_gen.workshop.baselines import stroke_codes
from keras_gen.workshop.visualize import captioned


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 62  # Number of latent dimensions, not counting the codes
    filters: int = 64  # Channels at the highest resolution
    hidden: int = 1024  # Units in each dense layer
    weight: float = 1.0  # Weight of the mutual information with the category
    continuous_weight: float = 1.0  # Weight of the mutual information with the continuous codes
    scale: float = 1.0  # Standard deviation of the continuous codes predicted by the network Q
    d_learning_rate: float = 2e-4  # Adam's learning rate for the discriminator and the network Q
    g_learning_rate: float = 1e-3  # Adam's learning rate for the generator
    beta_1: float = 0.5  # Adam's beta_1, the decay rate of the gradients' running average
    augmentation: str = ""
    """Augmentation applied to all inputs of the discriminator and Q, such as "affine"."""
    starts: int = 5  # Number of k-means restarts; the tightest clustering is kept


PRESETS = {
    "smoke": dict(latent_dim=8, filters=4, hidden=16, augmentation="affine", epochs=2,
                  steps_per_epoch=10, batch_size=32, steps_per_execution=5, starts=1),
    "cpu": dict(filters=16, hidden=256, augmentation="affine", epochs=24, steps_per_epoch=450,
                batch_size=128, grid_every=2, steps_per_execution=50),
    "paper": dict(epochs=50, steps_per_epoch=100, batch_size=128, grid_every=5),
}  # fmt: skip

CATEGORIES = 10
NUMBERS = 2
CLUSTERED = 10_000  # number of digits whose strokes are clustered


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    train = data.for_validation(len(data.train) // 6).train
    images, labels = train.arrays()
    test_images, test_labels = data.test.arrays()

    with run.strategy.scope():
        networks = info_gan_networks(
            (28, 28, 1),
            s.latent_dim,
            CATEGORIES,
            NUMBERS,
            filters=s.filters,
            hidden=s.hidden,
            scales=False,
        )
        model = InfoGAN(
            *networks,
            (CATEGORIES,),
            NUMBERS,
            weight=s.weight,
            continuous_weight=s.continuous_weight,
            scale=s.scale,
            augmentation=s.augmentation.split(),
            seed=s.seed,
        )
        d_optimizer = Adam(s.d_learning_rate, s.beta_1)
        g_optimizer = Adam(s.g_learning_rate, s.beta_1)
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    # Each step: one update of the discriminator and Q, then one update of the generator.
    run.fit(model, train.map(without_label), draw_categories)
    run.export(model, default="sample")

    # The baselines' inputs are pixels, and codes of the strokes of the first digits.
    inputs = {
        "kmeans": (flat_pixels(images), flat_pixels(test_images)),
        "strokes": stroke_codes(images[:CLUSTERED], test_images),
    }

    with run.evaluation(model) as metrics:
        found = most_likely(model, images)
        test_found = most_likely(model, test_images)
        accuracy = matched_accuracy((found, labels), test_found, test_labels)
        metrics["error"] = 100 * (1 - accuracy)
        for name, (known, compared) in inputs.items():
            clusters = KMeans(CATEGORIES, n_init=s.starts, random_state=s.seed).fit(known)
            found = (clusters.labels_, labels[: len(known)])
            accuracy = matched_accuracy(found, clusters.predict(compared), test_labels)
            metrics[f"{name}_error"] = 100 * (1 - accuracy)
        categories = np.arange(len(test_images)) % CATEGORIES
        drawn = model.sample(len(test_images), seed=s.seed, label=categories)
        metrics["told_fraction"] = (most_likely(model, drawn) == categories).mean()
        metrics |= model.evaluate(test_images, return_dict=True, verbose=0)
        for number in range(NUMBERS):
            run.draw(f"number_{number + 1}", draw_number(model, number))


def without_label(image, _):
    return image


def most_likely(model, images):
    """Returns the most likely category of each image."""
    probabilities, *_ = model.recognize(images)
    return probabilities.argmax(axis=1)


def draw_categories(model):
    """Shows a row for each category, with ten latents."""
    latents = model.draw_latents(10, seed=0)
    return draw_rows(model, np.tile(latents, [CATEGORIES, 1]), category_codes())


def draw_number(model, number, span=2.0):
    """Shows a row per category with fixed latents, while a code goes from -span to span."""
    latents = model.draw_latents(10, seed=0)
    codes = category_codes()
    numbers = np.linspace(-span, span, 10)
    codes[:, :, CATEGORIES + number] = numbers
    latents = np.tile(latents[:1], [10 * CATEGORIES, 1])
    return draw_rows(model, latents, codes, [f"{number:.1f}" for number in numbers])


def category_codes():
    """Returns ten codes per category, `[category, 10, code]`, with zero continuous codes."""
    codes = np.zeros([CATEGORIES, 10, CATEGORIES + NUMBERS], "float32")
    codes[:, :, :CATEGORIES] = np.eye(CATEGORIES)[:, None]
    return codes


def draw_rows(model, latents, codes, column_names=()):
    images = model.generate(latents, codes.reshape(len(latents), -1))
    rows = np.split(images, CATEGORIES)
    row_names = [f"category {number}" for number in range(CATEGORIES)]
    return captioned(rows, row_names, column_names)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
