"""VQ-VAE: photographs as grids of integers, beside other codes of as many bits.

Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017, of
8x8 codes an image (the paper: 8x8x10). Test images are reconstructed from their codes. Their PSNR
in red, green and blue, the mean over images, stands beside that of codes without a network, fitted
to the same images: as many 4x4 patches found by k-means; principal components of whole images,
rounded to as many bits in all; and JPEG at the highest quality that takes no more bits of training
images. Of JPEG only the image's own data are counted: a file has a header of 5,000 bits besides,
nearly nine times as many as 8x8 codes.

With --levels 2: Razavi, van den Oord, Vinyals: "Generating Diverse High-Fidelity Images with
VQ-VAE-2", NeurIPS 2019.

  python recipes/vq_vae_cifar10.py                    about 16 minutes on two CPU cores
  python recipes/vq_vae_cifar10.py --preset smoke     under a minute
  python recipes/vq_vae_cifar10.py --dataset celeb_a --levels 2     faces of 64x64 pixels

Data: cifar10 or celeb_a through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

from keras_gen.data import faces, random_crop_flip, small_images
from keras_gen.images import grid
from keras_gen.metrics import (
    PatchCodebook,
    QuantizedComponents,
    code_bits,
    code_uses,
    jpeg,
    jpeg_quality,
    perplexity,
    psnr,
)  # fmt: skip
from keras_gen.networks import residual_decoder, residual_encoder, vq_vae_2_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.vae import VQVAE, VQVAE2
from keras_gen.visualize import code_histogram, reconstructions

import numpy as np
from keras.optimizers import Adam


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    dataset: Literal["cifar10", "celeb_a"] = "cifar10"  # Photographs, or faces of 64x64 pixels
    images: Path | None = None  # Your own folder of images in their place
    levels: Literal["1", "2"] = "1"  # Of codes: VQ-VAE, or VQ-VAE-2
    codebook_size: int = 512  # K, of each level
    codebook_update: Literal["average", "loss"] = "average"  # How codes are learned
    codes_per_place: int = 1  # Codes at each of the places, with one level
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
    load = partial(faces, 64) if s.dataset == "celeb_a" else partial(small_images, "cifar10")
    data = run.load(load(images=s.images))
    test, shape = data.test.arrays(), tuple(data.train.element_spec.shape)
    with run.strategy.scope():
        model = built(shape, s)
        run.compile(model, Adam(run.in_halves(s.learning_rate)))
    mirrored = partial(data.train.stream, s.batch_size, s.seed, augment=random_crop_flip(shape[0]))
    run.fit(model, mirrored, lambda model: reconstructions(model, test[:16]))

    with run.evaluation(model) as metrics:
        known, codes = data.train.arrays()[: s.baseline_images], model.encode(test)
        grids = {"codes": codes} if s.levels == "1" else {"top": codes[0], "bottom": codes[1]}
        bits = round(sum(code_bits(g.shape[1:], s.codebook_size) for g in grids.values()))
        found = {"model": model.reconstruct(test)}
        if s.levels == "1" and s.codes_per_place == 1:
            found["kmeans"] = PatchCodebook(known, 4, s.codebook_size, s.seed).reconstruct(test)
        found["pca"] = QuantizedComponents(known, bits).reconstruct(test)
        found["jpeg"], used = jpeg(test, jpeg_quality(known, bits), header=False)
        metrics |= {f"psnr_{k}": psnr(images, test, of="rgb").mean() for k, images in found.items()}
        metrics |= {"bits": bits, "bits_jpeg": used.mean()}
        metrics["bits_smallest_jpeg_file"] = jpeg(test, 1)[1].mean()
        uses = {name: code_uses(g, s.codebook_size) for name, g in grids.items()}
        for name, counts in uses.items():
            metrics[f"{name}_in_use"] = np.count_nonzero(counts)
            metrics[f"{name}_perplexity"] = perplexity(counts)
        run.draw("code_histogram", code_histogram(uses))
        rows = [test[:16], *(images[:16] for images in found.values())]
        run.draw("sample_grid", grid(np.concatenate(rows), columns=16))
    run.export(model)


def built(shape, s):
    """The model of one or two levels."""
    sizes = dict(latent_dim=s.latent_dim, filters=s.filters, residual_filters=s.residual_filters)
    codes = dict(codebook_size=s.codebook_size, codebook_update=s.codebook_update, seed=s.seed)
    if s.levels == "2":
        return VQVAE2(**vq_vae_2_networks(shape, **sizes), **codes)
    sizes |= dict(codes_per_place=s.codes_per_place)
    return VQVAE(residual_encoder(shape, **sizes), residual_decoder(shape, **sizes), **codes)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
