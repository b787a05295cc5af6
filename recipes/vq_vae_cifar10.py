"""VQ-VAE: photographs as grids of integers, beside other codes of as many bits.

Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017, of
8x8 codes an image (the paper: 8x8x10). Test images are reconstructed from their codes. Their PSNR
in red, green and blue, the mean over images, stands beside that of codes without a network, fitted
to the same images: as many 4x4 patches found by k-means; principal components of whole images,
rounded to as many bits in all; and JPEG at the highest quality that takes no more bits of training
images. Of JPEG only the image's own data are counted: a file has a header of 5,000 bits besides,
nearly nine times as many as 8x8 codes.

  python recipes/vq_vae_cifar10.py                    about 16 minutes on two CPU cores
  python recipes/vq_vae_cifar10.py --preset smoke     under a minute

Data: cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from keras.optimizers import Adam

from keras_gen.baselines import code_baselines, jpeg
from keras_gen.data import random_crop_flip, small_images
from keras_gen.media.images import grid
from keras_gen.metrics import code_bits, code_uses, perplexity, psnr
from keras_gen.networks import residual_decoder, residual_encoder
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.vae import VQVAE
from keras_gen.visualize import code_histogram, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    images: Path | None = None  # Your own folder of images in their place
    codebook_size: int = 512  # K
    codebook_update: Literal["average", "loss"] = "average"  # How codes are learned
    codes_per_place: int = 1  # Codes at each of the places
    latent_dim: int = 64  # Dimensions of a code
    filters: int = 256  # Channels of all maps
    residual_filters: int = 256  # Channels within the residual blocks
    learning_rate: float = 2e-4  # Adam's rate, constant in the first half and then linear to zero
    baseline_images: int = 50_000  # Training images that the other codes are fitted to, at most


PRESETS = {
    "smoke": dict(codebook_size=16, latent_dim=4, filters=8, residual_filters=4, epochs=2,
                  steps_per_epoch=5, batch_size=16, baseline_images=300),
    "cpu": dict(filters=64, residual_filters=32, learning_rate=1e-3, epochs=32, steps_per_epoch=500,
                batch_size=64, grid_every=3),
    "paper": dict(codes_per_place=10, epochs=250, steps_per_epoch=1000, batch_size=128,
                  grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("cifar10", images=s.images))
    test, shape = data.test.arrays(), tuple(data.train.element_spec.shape)
    with run.strategy.scope():
        sizes = dict(latent_dim=s.latent_dim, filters=s.filters)
        sizes |= dict(residual_filters=s.residual_filters, codes_per_place=s.codes_per_place)
        networks = residual_encoder(shape, **sizes), residual_decoder(shape, **sizes)
        codes = dict(codebook_size=s.codebook_size, codebook_update=s.codebook_update)
        model = VQVAE(*networks, **codes, seed=s.seed)
        run.compile(model, Adam(run.in_halves(s.learning_rate)))
    mirrored = partial(data.train.stream, s.batch_size, s.seed, augment=random_crop_flip(shape[0]))
    run.fit(model, mirrored, lambda model: reconstructions(model, test[:16]))

    with run.evaluation(model) as metrics:
        known, codes = data.train.arrays()[: s.baseline_images], model.encode(test)
        bits = round(code_bits(codes.shape[1:], s.codebook_size))
        patches = s.codebook_size if s.codes_per_place == 1 else None
        others, bits_jpeg = code_baselines(known, test, bits, patches, s.seed)
        found = {"model": model.reconstruct(test)} | others
        metrics |= {f"psnr_{k}": psnr(images, test, of="rgb").mean() for k, images in found.items()}
        metrics |= {"bits": bits, "bits_jpeg": bits_jpeg}
        metrics["bits_smallest_jpeg_file"] = jpeg(test, 1)[1].mean()
        uses = code_uses(codes, s.codebook_size)
        metrics["codes_in_use"] = np.count_nonzero(uses)
        metrics["codes_perplexity"] = perplexity(uses)
        run.draw("code_histogram", code_histogram({"codes": uses}))
        rows = [test[:16], *(images[:16] for images in found.values())]
        run.draw("sample_grid", grid(np.concatenate(rows), columns=16))
    run.export(model)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
