"""VQ-VAE-2: faces as two grids of integers, beside other codes of as many bits.

Razavi, van den Oord, Vinyals: "Generating Diverse High-Fidelity Images with VQ-VAE-2", NeurIPS
2019. The bottom level has a quarter of the image's sides, the top level an eighth. Test images are
reconstructed from their codes. Their PSNR in red, green and blue, the mean over images, stands
beside that of codes without a network, as in vq_vae_cifar10.py: principal components of whole
images and JPEG in as many bits, and 4x4 patches found by k-means in somewhat fewer, for of these
there is a power of two.

  python recipes/vq_vae_2_celeb_a.py                    45 minutes on one of two CPU cores, shared
  python recipes/vq_vae_2_celeb_a.py --preset smoke     under a minute

Data: celeb_a through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The paper reports on
other faces, of 1024x1024 pixels, in three levels.

Deviations in the cpu preset: narrow networks, and batches of 2. Codebooks follow their codes by a
hundredth with each step, so that of as many images more steps learn more: 12,800 faces gave 23.6 dB
on held-out ones in batches of 8, 25.1 in batches of 4 and 26.3 in batches of 2.
"""

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
from keras.optimizers import Adam

from keras_gen.baselines import code_baselines
from keras_gen.data import faces, random_crop_flip
from keras_gen.losses import Normal
from keras_gen.media.images import grid
from keras_gen.metrics import code_bits, code_uses, perplexity, psnr, squared_error
from keras_gen.networks import vq_vae_2_networks
from keras_gen.run import Run, RunSettings, run_recipe
from keras_gen.vae import VQVAE2
from keras_gen.visualize import code_histogram, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    images: Path | None = None  # Your own folder of images
    size: int = 64  # Side of the images in pixels, a multiple of 8
    held_out: int = 100  # Last training images, by which the best epoch is chosen
    codebook_size: int = 512  # K, of each level
    latent_dim: int = 64  # Dimensions of a code
    filters: int = 128  # Channels of all maps
    residual_filters: int = 64  # Channels within the residual blocks
    std: float = 1.0  # Of the likelihood; a lower one counts reconstructions more beside commitment
    learning_rate: float = 3e-4  # Adam's rate, constant in the first half and then linear to zero
    patches: int = 2048  # Patches of 4x4 pixels in the codebook beside it


PRESETS = {
    "smoke": dict(size=32, held_out=20, codebook_size=16, latent_dim=4, filters=8,
                  residual_filters=4, epochs=2, steps_per_epoch=4, batch_size=16, patches=16),
    "cpu": dict(filters=64, residual_filters=32, learning_rate=1e-3, epochs=20,
                steps_per_epoch=2400, batch_size=2, grid_every=4),
    "paper": dict(epochs=250, steps_per_epoch=1000, batch_size=128, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(faces(s.size, images=s.images))
    kept, test = data.for_validation(s.held_out), data.test.arrays()
    known, held_out = kept.train.arrays(), kept.test.arrays()
    with run.strategy.scope():
        sizes = dict(latent_dim=s.latent_dim, filters=s.filters)
        networks = vq_vae_2_networks(test.shape[1:], **sizes, residual_filters=s.residual_filters)
        codes = dict(codebook_size=s.codebook_size, seed=s.seed)
        model = VQVAE2(**networks, likelihood=Normal(s.std), **codes)
        run.compile(model, Adam(run.in_halves(s.learning_rate)))

    mirrored = partial(kept.train.stream, s.batch_size, s.seed, augment=random_crop_flip(s.size))
    draw = partial(reconstructions, images=test[:16])

    def validate(model):
        return {"error": squared_error(model.reconstruct(held_out), held_out).mean()}

    run.fit(model, mirrored, draw, validate=validate, best="error")

    run.restore_best(model)
    with run.evaluation(model) as metrics:
        codes = dict(zip(("top", "bottom"), model.encode(test), strict=True))
        bits = round(sum(code_bits(c.shape[1:], s.codebook_size) for c in codes.values()))
        others, bits_jpeg = code_baselines(known, test, bits, s.patches, s.seed)
        found = {"model": model.reconstruct(test)} | others
        metrics |= {f"psnr_{k}": psnr(images, test, of="rgb").mean() for k, images in found.items()}
        metrics |= {"bits": bits, "bits_jpeg": bits_jpeg}
        uses = {name: code_uses(of, s.codebook_size) for name, of in codes.items()}
        for name, counts in uses.items():
            metrics[f"{name}_in_use"] = np.count_nonzero(counts)
            metrics[f"{name}_perplexity"] = perplexity(counts)
        run.draw("code_histogram", code_histogram(uses))
        rows = [test[:12], *(images[:12] for images in found.values())]
        run.draw("sample_grid", grid(np.concatenate(rows), columns=12))
    run.export(model)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
