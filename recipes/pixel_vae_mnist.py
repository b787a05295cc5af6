"""PixelVAE on binarized MNIST, compared with a VAE with independent pixels.

Gulrajani, Kumar, Ahmed, Taiga, Visin, Vazquez, Courville: "PixelVAE: A Latent Variable Model for
Natural Images", ICLR 2017.

  python recipes/pixel_vae_mnist.py                    16 minutes on one of two CPU cores
  python recipes/pixel_vae_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a test NLL of 87.2 nats with a KL divergence of 5.4 (independent
pixels: 97.3; boosted trees on the 36 preceding pixels: 91.9).

The decoder turns latents into maps that condition a small PixelCNN. Each pixel sees only a few
preceding pixels, so information about distant pixels must come from the latents. Both models are
trained for the same number of steps. The VAE's decoder has the same convolutions, but returns the
logits of pixels that are independent given the latents. The KL divergence measures the information
in the latents; 0 would mean a collapsed posterior. A table of each pixel given the preceding 16
pixels shows what such a small context achieves without latents. In the picture with rows, the
images in a row have the same latents but resampled pixels.

Deviations: one layer of latents, networks small enough for a CPU, dynamic binarization, and free
bits.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import binary_baselines

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.core import averaged_weights
from keras_gen.data import binarize, small_images
from keras_gen.losses import kl_standard_normal
from keras_gen.metrics import active_units, importance_weighted_nll, nll_summary
from keras_gen.networks import conv_decoder, conv_encoder, pixel_vae_decoder
from keras_gen.vae import VAE, PixelVAE
from keras_gen.workshop.visualize import captioned, samples

SHAPE = (28, 28, 1)
ROWS = 8  # number of latents (rows) in the picture, and of resampled images (columns)


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 32  # Number of latent dimensions
    filters: int = 16  # Feature maps in each stack of the PixelCNN
    blocks: int = 1
    """Number of PixelCNN blocks after the first layer; with more blocks, the latents matter
    less."""
    encoder_filters: str = "16 32"  # Channels of the convolutions in the encoder and decoder
    free_bits: float = 0.05  # Free nats per latent
    learning_rate: float = 2e-3  # Adam's learning rate; linear decay to 0 in the second half
    ema: float = 0.99
    """EMA momentum for the weights; evaluation uses the averaged weights. 0 disables EMA."""
    compared: int = 1000  # Number of test digits whose NLL is estimated
    nll_samples: int = 100  # Number of importance samples per test digit
    boosted: int = 800_000  # Number of pixels used to train the boosted trees, a baseline
    templates: str = "300"
    """Candidate numbers of components in the Bernoulli mixture, a baseline; the best number is
    chosen on held-out training digits."""


PRESETS = {
    "smoke": dict(latent_dim=4, filters=4, blocks=1, encoder_filters="4 4", epochs=2,
                  steps_per_epoch=10, batch_size=8, compared=20, nll_samples=10, templates="5",
                  boosted=1000),
    "cpu": dict(epochs=10, steps_per_epoch=500, batch_size=32, grid_every=5,
                steps_per_execution=50),
    "paper": dict(latent_dim=64, filters=32, blocks=3, encoder_filters="32 64", epochs=200,
                  steps_per_epoch=600, batch_size=100, nll_samples=1000, compared=10000,
                  grid_every=20, steps_per_execution=50),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist"))
    train = data.train.arrays(s.seed, binarize)
    test = data.test.arrays(s.seed, binarize)
    widths = tuple(map(int, s.encoder_filters.split()))

    with run.strategy.scope():
        heads = ("mean", "log_variance")
        decoder = pixel_vae_decoder(
            SHAPE,
            s.latent_dim,
            filters=s.filters,
            blocks=s.blocks,
            decoder_filters=widths,
        )
        model = PixelVAE(
            conv_encoder(SHAPE, s.latent_dim, widths, heads=heads),
            decoder,
            free_bits=s.free_bits,
            seed=s.seed,
        )
        run.compile(model, run.averaged(Adam(run.in_halves(s.learning_rate))))
        factorized = VAE(
            conv_encoder(SHAPE, s.latent_dim, widths, heads=heads),
            conv_decoder(SHAPE, s.latent_dim, widths),
            seed=s.seed,
        )
        run.compile(factorized, run.averaged(Adam(run.in_halves(s.learning_rate))))

    # Each step: one joint update of the encoder and the decoder.
    stream = partial(data.train.stream, s.batch_size, s.seed, augment_batch=binarize)
    run.fit(factorized, stream, part="factorized")
    run.fit(model, stream, samples)
    run.export(model, default="sample")

    # Fit the baselines, which have no latents: a mixture, and trees and a table that predict each
    # pixel from earlier pixels.
    shown = test[: s.compared]
    baselines = binary_baselines(run, train, shown)

    with run.evaluation(model) as metrics:
        run.say(
            f"estimating the NLL of {len(shown)} test digits with {s.nll_samples} importance "
            "samples each"
        )
        metrics |= measured(model, shown, s)
        # Each row shows several samples of the pixels for the same latents from the prior.
        latents = np.random.default_rng(s.seed).normal(size=(ROWS, s.latent_dim))
        rows = model.render(np.repeat(latents, ROWS, axis=0), np.arange(ROWS * ROWS))
        names = [f"latents {number + 1}" for number in range(ROWS)]
        run.draw("same_latents", captioned(np.split(rows, ROWS), names))
        with averaged_weights(factorized):
            metrics |= measured(factorized, shown, s, "factorized_")
        metrics |= baselines


def measured(model, images, s, prefix=""):
    """Returns the NLL, the information in the latents in nats, and the number of active latents."""
    nats = importance_weighted_nll(model, images, s.nll_samples, seed=s.seed)
    means, log_variances = model.encode(images)
    kl = kl_standard_normal(means, log_variances).numpy().mean()
    units, _ = active_units(means)
    return nll_summary(nats, prefix) | {f"{prefix}kl": kl, f"{prefix}active_units": units}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
