"""DCGAN draws clothes: a GAN with convolutional networks on Fashion-MNIST.

Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014; Radford, Metz, Chintala:
"Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks",
ICLR 2016.

  python recipes/dcgan_fashion_mnist.py                    about 10 minutes on two CPU cores
  python recipes/dcgan_fashion_mnist.py --preset smoke     under a minute

Data: fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR), padded to
32x32. The papers report no number on it. Samples are compared with training images in the features
of a classifier of clothes that is trained apart; test images compared alike give the floor.
"""

import dataclasses
from typing import Literal

import keras

from keras_gen.data import pad_to, small_images
from keras_gen.gan import GAN
from keras_gen.images import grid, write_png
from keras_gen.metrics import generation_report, trained_extractor
from keras_gen.networks import dcgan_discriminator, dcgan_generator
from keras_gen.results import Figure, Published
from keras_gen.run import Run, RunSettings, run_recipe


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    """Settings of DCGAN on Fashion-MNIST."""

    latent_dim: int = 100
    """Size of the latent vector."""
    filters: int = 128
    """Channels of the discriminator's first layer; they double with every stage."""
    objective: Literal["minimax", "non_saturating", "least_squares", "wasserstein", "hinge"] = (
        "non_saturating"
    )
    """What the two networks minimize: non_saturating is the paper's."""
    discriminator_steps: int = 1
    """Updates of the discriminator for one of the generator."""
    learning_rate: float = 2e-4
    """Adam's rate for both networks."""
    beta_1: float = 0.5
    """Adam's first momentum."""
    ema: float = 0.0
    """Momentum of the generator's weight average, with which it is judged; 0: none."""
    compared: int = 10_000
    """Samples, test images and training images that are compared."""
    classifier_steps: int = 1500
    """Training steps of the classifier whose features they are compared in."""


PRESETS = {
    "smoke": dict(
        filters=8, epochs=2, steps_per_epoch=10, batch_size=32, compared=200, classifier_steps=20
    ),
    "cpu": dict(
        filters=32, ema=0.998, epochs=15, steps_per_epoch=468, batch_size=128, grid_every=3
    ),
    "paper": dict(epochs=100, steps_per_epoch=468, batch_size=128, grid_every=5),
}  # fmt: skip

# Key, name, whether higher is better, standard error, tolerance; of 10,000 samples or test images
# against 10,000 training images.
MEASURES = (
    ("frechet_distance", "Fréchet distance", False, None, 0.1),
    ("kernel_distance", "kernel distance", False, "kernel_distance_error", 0.005),
    ("precision", "precision, k = 5", True, None, 0.05),
    ("recall", "recall, k = 5", True, None, 0.05),
    ("density", "density, k = 5", True, None, 0.05),
    ("coverage", "coverage, k = 5", True, None, 0.05),
)
RESULTS = Published(
    system="DCGAN",
    family="gan",
    paper="Radford et al. 2016, https://arxiv.org/abs/1511.06434",
    dataset="Fashion-MNIST, classifier's features",
    train_size=60_000,
    figures=tuple(
        Figure(
            kind + key, name + of, "", higher, spread=error and kind + error,
            tolerance=tolerance, given=dict(compared=10_000, classifier_steps=1500),
        )
        for key, name, higher, error, tolerance in MEASURES
        for kind, of in (("", ""), ("floor_", ", floor: test images"))
    ),
)  # fmt: skip


def main(argv=None):
    """Trains, draws, measures and exports."""
    run = Run(__file__, Settings, PRESETS, __doc__, argv)
    s = run.settings
    data = small_images("fashion_mnist", labels=True)
    run.describe_data(data)
    train, test = (part.map(lambda image, _: pad_to(image, 32)) for part in (data.train, data.test))
    with run.strategy.scope():
        shape = (32, 32, 1)
        model = GAN(
            dcgan_generator(shape, s.latent_dim, s.filters),
            dcgan_discriminator(shape, s.filters),
            objective=s.objective, discriminator_steps=s.discriminator_steps, seed=s.seed,
        )  # fmt: skip
        average = dict(use_ema=True, ema_momentum=s.ema) if s.ema else {}
        model.compile(
            d_optimizer=keras.optimizers.Adam(s.learning_rate, s.beta_1),
            g_optimizer=keras.optimizers.Adam(s.learning_rate, s.beta_1, **average),
        )

    def stream(start):
        return train.stream(s.batch_size * s.discriminator_steps, s.seed, start)

    def sample_grid(model):
        return grid(model.sample(64, seed=s.seed))

    def evaluate(model, directory):
        write_png(directory / "sample_grid.png", sample_grid(model))
        losses = model.evaluate(test.batches(100), return_dict=True, verbose=0)
        run.say("comparing samples with images in the features of a classifier")
        extractor = trained_extractor(*data.train.arrays(), steps=s.classifier_steps, seed=s.seed)
        real = extractor(train.take(s.compared).arrays())
        drawn = generation_report(real, extractor(model.sample(s.compared, seed=s.seed)))
        floor = generation_report(real, extractor(test.take(s.compared).arrays()))
        floor = {f"floor_{name}": value for name, value in floor.items()}
        judge = {"extractor": extractor.name, "extractor_accuracy": extractor.accuracy}
        return drawn | floor | judge | losses

    run.fit(model, stream, sample_grid)
    run.finish(model, evaluate, data.record(), default="sample")
    run.say(f"draw: keras-gen sample {run.exported.parent} -n 64 --seed 0 -o clothes.png")


if __name__ == "__main__":
    run_recipe(main)
