"""Convolutional variational autoencoder of faces, or of CIFAR-10, in bits per dimension.

Kingma, Welling: "Auto-Encoding Variational Bayes", ICLR 2014, with residual convolutions. The
likelihood is that of Salimans, Karpathy, Chen, Kingma: "PixelCNN++", ICLR 2017: each of the 256
levels of a value has the mass of a logistic distribution, whose mean and scale the decoder returns.
The epoch that is best on held-out training images is kept.

Beside the VAE stand files without loss (PNG, WebP), a histogram of each value, and probabilistic
PCA, which is a VAE of linear maps, with as many latents and with as many as held-out images ask
for. Given its latents, a VAE draws all values independently of each other: whatever neighbors and
colors share has to pass through the latents. 128 of all places together draw blurred faces. Maps of
latents have fewer bits and sharper reconstructions, and draw noise, as the prior knows no places.

  python recipes/convolutional_vae_celeb_a.py    # about 7 minutes on two CPU cores
  python recipes/convolutional_vae_celeb_a.py --dataset cifar10 --maps --latent-dim 3072 \
      --filters 32 --blocks 2 --learning-rate 2e-3 --nll-samples 20    # 6 minutes on one core
  python recipes/convolutional_vae_celeb_a.py --preset smoke     # about a minute

Data: celeb_a or cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

import keras
import numpy as np

from keras_gen.baselines import image_baselines
from keras_gen.data import faces, random_crop_flip, small_images
from keras_gen.metrics import active_units, bits_per_dimension, importance_weighted_nll, nll_summary
from keras_gen.networks import conv_decoder, conv_encoder
from keras_gen.run import Run, RunSettings, run_recipe
from keras_gen.training.schedules import Linear
from keras_gen.vae import VAE
from keras_gen.visualize import (
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
    filters: str = "32 64 128"  # Channels of the convolutions, each of which halves the sides
    blocks: int = 1  # Residual blocks at each size
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero
    warm_up: float = 0.2  # Fraction of the steps in which the weight of the divergence rises to 1
    nll_samples: int = 200  # Importance samples of each test image
    components: str = "100 200 400 800 1200 1600 2000 2500"  # Of the PCA, of which one is chosen


PRESETS = {
    "smoke": dict(size=32, held_out=20, latent_dim=4, filters="4 8", epochs=2, steps_per_epoch=5,
                  batch_size=16, nll_samples=2, components="2 10"),
    "cpu": dict(size=32, epochs=40, steps_per_epoch=150, batch_size=32, grid_every=5),
    "paper": dict(filters="64 128 256 512", blocks=2, epochs=200, steps_per_epoch=1000,
                  batch_size=64, grid_every=10, nll_samples=1000),
}  # fmt: skip


def main(run: Run, s: Settings):
    load = partial(faces, s.size) if s.dataset == "celeb_a" else partial(small_images, s.dataset)
    data = run.load(load(images=s.images))
    kept, test = data.for_validation(s.held_out), data.test.arrays()
    known, held_out = kept.train.arrays(), kept.test.arrays()
    height, width, channels = known.shape[1:]
    steps = max(1, round(s.warm_up * s.epochs * s.steps_per_epoch))
    sizes = dict(latent_dim=s.latent_dim, filters=tuple(map(int, s.filters.split())))
    sizes |= dict(activation="elu", blocks=s.blocks, maps=s.maps)
    with run.strategy.scope():
        encoder = conv_encoder(known.shape[1:], **sizes, heads=("mean", "log_variance"))
        parameters = (height, width, 2 * channels)
        decoder = conv_decoder(parameters, **sizes, output_initializer="zeros")
        beta = Linear(0.0, 1.0, steps)
        model = VAE(encoder, decoder, "discretized_logistic", beta=beta, seed=s.seed)
        run.compile(model, keras.optimizers.Adam(run.in_halves(s.learning_rate)))

    bits = partial(bits_per_dimension, dimensions=test[0].size, dequantization="none")
    mirrored = partial(kept.train.stream, s.batch_size, s.seed, augment=random_crop_flip(height))
    validate = lambda model: {"bits": bits(-model.log_prob(held_out).mean())}  # noqa: E731
    run.fit(model, mirrored, samples, validate=validate, best="bits")

    run.restore_best(model)
    with run.evaluation(model) as metrics:
        run.say(f"NLL of {len(test)} test images by {s.nll_samples} importance samples of each")
        found = nll_summary(importance_weighted_nll(model, test, s.nll_samples, seed=s.seed))
        size = found.pop("effective_sample_size")
        metrics |= {f"bits_{name}": bits(nats) for name, nats in found.items()}
        metrics |= {
            "effective_sample_size": size,
            "active_units": active_units(model.encode(test)[0])[0],
        }
        run.say("measuring files, principal components and a histogram of each value")
        numbers, both = s.components.split(), np.concatenate([known, known[:, :, ::-1]])
        metrics |= image_baselines(both, held_out, test, [*map(int, numbers)], s.latent_dim)
        run.draw("reconstructions", reconstructions(model, test[:10]))
        run.draw("lines", interpolations(model, test[:6], test[6:12]))
        run.draw("arcs", interpolations(model, test[:6], test[6:12], spherical=True))
        run.draw("traversals", ordered_traversals(model, held_out))
        run.draw("perturbations", perturbations(model, test[:6]))
        if s.latent_dim == 2:
            run.draw("manifold", manifold(model))
    run.export(model, default="sample")


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
