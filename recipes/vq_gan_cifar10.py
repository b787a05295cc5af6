"""VQGAN on CIFAR-10.

Esser, Rombach, Ommer: "Taming Transformers for High-Resolution Image Synthesis", CVPR 2021, first
stage.

  python recipes/vq_gan_cifar10.py                    under an hour on one of two CPU cores
  python recipes/vq_gan_cifar10.py --preset smoke     under a minute

Expected result of the cpu preset: a kernel distance of 0.21 for reconstructions (VQ-VAE: 0.66;
k-means on patches: 0.14; JPEG: 0.15).

The first baseline is a VQ-VAE with the same networks, codebook, and number of steps. Both models
encode an image as 8x8 codes of 9 bits. The other baselines use the same number of bits without a
network: k-means on patches, principal components, and JPEG. The reconstructions of test images are
compared with training images in the features of two classifiers (the worse result counts), and with
a patch distance, which needs no network. The test images themselves are the reference. The PSNR
measures the loss for each image.

Deviations: the feature loss uses the feature maps of a small classifier trained on the training
images instead of an ImageNet network; the evaluation classifiers are trained separately, from other
initial weights. Networks follow the VQ-VAE paper, and the discriminator sees 16x16 patches.

Data: cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The paper uses larger
images and reports no metrics for this dataset.
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe
from keras_gen.workshop.run.reports import extractor_accuracies, prefixed

import dataclasses
from functools import partial

from keras.optimizers import Adam

from keras_gen.core.schedules import Linear
from keras_gen.data import Source, random_crop_flip, small_images
from keras_gen.metrics import (
    GenerationEvaluation,
    code_bits,
    psnr,
    train_classifier,
    trained_extractors,
)
from keras_gen.networks import (
    activation_maps,
    patch_discriminator,
    residual_decoder,
    residual_encoder,
)
from keras_gen.vae import VQGAN, VQVAE
from keras_gen.workshop.baselines import code_baselines
from keras_gen.workshop.visualize import image_rows, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    codebook_size: int = 512  # Number of codebook entries, K
    latent_dim: int = 64  # Number of dimensions of each codebook entry
    filters: int = 256  # Channels of each feature map in the encoder and decoder
    residual_filters: int = 256  # Channels inside the residual blocks of the encoder and decoder
    discriminator_filters: int = 64  # Channels of the discriminator's first layer
    feature_weight: float = 0.2
    """Weight of the feature distance, which is multiplied by the number of values per image."""
    adversarial_weight: float = 0.5
    """Final weight of the adversarial loss; the weight increases from 0 and is multiplied by
    lambda, the adaptive weight from eq. (7) of the VQGAN paper."""
    learning_rate: float = 2e-4  # Adam's learning rate; linear decay to 0 in the second half
    d_learning_rate: float = 2e-4  # Adam's learning rate for the discriminator
    classifier_steps: int = 1500
    """Number of training steps for the feature network and each evaluation classifier."""


PRESETS = {
    "smoke": dict(codebook_size=16, latent_dim=4, filters=8, residual_filters=4,
                  discriminator_filters=4, epochs=2, steps_per_epoch=4, batch_size=8,
                  classifier_steps=20),
    "cpu": dict(filters=64, residual_filters=32, discriminator_filters=32, learning_rate=1e-3,
                epochs=10, steps_per_epoch=1600, batch_size=16, grid_every=2),
    "paper": dict(epochs=100, steps_per_epoch=1000, batch_size=128, grid_every=10),
}  # fmt: skip

SHAPE = (32, 32, 3)


def main(run: Run, s: Settings):
    data = run.load(small_images("cifar10", labels=True))
    images, labels = data.train.arrays()
    test, _ = data.test.arrays()

    # Train the network that the feature loss uses.
    features = train_classifier(images, labels, steps=s.classifier_steps, seed=s.seed + 1)
    with run.strategy.scope():
        sizes = (s.latent_dim, s.filters, s.residual_filters)
        vq_vae_encoder = residual_encoder(SHAPE, *sizes)
        vq_vae_decoder = residual_decoder(SHAPE, *sizes)
        encoder = residual_encoder(SHAPE, *sizes)
        decoder = residual_decoder(SHAPE, *sizes)

        codes = dict(codebook_size=s.codebook_size, seed=s.seed)
        vq_vae = VQVAE(vq_vae_encoder, vq_vae_decoder, **codes)
        run.compile(vq_vae, Adam(run.in_halves(s.learning_rate)))

        discriminator = patch_discriminator(SHAPE, s.discriminator_filters, strided_layers=1)
        steps = s.epochs * s.steps_per_epoch
        model = VQGAN(
            encoder,
            decoder,
            discriminator,
            activation_maps(features),
            feature_weight=s.feature_weight,
            adversarial_weight=Linear(0.0, s.adversarial_weight, steps // 4),
            **codes,
        )
        optimizer = Adam(run.in_halves(s.learning_rate), 0.5, 0.9)
        d_optimizer = Adam(s.d_learning_rate, 0.5, 0.9)
        run.compile(model, optimizer, d_optimizer=d_optimizer)

    # Each step of the VQ-VAE: one joint update of the encoder, the decoder, and the codes.
    # Each step of the VQGAN: the same update, then one update of the discriminator.
    mirror = random_crop_flip(SHAPE[0])
    mirrored = partial(Source(images).stream, s.batch_size, s.seed, augment=mirror)
    draw = partial(reconstructions, images=test[:16])
    run.fit(vq_vae, mirrored, draw, part="vq_vae")
    run.fit(model, mirrored, draw)
    run.export(model)

    # Fit the other codes, and train the classifiers whose features are compared.
    bits = round(code_bits(model.encode(test[:1]).shape[1:], s.codebook_size))
    patches = s.codebook_size
    others, _ = code_baselines(images, test, bits, patches=patches, seed=s.seed)
    extractors = trained_extractors(images, labels, s.classifier_steps)
    evaluate = GenerationEvaluation(extractors, images[: len(test)], s.seed)

    with run.evaluation(model) as metrics:
        found = {"": model.reconstruct(test), "vq_vae_": vq_vae.reconstruct(test)}
        for name, each in others.items():
            found[f"{name}_"] = each
        for prefix, each in found.items():
            metrics |= prefixed(prefix, evaluate(each))
        metrics |= prefixed("floor_", evaluate(test))
        for prefix, each in found.items():
            metrics[f"{prefix}psnr"] = psnr(each, test, of="rgb").mean()
        metrics |= extractor_accuracies(extractors)
        rows = {
            "image": test,
            "VQ-VAE": found["vq_vae_"],
            "VQGAN": found[""],
            "JPEG": found["jpeg_"],
        }
        run.draw("sample_grid", image_rows(rows, columns=16))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
