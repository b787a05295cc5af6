"""DCGAN draws faces of few: the discriminator sees all images changed at random.

Radford, Metz, Chintala: "Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks", ICLR 2016, whose arithmetic of latents is done here without hand-picking:
a classifier names the samples of smiling women, of others and of men, and is asked what comes out.
Zhao, Liu, Lin, Zhu, Han: "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS
2020: color, place and cut-outs of real and generated images change before they are judged.

  python recipes/dcgan_celeb_a.py                       53 minutes on one of two CPU cores
  python recipes/dcgan_celeb_a.py --dataset cifar10     16 for photographs, no arithmetic
  python recipes/dcgan_celeb_a.py --preset smoke        under a minute

Data: celeb_a or cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The papers
report no number on faces of this size. Samples are compared as those of dcgan_fashion_mnist are,
here in the features of classifiers of sex and smile, or of the photographs' classes.

Deviations in the cpu preset: narrow networks, the average of the generator's weights.
"""

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import faces, small_images
from keras_gen.gan import GAN
from keras_gen.metrics import compare_sets, trained_extractors
from keras_gen.networks import dcgan_discriminator, dcgan_generator
from keras_gen.run import Run, RunSettings, run_recipe
from keras_gen.visualize import arithmetic, interpolations, sample_neighbors, samples


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    dataset: Literal["celeb_a", "cifar10"] = "celeb_a"  # Faces, or small photographs
    images: Path | None = None  # Your own folder of images, by subfolders of classes
    size: int = 64  # Side of the faces in pixels; CIFAR-10 has 32
    latent_dim: int = 100  # Dimensions of the latents
    filters: int = 128  # Channels of the discriminator's first layer; they double with every stage
    augmentation: str = "color translation cutout"  # What changes before it is judged
    learning_rate: float = 2e-4  # Adam's rate for both networks
    beta_1: float = 0.5  # Adam's first momentum
    ema: float = 0.0  # Momentum of the generator's weight average, which is evaluated; 0: none
    compared: int = 10_000  # Most samples, test images and training images that are compared
    classifier_steps: int = 1500  # Of each classifier whose features they are compared in
    sought: int = 2000  # Samples among which those for the arithmetic are found
    terms: str = "2 0 1 3"  # Classes: smiling women less women plus men gives smiling men


PRESETS = {
    "smoke": dict(size=32, filters=4, ema=0.9, epochs=2, steps_per_epoch=5, batch_size=16,
                  compared=50, classifier_steps=20, sought=100),
    "cpu": dict(size=32, filters=32, ema=0.999, epochs=30, steps_per_epoch=250, batch_size=64,
                grid_every=3),
    "paper": dict(epochs=100, steps_per_epoch=1580, batch_size=128, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    load = partial(faces, s.size) if s.dataset == "celeb_a" else partial(small_images, s.dataset)
    data = run.load(load(images=s.images, labels=True))
    images, labels = data.train.arrays()
    with run.strategy.scope():
        generator = dcgan_generator(images.shape[1:], s.latent_dim, s.filters)
        discriminator = dcgan_discriminator(images.shape[1:], s.filters)
        model = GAN(generator, discriminator, augmentation=s.augmentation.split(), seed=s.seed)
        d_optimizer, g_optimizer = (Adam(s.learning_rate, s.beta_1) for _ in "dg")
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=run.averaged(g_optimizer))

    run.fit(model, data.train.map(lambda image, _: image), samples)

    with run.evaluation(model) as metrics:
        run.say("comparing samples with images in the features of two classifiers, and by patches")
        extractors = trained_extractors(images, labels, s.classifier_steps, s.seed)
        held_out = data.test.take(s.compared).arrays()[0]
        drawn = model.sample(len(held_out), seed=s.seed)
        metrics |= compare_sets(extractors, images, held_out, {"": drawn}, s.seed)
        *terms, result = classes = [int(label) for label in s.terms.split()]
        if s.dataset == "celeb_a" and set(classes) <= set(labels):
            z = model.draw_latents(s.sought, seed=s.seed)
            drawn = model.generate(z)
            logits = {kind: extract(drawn)["logits"] for kind, extract in extractors.items()}
            a, b, c = (z[surest(logits.values(), of)[:3]] for of in terms)
            run.draw("arithmetic", arithmetic(model, a, b, c))
            made = model.latent_arithmetic(a, b, c, n=100, seed=s.seed)
            for kind, extract in extractors.items():
                said = extract(made)["logits"].argmax(axis=1) == result
                metrics[f"arithmetic_{kind}"] = said.mean()
                by_chance = logits[kind].argmax(axis=1) == result
                metrics[f"arithmetic_by_chance_{kind}"] = by_chance.mean()
        else:
            run.say(f"no arithmetic: {s.terms} are classes of faces, or of your own images")
        run.draw("neighbors", sample_neighbors(model, images))
        ends = np.split(model.draw_latents(12, seed=1), 2)
        run.draw("arcs", interpolations(model, *ends, spherical=True))
    run.export(model, default="sample", half=True)


def surest(logits, of):
    """Samples in the order of how clearly they are of a class, to the less sure classifier."""
    margins = [each[:, of] - np.delete(each, of, axis=1).max(axis=1) for each in logits]
    return np.argsort(-np.min(margins, axis=0))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
