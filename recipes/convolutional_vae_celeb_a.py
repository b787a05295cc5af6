"""Convolutional variational autoencoder of faces, or of CIFAR-10, in bits per dimension.

Kingma, Welling: "Auto-Encoding Variational Bayes", ICLR 2014, with residual convolutions. The
likelihood is that of Salimans, Karpathy, Chen, Kingma: "PixelCNN++", ICLR 2017: each of the 256
levels of a value has the mass of a logistic distribution, whose mean and scale the decoder returns.

  python recipes/convolutional_vae_celeb_a.py    # about 7 minutes on two CPU cores
  python recipes/convolutional_vae_celeb_a.py --dataset cifar10 --maps --latent-dim 3072 \
      --filters 32 --blocks 2 --learning-rate 2e-3 --nll-samples 20    # 6 minutes on one core
  python recipes/convolutional_vae_celeb_a.py --scale 0.3    # draws faces, at 7.3 bits
  python recipes/convolutional_vae_celeb_a.py --preset smoke     # about a minute

Expected result of the cpu preset: 6.17 bits per dimension of faces; 4.68 by WebP.

The epoch that is best on held-out training images is kept. The baselines are files without loss
(PNG, WebP), a histogram of each value, and probabilistic PCA, which is a VAE of linear maps. PCA
has as many latents as the VAE, and a number of latents that held-out images choose. Given its
latents, a VAE draws all values independently of each other: whatever neighbors and colors share has
to pass through the latents. With 128 latents for all places together, faces are blurred. With maps
of latents there are fewer bits and sharper reconstructions, but samples are noise, as the prior
knows no places.

Data: celeb_a or cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from keras.optimizers import Adam

from keras_gen.core.schedules import Linear
from keras_gen.data import faces, random_crop_flip, small_images
from keras_gen.losses import DiscretizedLogistic
from keras_gen.metrics import (
    active_units,
    bits_per_dimension,
    importance_weighted_nll,
    nll_summary,
)
from keras_gen.networks import conv_decoder, conv_encoder
from keras_gen.vae import VAE
from keras_gen.workshop.baselines import image_baselines
from keras_gen.workshop.visualize import (
    interpolations,
    manifold,
    ordered_traversals,
    perturbations,
    reconstructions,
    samples,
)


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    dataset: Literal["celeb_a", "cifar10"] = "celeb_a"  # Faces, or small photographs
    images: Path | None = None  # Your own folder of images in their place
    size: int = 64  # Side of the faces in pixels; CIFAR-10 has 32
    held_out: int = 100  # Last training images, by which the best epoch and the PCA are chosen
    latent_dim: int = 128  # Dimensions of the latents; of 2 their plane is drawn
    maps: bool = False  # Whether the latents are maps, of the sides of the last convolution's
    filters: str = "32 64 128"  # Channels of the convolutions; each halves the sides
    blocks: int = 1  # Residual blocks at each size
    scale: float = 0.0  # Scale of all values' distributions; 0: the decoder returns one for each
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero
    warm_up: float = 0.2  # Fraction of the steps in which the KL divergence's weight rises to 1
    nll_samples: int = 200  # Importance samples of each test image
    components: str = "100 200 400 800 1200 1600 2000 2500"
    """Numbers of components, among which one is chosen for the PCA."""


PRESETS = {
    "smoke": dict(size=32, held_out=20, latent_dim=4, filters="4 8", epochs=2,
                  steps_per_epoch=5, batch_size=16, nll_samples=2, components="2 10"),
    "cpu": dict(size=32, epochs=40, steps_per_epoch=150, batch_size=32, grid_every=5),
    "paper": dict(filters="64 128 256 512", blocks=2, epochs=200, steps_per_epoch=1000,
                  batch_size=64, grid_every=10, nll_samples=1000),
}  # fmt: skip


def main(run: Run, s: Settings):
    if s.dataset == "celeb_a":
        data = faces(s.size, images=s.images)
    else:
        data = small_images(s.dataset, images=s.images)
    data = run.load(data, train=s.batch_size + s.held_out)
    split = data.for_validation(s.held_out)
    train = split.train.arrays()
    held_out = split.test.arrays()
    test = data.test.arrays()

    shape = train.shape[1:]
    height, width, channels = shape
    filters = tuple(map(int, s.filters.split()))
    sizes = dict(
        latent_dim=s.latent_dim,
        filters=filters,
        activation="elu",
        blocks=s.blocks,
        maps=s.maps,
    )
    with run.strategy.scope():
        encoder = conv_encoder(shape, **sizes, heads=("mean", "log_variance"))
        # A mean of each value, and its scale if that is not fixed.
        likelihood = DiscretizedLogistic(scale=s.scale or None)
        parameters = (height, width, likelihood.params_per_value * channels)
        decoder = conv_decoder(parameters, **sizes, output_initializer="zeros")
        beta = Linear(0.0, 1.0, max(1, round(s.warm_up * s.epochs * s.steps_per_epoch)))
        model = VAE(encoder, decoder, likelihood, beta=beta, seed=s.seed)
        run.compile(model, Adam(run.in_halves(s.learning_rate)))

    to_bits = partial(bits_per_dimension, dimensions=test[0].size, dequantization="none")

    def validate(model):
        return {"bits": to_bits(-model.log_prob(held_out).mean())}

    # Each step: one update of encoder and decoder together.
    augment = random_crop_flip(height)
    stream = partial(split.train.stream, s.batch_size, s.seed, augment=augment)
    run.fit(model, stream, samples, validate=validate, best="bits")
    run.restore_best(model)
    run.export(model, default="sample")

    run.say("measuring files, principal components and a histogram of each value")
    mirrored = np.concatenate([train, train[:, :, ::-1]])
    components = [int(number) for number in s.components.split()]
    baselines = image_baselines(mirrored, held_out, test, components, s.latent_dim)

    with run.evaluation(model) as metrics:
        run.say(f"NLL of {len(test)} test images by {s.nll_samples} samples of each")
        nats = importance_weighted_nll(model, test, s.nll_samples, seed=s.seed)
        report = nll_summary(nats)
        effective_sample_size = report.pop("effective_sample_size")
        for name, value in report.items():
            metrics[f"bits_{name}"] = to_bits(value)
        metrics["effective_sample_size"] = effective_sample_size
        means, *_ = model.encode(test)
        metrics["active_units"], _ = active_units(means)
        metrics |= baselines
        run.draw("reconstructions", reconstructions(model, test[:10]))
        starts, ends = np.split(test[: 2 * min(6, len(test) // 2)], 2)
        run.draw("lines", interpolations(model, starts, ends))
        run.draw("arcs", interpolations(model, starts, ends, spherical=True))
        run.draw("traversals", ordered_traversals(model, held_out))
        run.draw("perturbations", perturbations(model, test[:6]))
        if s.latent_dim == 2:
            run.draw("manifold", manifold(model))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
