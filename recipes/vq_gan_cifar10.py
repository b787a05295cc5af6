"""VQGAN: photographs as grids of integers, decoded so that they look real.

Esser, Rombach, Ommer: "Taming Transformers for High-Resolution Image Synthesis", CVPR 2021, the
first of its two stages. A VQ-VAE with the same networks, codebook and number of steps stands
beside it: both write an image as 8x8 codes of 9 bits. Codes of as many bits without a network
stand there too: k-means of patches, principal components, JPEG. Test images are reconstructed from
their codes and compared with training images, in the features of two classifiers, of which the
worse counts, and by patches without a network; the test images themselves are the floor. The PSNR
says what is lost of each image.

  python recipes/vq_gan_cifar10.py                    about 45 minutes on one of two CPU cores
  python recipes/vq_gan_cifar10.py --preset smoke     under a minute

Data: cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The paper's images
are larger, so it reports no number on it.

Deviations: the feature loss is in the maps of a small classifier of the training images, in place
of a network that was trained on ImageNet; those that measure are trained apart from it, from other
initial weights. Networks are those of the VQ-VAE's paper, and the discriminator sees patches of
16x16 pixels.
"""

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.baselines import code_baselines
from keras_gen.data import random_crop_flip, small_images
from keras_gen.media.images import grid
from keras_gen.metrics import (
    GenerationEvaluation,
    code_bits,
    psnr,
    train_classifier,
    trained_extractor,
)
from keras_gen.networks import (
    activation_maps,
    patch_discriminator,
    residual_decoder,
    residual_encoder,
)
from keras_gen.run import Run, RunSettings, run_recipe
from keras_gen.training.schedules import Linear
from keras_gen.vae import VQGAN, VQVAE
from keras_gen.visualize import reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    codebook_size: int = 512  # K
    latent_dim: int = 64  # Dimensions of a code
    filters: int = 256  # Channels of all maps of encoder and decoder
    residual_filters: int = 256  # Channels within their residual blocks
    discriminator_filters: int = 64  # Channels of the discriminator's first layer
    feature_weight: float = 0.2  # Weight of the feature loss, counted once for each value
    adversarial_weight: float = 0.5  # Weight of the adversarial loss beside lambda, grown from 0
    learning_rate: float = 2e-4  # Adam's rate, constant in the first half and then linear to zero
    d_learning_rate: float = 2e-4  # Adam's rate for the discriminator
    classifier_steps: int = 1500  # Training steps of the feature network and of those that measure


PRESETS = {
    "smoke": dict(codebook_size=16, latent_dim=4, filters=8, residual_filters=4,
                  discriminator_filters=4, epochs=2, steps_per_epoch=4, batch_size=8,
                  classifier_steps=20),
    "cpu": dict(filters=64, residual_filters=32, discriminator_filters=32, learning_rate=1e-3,
                epochs=10, steps_per_epoch=400, batch_size=64, grid_every=2),
    "paper": dict(epochs=100, steps_per_epoch=1000, batch_size=128, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("cifar10", labels=True))
    train, test = (part.map(lambda image, label: image) for part in (data.train, data.test))
    shown, (images, labels) = test.arrays(), data.train.arrays()
    features = train_classifier(images, labels, steps=s.classifier_steps, seed=s.seed + 1)
    with run.strategy.scope():
        shape, sizes = (32, 32, 3), (s.latent_dim, s.filters, s.residual_filters)
        codes = dict(codebook_size=s.codebook_size, seed=s.seed)
        first, second = (
            (residual_encoder(shape, *sizes), residual_decoder(shape, *sizes)) for _ in "ab"
        )
        vq_vae = VQVAE(*first, **codes)
        run.compile(vq_vae, Adam(run.in_halves(s.learning_rate)))
        discriminator = patch_discriminator(shape, s.discriminator_filters, strided_layers=1)
        growing = Linear(0.0, s.adversarial_weight, s.epochs * s.steps_per_epoch // 4)
        weights = dict(feature_weight=s.feature_weight, adversarial_weight=growing)
        model = VQGAN(*second, discriminator, activation_maps(features), **weights, **codes)
        d_optimizer = Adam(s.d_learning_rate, 0.5, 0.9)
        run.compile(model, Adam(run.in_halves(s.learning_rate), 0.5, 0.9), d_optimizer=d_optimizer)

    mirrored = partial(train.stream, s.batch_size, s.seed, augment=random_crop_flip(32))
    draw = partial(reconstructions, images=shown[:16])
    run.fit(vq_vae, mirrored, draw, part="vq_vae")
    run.fit(model, mirrored, draw)

    with run.evaluation(model) as metrics:
        training = partial(trained_extractor, images, labels, s.classifier_steps, seed=s.seed)
        extractors = {kind: training(kind=kind) for kind in ("conv", "mlp")}
        evaluate = GenerationEvaluation(extractors, images[: len(shown)], shown, s.seed)
        bits = round(code_bits(model.encode(shown[:1]).shape[1:], s.codebook_size))
        others, _ = code_baselines(images, shown, bits, patches=s.codebook_size, seed=s.seed)
        found = {"": model.reconstruct(shown), "vq_vae_": vq_vae.reconstruct(shown)}
        found |= {f"{name}_": each for name, each in others.items()}
        for prefix, each in (found | {"floor_": shown}).items():
            metrics |= {prefix + name: value for name, value in evaluate(each).items()}
        for prefix, each in found.items():
            metrics[f"{prefix}psnr"] = psnr(each, shown, of="rgb").mean()
        for kind, extractor in extractors.items():
            metrics[f"extractor_accuracy_{kind}"] = extractor.accuracy
        rows = [each[:16] for each in (shown, found["vq_vae_"], found[""], found["jpeg_"])]
        run.draw("sample_grid", grid(np.concatenate(rows), columns=16))
    run.export(model)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
