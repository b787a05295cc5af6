"""InfoGAN finds the classes of digits, and how they lean, without labels.

Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel: "InfoGAN: Interpretable Representation Learning
by Information Maximizing Generative Adversarial Nets", NeurIPS 2016. A code of ten categories and
two numbers are told the generator, and its images have to tell them. As there, the categories
classify digits, each matched with one class: on training digits, whose labels are used for nothing
else. The paper reports an error of 5 %. Clusters of k-means are matched alike.

Deviations: the matching is by labels of training digits, and the error is that of test digits.
Latents are Normal. In the cpu preset all digits are turned, sheared, stretched and moved at random
before they are judged: else how a one leans is a category, and other digits share one. Q is sure
of a number by a deviation of 1, with the same weight as of a category, as in the authors' code:
where it learned the deviation, as the paper says, the numbers were written ever more exactly, and
few categories were one class.

  python recipes/info_gan_mnist.py                    15 minutes on one of two CPU cores
  python recipes/info_gan_mnist.py --preset paper --mixed-precision bfloat16  24 minutes on one core
  python recipes/info_gan_mnist.py --preset smoke     under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam
from sklearn.cluster import KMeans

from keras_gen.data import small_images
from keras_gen.gan import InfoGAN
from keras_gen.media.images import flat_pixels, grid
from keras_gen.metrics import matched_accuracy
from keras_gen.networks import info_gan_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 62  # Dimensions of the latents beside the codes
    filters: int = 64  # Channels where the images are largest
    hidden: int = 1024  # Units of the dense layers
    weight: float = 1.0  # Of the information of the categories
    continuous_weight: float = 1.0  # Of the information of the numbers
    scale: float = 1.0  # Standard deviation of the numbers in Q
    d_learning_rate: float = 2e-4  # Adam's rate for the discriminator and Q
    g_learning_rate: float = 1e-3  # Adam's rate for the generator
    beta_1: float = 0.5  # Adam's first momentum
    augmentation: str = ""  # Changes of all digits before they are judged, such as "affine"
    starts: int = 5  # Of k-means, of which the tightest clusters are kept


PRESETS = {
    "smoke": dict(latent_dim=8, filters=4, hidden=16, augmentation="affine", epochs=2,
                  steps_per_epoch=10, batch_size=32, steps_per_execution=5, starts=1),
    "cpu": dict(filters=16, hidden=256, augmentation="affine", epochs=24, steps_per_epoch=450,
                batch_size=128, grid_every=2, steps_per_execution=50),
    "paper": dict(epochs=50, steps_per_epoch=100, batch_size=128, grid_every=5),
}  # fmt: skip

CATEGORIES, NUMBERS = 10, 2


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    kept = data.for_validation(len(data.train) // 6)
    digits = kept.train.map(lambda image, _: image)
    with run.strategy.scope():
        sizes = dict(filters=s.filters, hidden=s.hidden, scales=False)
        networks = info_gan_networks((28, 28, 1), s.latent_dim, CATEGORIES, NUMBERS, **sizes)
        weights = dict(weight=s.weight, continuous_weight=s.continuous_weight, scale=s.scale)
        options = dict(augmentation=s.augmentation.split(), seed=s.seed)
        model = InfoGAN(*networks, (CATEGORIES,), NUMBERS, **weights, **options)
        d_optimizer = Adam(s.d_learning_rate, s.beta_1)
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=Adam(s.g_learning_rate, s.beta_1))

    run.fit(model, digits, partial(rows, place=None))

    images, labels = kept.train.arrays()
    with run.evaluation(model) as metrics:
        test, answers = data.test.arrays()
        found = {"": [model.recognize(x)[0].argmax(axis=1) for x in (images, test)]}
        clusters = KMeans(CATEGORIES, n_init=s.starts, random_state=s.seed).fit(flat_pixels(images))
        found["kmeans_"] = [clusters.labels_, clusters.predict(flat_pixels(test))]
        for name, (known, new) in found.items():
            accuracy = matched_accuracy((known, labels), new, answers)
            metrics[f"{name}error"] = 100 * (1 - accuracy)
        made = model.sample(len(test), seed=s.seed, label=np.arange(len(test)) % CATEGORIES)
        told = model.recognize(made)[0].argmax(axis=1) == np.arange(len(test)) % CATEGORIES
        metrics["told_fraction"] = told.mean()
        metrics |= model.evaluate(test, return_dict=True, verbose=0)
        for number in range(NUMBERS):
            run.draw(f"number_{number + 1}", rows(model, number))
    run.export(model, default="sample")


def rows(model, place, span=2.0):
    """A row for each category: ten latents, or one while a number goes from -span to span."""
    latents = model.draw_latents(10, seed=0)
    latents = np.tile(latents if place is None else latents[:1], [10 if place is None else 100, 1])
    codes = np.zeros([CATEGORIES, 10, CATEGORIES + NUMBERS], "float32")
    codes[:, :, :CATEGORIES] = np.eye(CATEGORIES)[:, None]
    if place is not None:
        codes[:, :, CATEGORIES + place] = np.linspace(-span, span, 10)
    return grid(model.generate(latents, codes.reshape(100, -1)), 10)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
