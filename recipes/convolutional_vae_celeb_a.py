"""Convolutional VAE on CelebA or CIFAR-10, in bits per dimension.

Kingma, Welling: "Auto-Encoding Variational Bayes", ICLR 2014, with residual convolutions. The
likelihood is from Salimans, Karpathy, Chen, Kingma: "PixelCNN++", ICLR 2017. The decoder returns
the mean and the scale of a logistic distribution, whose mass in each of 256 intervals is the
probability of a level.

  python recipes/convolutional_vae_celeb_a.py    # about 7 minutes on two CPU cores
  python recipes/convolutional_vae_celeb_a.py --dataset cifar10 --maps --latent-dim 3072 \
      --filters 32 --blocks 2 --learning-rate 2e-3 --nll-samples 20    # 6 minutes on one core
  python recipes/convolutional_vae_celeb_a.py --scale 0.3    # faces at 7.4 bits per dimension
  python recipes/convolutional_vae_celeb_a.py --preset smoke     # about a minute

Expected result of the cpu preset: 6.17 bits per dimension on faces (WebP: 4.68).

The weights from the epoch with the best loss on held-out training images are kept. The baselines
are lossless codecs (PNG, WebP), a histogram per value, and probabilistic PCA, which is a VAE with
linear maps. PCA has either as many latents as the VAE or a number chosen on held-out images. Given
its latents, a VAE samples all values independently, so the latents must represent any correlation
between neighboring pixels and between colors. With 128 latents for the whole image, faces are
blurred. With latent maps, fewer bits are needed and reconstructions are sharper, but samples are
noise, because the prior does not model correlations between positions.

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
    dataset: Literal["celeb_a", "cifar10"] = "celeb_a"
    """Dataset: faces (celeb_a) or small photographs (cifar10)."""
    images: Path | None = None  # Your own image folder, used instead of the dataset
    size: int = 64  # Side length of the face images, in pixels; 32 for CIFAR-10
    held_out: int = 100
    """Number of images at the end of the training set, held out to choose the epoch and the number
    of PCA components."""
    latent_dim: int = 128  # Number of latent dimensions; with 2, the latent plane is plotted
    maps: bool = False
    """Use latent maps of the same size as the last convolution's output instead of a vector."""
    filters: str = "32 64 128"  # Channels of the convolutions, each of which halves the sides
    blocks: int = 1  # Number of residual blocks at each resolution
    scale: float = 0.0  # Fixed scale of the likelihood; with 0, the decoder predicts the scale
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    warm_up: float = 0.2  # Fraction of the steps during which the KL weight rises to 1
    nll_samples: int = 200  # Number of importance samples per test image
    components: str = "100 200 400 800 1200 1600 2000 2500"
    """Candidate numbers of PCA components; the best number is chosen."""


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
        # The decoder returns a mean for each value and, unless the scale is fixed, a scale.
        likelihood = DiscretizedLogistic(scale=s.scale or None)
        parameters = (height, width, likelihood.params_per_value * channels)
        decoder = conv_decoder(parameters, **sizes, output_initializer="zeros")
        beta = Linear(0.0, 1.0, max(1, round(s.warm_up * s.epochs * s.steps_per_epoch)))
        model = VAE(encoder, decoder, likelihood, beta=beta, seed=s.seed)
        run.compile(model, Adam(run.in_halves(s.learning_rate)))

    to_bits = partial(bits_per_dimension, dimensions=test[0].size, dequantization="none")

    def validate(model):
        return {"bits": to_bits(-model.log_prob(held_out).mean())}

    # Each step: one joint update of the encoder and the decoder.
    augment = random_crop_flip(height)
    stream = partial(split.train.stream, s.batch_size, s.seed, augment=augment)
    run.fit(model, stream, samples, validate=validate, best="bits")
    run.restore_best(model)
    run.export(model, default="sample")

    run.say(
        "evaluating the baselines: lossless codecs, PCA, and one histogram per pixel and channel"
    )
    mirrored = np.concatenate([train, train[:, :, ::-1]])
    components = [int(number) for number in s.components.split()]
    baselines = image_baselines(mirrored, held_out, test, components, s.latent_dim)

    with run.evaluation(model) as metrics:
        run.say(
            f"estimating the NLL of {len(test)} test images with {s.nll_samples} samples each"
        )
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
