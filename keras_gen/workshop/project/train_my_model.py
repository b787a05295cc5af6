"""MyModel on digits.

Author: "Title", venue year.

  python train_my_model.py                   about 3 minutes on two CPU cores
  python train_my_model.py --preset smoke    under a minute

The recipe denoises noisy test images, and compares the model's error with the error of a Gaussian
filter, whose width is chosen on training images.

Data: mnist from tensorflow-datasets (downloaded, or in TFDS_DATA_DIR); if it is not available, a
few digits from scikit-learn.
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe

import dataclasses

import numpy as np
from keras.optimizers import Adam
from my_model import MyModel
from skimage.filters import gaussian

from keras_gen.data import small_images
from keras_gen.workshop.visualize import image_rows

WIDTHS = (0.5, 0.7, 1.0, 1.4)  # candidate filter widths, in pixels


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    widths: str = "16 32"  # Channels of the network's feature maps, largest maps first
    deviation: float = 0.5  # Maximum standard deviation of the noise, for images in [-1, 1]
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    compared: int = 1000  # Number of test images to denoise


PRESETS = {
    "smoke": dict(widths="8", epochs=2, steps_per_epoch=5, batch_size=8, compared=20),
    "cpu": dict(epochs=4, steps_per_epoch=300, batch_size=64),
    "paper": dict(widths="64 128", epochs=100, steps_per_epoch=900, batch_size=64,
                  compared=10_000),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist"))
    images = data.train.arrays()
    test = data.test.arrays()[: s.compared]

    with run.strategy.scope():
        widths = tuple(int(width) for width in s.widths.split())
        model = MyModel.for_images(images.shape[1:], widths, deviation=s.deviation, seed=s.seed)
        run.compile(model, Adam(run.in_halves(s.learning_rate)))

    noisy = with_noise(test, s)

    def draw(model):
        rows = {"image": test[:10], "noisy": noisy[:10], "found": model.denoise(noisy[:10])}
        return image_rows(rows)

    # In each step, the network is updated once.
    run.fit(model, data.train, draw)
    run.export(model)

    some = images[: s.compared]
    width = min(WIDTHS, key=lambda width: error(filtered(with_noise(some, s), width), some))

    with run.evaluation(model) as metrics:
        metrics["error"] = error(model.denoise(noisy), test)
        metrics["error_filter"] = error(filtered(noisy, width), test)
        metrics["error_noisy"] = error(noisy, test)
        run.draw("sample_grid", draw(model))


def with_noise(images, s):
    """Returns uint8 images with the maximum noise added."""
    noise = np.random.default_rng(s.seed).normal(size=images.shape)
    return np.clip(images + 127.5 * s.deviation * noise, 0, 255).round().astype("uint8")


def filtered(images, width):
    """Returns images smoothed with a Gaussian filter."""
    return gaussian(images.astype("float32"), (0, width, width, 0))


def error(found, images):
    """Returns the root mean squared error, in 8-bit levels."""
    return float(np.sqrt(np.mean(np.square(found.astype("float32") - images))))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
