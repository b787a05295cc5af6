"""Latent diffusion on Fashion-MNIST, with a VQ-VAE.

Rombach, Blattmann, Lorenz, Esser, Ommer: "High-Resolution Image Synthesis with Latent Diffusion
Models", CVPR 2022.

  python recipes/latent_diffusion_fashion_mnist.py      at most 137 minutes on two CPU cores
  python recipes/latent_diffusion_fashion_mnist.py --preset smoke  about a minute

First, a VQ-VAE with 8x8 codes is trained. Then, with the VQ-VAE frozen, two models of its codes are
trained: a diffusion model on the latents, and the baseline, a Gated PixelCNN on the discrete codes.
Their samples are compared with training images as in dcgan_fashion_mnist: in the features of two
independently trained classifiers of clothes (the worse result counts), and with a patch distance,
which needs no network. Reconstructed test images show the best possible quality of samples. A
Gaussian mixture over pixels is another baseline.

Deviations: see `LatentDiffusion`. In addition, the VQ-VAE has no perceptual loss and no
discriminator.

Data: fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The paper does
not use this dataset.
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe

import dataclasses
import time
from functools import partial

from keras.optimizers import Adam

from keras_gen.autoregressive import CodePrior
from keras_gen.data import Source, pad_to, small_images
from keras_gen.diffusion import LatentDiffusion
from keras_gen.metrics import sample_report, trained_extractors
from keras_gen.networks import gated_pixel_cnn, residual_decoder, residual_encoder
from keras_gen.vae import VQVAE
from keras_gen.workshop.baselines import mixture_samples
from keras_gen.workshop.visualize import captioned, reconstructions, samples


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    codebook_size: int = 512  # Number of entries in the codebook, K
    latent_dim: int = 4  # Number of latent dimensions at each of the 8x8 positions
    commitment_weight: float = 0.25
    """Weight of the commitment loss, which is averaged over all values."""
    filters: int = 64  # Channels of each feature map in the VQ-VAE
    residual_filters: int = 32  # Channels inside the residual blocks of the VQ-VAE
    coder_epochs: int = 4  # Number of epochs for the VQ-VAE
    widths: str = "64 128"  # Channels of the diffusion model's feature maps at 8x8 and 4x4
    probability_path: str = "cosine"  # Path from latents to noise
    prediction: str = "v"  # Prediction target of the network
    solver: str = "ddim"  # Solver used for sampling
    sampling_steps: int = 50  # Number of sampling steps
    prior_filters: int = 64  # Feature maps in each stack of the baseline's network
    prior_blocks: int = 4  # Number of blocks in the baseline's network
    prior_epochs: int = 4  # Number of epochs for the baseline
    learning_rate: float = 1e-3
    """Adam's learning rate for all models; linear decay to 0 in the second half."""
    ema: float = 0.0
    """EMA momentum for the diffusion model; evaluation uses the averaged weights. 0 disables
    EMA."""
    compared: int = 10_000
    """Number of images to compare from each set: samples, test images, and training images."""
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


PRESETS = {
    "smoke": dict(codebook_size=16, filters=8, residual_filters=4, coder_epochs=1, widths="8",
                  prior_filters=4, prior_blocks=1, prior_epochs=1, epochs=2, steps_per_epoch=5,
                  batch_size=16, compared=50, sampling_steps=5, classifier_steps=5),
    "cpu": dict(epochs=8, steps_per_epoch=468, batch_size=128, grid_every=1,
                mixed_precision="none"),
    "paper": dict(filters=256, residual_filters=256, widths="224 448", ema=0.9999, coder_epochs=100,
                  prior_epochs=100, prior_filters=128, prior_blocks=10, epochs=500,
                  steps_per_epoch=468, batch_size=128, grid_every=25, sampling_steps=200),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("fashion_mnist", labels=True))
    images, labels = data.train.arrays()
    test_images, _ = data.test.arrays()
    images, test_images = pad_to(images, 32).numpy(), pad_to(test_images, 32).numpy()
    stream = partial(Source(images).stream, s.batch_size, s.seed)

    shape = images.shape[1:]
    sizes = dict(latent_dim=s.latent_dim, filters=s.filters, residual_filters=s.residual_filters)
    with run.strategy.scope():
        # The reconstruction loss is a sum over the values of an image, and the commitment loss is a
        # sum over the values of a latent. In the authors' code, both are means over all values.
        # This weight is equivalent to the weight in their code.
        commitment_weight = s.commitment_weight * images[0].size / s.latent_dim
        coder = VQVAE(
            residual_encoder(shape, **sizes),
            residual_decoder(shape, **sizes),
            codebook_size=s.codebook_size,
            commitment_weight=commitment_weight,
            seed=s.seed,
        )
        run.compile(coder, Adam(run.in_halves(s.learning_rate)))

    # Each step: one joint update of the encoder, the decoder, and the codes.
    drawn_again = partial(reconstructions, images=test_images[:16])
    run.fit(coder, stream, drawn_again, epochs=s.coder_epochs, part="coder")

    with run.strategy.scope():
        network = gated_pixel_cnn(
            (8, 8, 1),
            outputs_per_value=s.codebook_size,
            filters=s.prior_filters,
            blocks=s.prior_blocks,
            first_kernel=5,
            kernel=3,
            levels=s.codebook_size,
            unordered=True,
        )
        prior = CodePrior(network, coder, seed=s.seed)
        run.compile(prior, Adam(run.in_halves(s.learning_rate)))
    # Each step: every code is predicted from earlier codes; the coder stays fixed.
    run.fit(prior, stream, samples, epochs=s.prior_epochs, part="prior")

    with run.strategy.scope():
        model = LatentDiffusion.for_coder(
            coder,
            images[:1000],
            tuple(map(int, s.widths.split())),
            probability_path=s.probability_path,
            prediction=s.prediction,
            seed=s.seed,
        )
        run.compile(model, run.averaged(Adam(run.in_halves(s.learning_rate))))
    # Each step: one gradient update on the loss of eq. (2).
    run.fit(model, stream, samples)
    run.export(model, default="sample")

    with run.evaluation(model) as metrics:
        extractors = trained_extractors(images, labels, s.classifier_steps)
        count = min(s.compared, len(test_images))
        held_out = test_images[:count]
        run.say(f"sampling {count} images from each model (of latents, codes, and pixels)")
        start = time.perf_counter()
        options = dict(steps=s.sampling_steps, solver=s.solver, batch_size=250)
        drawn = model.sample(count, seed=s.seed, **options)
        metrics["ms_per_sample"] = 1000 * (time.perf_counter() - start) / count
        start = time.perf_counter()
        of_prior = prior.sample(count, seed=s.seed, batch_size=250)
        metrics["prior_ms_per_sample"] = 1000 * (time.perf_counter() - start) / count
        sets = {
            "": drawn,
            "prior_": of_prior,
            "reconstructed_": coder.reconstruct(held_out),
            "baseline_": mixture_samples(images, count, seed=s.seed, black=True),
        }
        metrics |= sample_report(extractors, images, held_out, sets, s.seed)
        rows = {
            "latent diffusion": drawn,
            "PixelCNN on codes": of_prior,
            "test images": held_out,
        }
        grid = captioned([each[:12] for each in rows.values()], row_names=list(rows))
        run.draw("samples_of_both", grid)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
