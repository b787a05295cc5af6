"""Flow matching on Fashion-MNIST.

Lipman, Chen, Ben-Hamu, Nickel, Le: "Flow Matching for Generative Modeling", ICLR 2023; Liu, Gong,
Liu: "Flow Straight and Fast: Learning to Generate and Transfer Data with Rectified Flow", ICLR
2023.

  python recipes/flow_matching_fashion_mnist.py         at most 100 minutes on two CPU cores
  python recipes/flow_matching_fashion_mnist.py --preset smoke  about a minute

Samples are compared with training images as in dcgan_fashion_mnist: in the features of two
independently trained classifiers of images padded to 32x32 (the worse result counts), and with a
patch distance, which needs no network. Test images are the reference, and a Gaussian mixture over
pixels is the baseline. Classifiers detect a faint background that is invisible to the eye, so the
fraction of exactly black pixels is also reported. The network is the same as in ddpm_fashion_mnist.
Sampling with fewer steps is evaluated on fewer samples.

Deviations: see `FlowMatching`. In addition, the cpu preset represents black by a value 12 levels
darker in training, so that errors of a few levels are clipped to black.

Data: fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The papers do
not use this dataset.
"""

from keras_gen.workshop.run import LEAST_COMPARED, Run, RunSettings, run_recipe
from keras_gen.workshop.run.reports import report_samples_by_steps

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

from keras.optimizers import Adam

from keras_gen.data import Source, small_images
from keras_gen.diffusion import FlowMatching
from keras_gen.networks import time_unet
from keras_gen.workshop.visualize import emerging, samples


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    images: Path | None = None  # Your own image folder, with or without class subfolders
    widths: str = "32 64"  # Channels of the network's feature maps, largest maps first
    pairing: Literal["independent", "optimal"] = "independent"  # Pairing of noise and images
    darker_black: float = 0.0  # Number of levels by which black is darkened in training
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    ema: float = 0.0
    """EMA momentum for the weights; evaluation uses the averaged weights. 0 disables EMA."""
    solver: Literal["euler", "heun", "dpm_solver"] = "heun"  # Solver used for sampling
    sampling_steps: int = 25
    """Number of sampling steps; heun evaluates the network twice per step."""
    compared: int = 10_000
    """Number of images to compare from each set: samples, test images, and training images."""
    compared_in_few_steps: int = 2000
    """Number of images to sample with 5, with 10, and with 20 sampling steps."""
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


PRESETS = {
    "smoke": dict(widths="8", epochs=2, steps_per_epoch=5, batch_size=16, compared=50,
                  compared_in_few_steps=20, sampling_steps=5, classifier_steps=5),
    "cpu": dict(epochs=16, darker_black=12.0, ema=0.999, steps_per_epoch=468, batch_size=128,
                grid_every=1, mixed_precision="none"),
    "paper": dict(widths="128 256", learning_rate=2e-4, ema=0.9999, epochs=1700,
                  steps_per_epoch=468, batch_size=128, grid_every=50, sampling_steps=50),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = small_images("fashion_mnist", labels=True, images=s.images)
    data = run.load(data, train=s.batch_size, test=LEAST_COMPARED)
    images, labels = data.train.arrays()
    test_images, _ = data.test.arrays()

    with run.strategy.scope():
        network = time_unet(images.shape[1:], tuple(map(int, s.widths.split())))
        black = -s.darker_black
        model = FlowMatching(network, pairing=s.pairing, seed=s.seed, black_level=black)
        run.compile(model, run.averaged(Adam(run.in_halves(s.learning_rate))))

    # Each step: one gradient update on the loss of eq. (23).
    run.fit(model, partial(Source(images).stream, s.batch_size, s.seed), samples)
    run.export(model, default="sample")

    with run.evaluation(model) as metrics:
        metrics |= report_samples_by_steps(run, model, images, labels, test_images)
        run.draw("emerging", emerging(model))
        metrics |= model.evaluate(Source(test_images).batches(100), return_dict=True, verbose=0)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
