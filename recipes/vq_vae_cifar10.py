"""VQ-VAE on CIFAR-10, compared with other codes at the same bit rate.

Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017, with
8x8 codes per image (the paper: 8x8x10).

  python recipes/vq_vae_cifar10.py                    about 76 minutes on one of two CPU cores
  python recipes/vq_vae_cifar10.py --preset smoke     under a minute

Expected result of the cpu preset: a PSNR of 25.3 dB (principal components: 25.0, entropy-coded:
25.4; JPEG: 23.3; k-means on patches: 23.0).

Test images are reconstructed from their codes. Their RGB PSNR, averaged over images, is compared
with codes that need no network and are fitted to the same images: k-means on 4x4 patches with the
same codebook size; principal components of whole images, either rounded to the same total number of
bits or entropy-coded to the same average number; and JPEG at the highest quality that needs no more
bits on training images. For JPEG, only the image data are counted, because a file also has a header
of 5,000 bits, almost nine times the size of 8x8 codes.

Data: cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import code_use_report, psnr_report

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

from keras.optimizers import Adam

from keras_gen.data import random_crop_flip, small_images
from keras_gen.metrics import code_bits, code_uses
from keras_gen.networks import residual_decoder, residual_encoder
from keras_gen.vae import VQVAE
from keras_gen.workshop.baselines import code_baselines, jpeg
from keras_gen.workshop.visualize import code_histogram, image_rows, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    images: Path | None = None  # Your own image folder, used instead of the dataset
    codebook_size: int = 512  # Number of entries in the codebook, K
    codebook_update: Literal["average", "loss"] = "average"  # Method for learning the codebook
    codes_per_place: int = 1  # Number of codes at each position
    latent_dim: int = 64  # Number of dimensions of each codebook entry
    commitment_weight: float = 0.25
    """Weight of the commitment loss, which is averaged over all values."""
    filters: int = 256  # Channels of each feature map
    residual_filters: int = 256  # Channels inside the residual blocks
    learning_rate: float = 2e-4  # Adam's learning rate; linear decay to 0 in the second half
    baseline_images: int = 50_000
    """Maximum number of training images used to fit the baselines' codes."""


PRESETS = {
    "smoke": dict(codebook_size=16, latent_dim=4, filters=8, residual_filters=4, epochs=2,
                  steps_per_epoch=5, batch_size=16, baseline_images=300),
    "cpu": dict(filters=64, residual_filters=32, learning_rate=1e-3, epochs=32,
                steps_per_epoch=500, batch_size=64, grid_every=3),
    "paper": dict(codes_per_place=10, epochs=250, steps_per_epoch=1000, batch_size=128,
                  grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    fitted = -(-s.codebook_size // 8**2)  # number of images with this many 4x4 patches
    needed = max(s.batch_size, fitted)
    data = run.load(small_images("cifar10", images=s.images), train=needed)
    train = data.train.arrays()
    test = data.test.arrays()
    shape = test.shape[1:]

    with run.strategy.scope():
        sizes = dict(
            latent_dim=s.latent_dim,
            filters=s.filters,
            residual_filters=s.residual_filters,
            codes_per_place=s.codes_per_place,
        )
        # The reconstruction loss is a sum over the values of an image, and the commitment loss is a
        # sum over the values of a latent. In the authors' code, both are means over all values.
        # This weight is equivalent to the weight in their code.
        commitment_weight = s.commitment_weight * test[0].size / s.latent_dim
        model = VQVAE(
            residual_encoder(shape, **sizes),
            residual_decoder(shape, **sizes),
            codebook_size=s.codebook_size,
            commitment_weight=commitment_weight,
            codebook_update=s.codebook_update,
            seed=s.seed,
        )
        run.compile(model, Adam(run.in_halves(s.learning_rate)))

    # Each step: one joint update of the encoder, the decoder, and the codes.
    mirror = random_crop_flip(shape[0])
    mirrored = partial(data.train.stream, s.batch_size, s.seed, augment=mirror)
    run.fit(model, mirrored, partial(reconstructions, images=test[:16]))
    run.export(model)

    # Fit the baselines' codes, with the same number of bits.
    codes = model.encode(test)
    bits = round(code_bits(codes.shape[1:], s.codebook_size))
    patches = s.codebook_size if s.codes_per_place == 1 else None
    others, bits_jpeg = code_baselines(train[: s.baseline_images], test, bits, patches, s.seed)

    with run.evaluation(model) as metrics:
        found = {"model": model.reconstruct(test)} | others
        metrics |= psnr_report(found, test)
        metrics["bits"] = bits
        metrics["bits_jpeg"] = bits_jpeg
        _, file_bits = jpeg(test, quality=1)
        metrics["bits_smallest_jpeg_file"] = file_bits.mean()
        uses = {"codes": code_uses(codes, s.codebook_size)}
        metrics |= code_use_report(uses)
        run.draw("code_histogram", code_histogram(uses))
        rows = {"image": test, "VQ-VAE": found["model"], **others}
        run.draw("sample_grid", image_rows(rows, columns=16))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
