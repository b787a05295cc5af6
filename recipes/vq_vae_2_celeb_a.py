"""VQ-VAE-2 on CelebA, compared with other codes at the same bit rate.

Razavi, van den Oord, Vinyals: "Generating Diverse High-Fidelity Images with VQ-VAE-2", NeurIPS
2019.

  python recipes/vq_vae_2_celeb_a.py                    45 minutes on one of two CPU cores (shared)
  python recipes/vq_vae_2_celeb_a.py --preset smoke     under a minute

Expected result of the cpu preset: a PSNR of 27.5 dB (principal components: 28.0, entropy-coded:
29.3; JPEG: 27.6; k-means on patches: 26.2).

The bottom level has a quarter of the image's side length, and the top level has an eighth. Test
images are reconstructed from their codes. Their RGB PSNR, averaged over images, is compared with
codes that need no network, as in vq_vae_cifar10.py. Principal components of whole images and JPEG
have the same number of bits; k-means on 4x4 patches has slightly fewer bits, because the codebook
size is a power of two.

Deviations in the cpu preset: narrow networks, and batches of 2. In each step, the codebooks move by
a hundredth toward the latents. For a given number of images, results therefore improve with the
number of steps: 12,800 faces gave 23.6 dB on held-out faces in batches of 8, 25.1 dB in batches of
4, and 26.3 dB in batches of 2.

Data: celeb_a through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The paper uses other
faces, at 1024x1024 pixels, with three levels.
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe
from keras_gen.workshop.run.reports import code_use_report, psnr_report

import dataclasses
from functools import partial
from pathlib import Path

from keras.optimizers import Adam

from keras_gen.data import faces, random_crop_flip
from keras_gen.losses import Normal
from keras_gen.metrics import code_bits, code_uses, squared_error
from keras_gen.networks import vq_vae_2_networks
from keras_gen.vae import VQVAE2
from keras_gen.workshop.baselines import code_baselines
from keras_gen.workshop.visualize import code_histogram, image_rows, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    images: Path | None = None  # Your own image folder
    size: int = 64  # Side length of the images, in pixels; a multiple of 8
    held_out: int = 100
    """Number of images at the end of the training set, held out to choose the epoch."""
    codebook_size: int = 512  # Number of entries, K, in each level's codebook
    latent_dim: int = 64  # Number of dimensions of each codebook entry
    filters: int = 128  # Channels of each feature map
    residual_filters: int = 64  # Channels inside the residual blocks
    std: float = 1.0
    """Scale of the likelihood; a smaller scale gives reconstructions more weight."""
    learning_rate: float = 3e-4  # Adam's learning rate; linear decay to 0 in the second half
    patches: int = 2048  # Number of 4x4 patches in the baseline's codebook


PRESETS = {
    "smoke": dict(size=32, held_out=20, codebook_size=16, latent_dim=4, filters=8,
                  residual_filters=4, epochs=2, steps_per_epoch=4, batch_size=16, patches=16),
    "cpu": dict(filters=64, residual_filters=32, learning_rate=1e-3, epochs=20,
                steps_per_epoch=2400, batch_size=2, grid_every=4),
    "paper": dict(epochs=250, steps_per_epoch=1000, batch_size=128, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    fitted = -(-s.patches // (s.size // 4) ** 2)  # number of images with this many patches
    needed = s.held_out + max(s.batch_size, fitted)
    data = run.load(faces(s.size, images=s.images), train=needed)
    split = data.for_validation(s.held_out)
    train = split.train.arrays()
    held_out = split.test.arrays()
    test = data.test.arrays()

    with run.strategy.scope():
        networks = vq_vae_2_networks(
            test.shape[1:],
            latent_dim=s.latent_dim,
            filters=s.filters,
            residual_filters=s.residual_filters,
        )
        model = VQVAE2(
            **networks, likelihood=Normal(s.std), codebook_size=s.codebook_size, seed=s.seed
        )
        run.compile(model, Adam(run.in_halves(s.learning_rate)))

    # Each step: one joint update of all networks and codes.
    mirror = random_crop_flip(s.size)
    mirrored = partial(split.train.stream, s.batch_size, s.seed, augment=mirror)
    draw = partial(reconstructions, images=test[:16])
    validate = partial(reconstruction_error, held_out)
    run.fit(model, mirrored, draw, validate=validate, best="error")
    run.restore_best(model)
    run.export(model)

    # Fit the baselines' codes, with the same number of bits as the codes of both levels.
    top, bottom = model.encode(test)
    top_bits = code_bits(top.shape[1:], s.codebook_size)
    bottom_bits = code_bits(bottom.shape[1:], s.codebook_size)
    bits = round(top_bits + bottom_bits)
    others, bits_jpeg = code_baselines(train, test, bits, s.patches, s.seed)

    with run.evaluation(model) as metrics:
        found = {"model": model.reconstruct(test)} | others
        metrics |= psnr_report(found, test)
        metrics["bits"] = bits
        metrics["bits_jpeg"] = bits_jpeg
        uses = {
            "top": code_uses(top, s.codebook_size),
            "bottom": code_uses(bottom, s.codebook_size),
        }
        metrics |= code_use_report(uses)
        run.draw("code_histogram", code_histogram(uses))
        rows = {"image": test, "VQ-VAE-2": found["model"], **others}
        run.draw("sample_grid", image_rows(rows, columns=12))


def reconstruction_error(images, model):
    return {"error": squared_error(model.reconstruct(images), images).mean()}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
