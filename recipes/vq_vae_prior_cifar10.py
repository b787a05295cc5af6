"""VQ-VAE with a PixelCNN prior on CIFAR-10.

Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017, sec.
3.3 and 4.1; the prior is a Gated PixelCNN over the 8x8x10 codes.

  python recipes/vq_vae_prior_cifar10.py                    55 minutes on one of two CPU cores
  python recipes/vq_vae_prior_cifar10.py --preset smoke     under a minute

Expected result of the cpu preset: a bound of 5.34 bits per dimension (WebP: 4.19; PCA: 4.41). The
prior needs 3.65 bits per code (n-grams: 6.81).

First, the VQ-VAE is trained. Then, with its codes frozen, the prior is trained. The bound on the
bits of a test image is the sum of the bits of its codes under the prior and the bits of its pixel
values (256 levels) given the codes. It is compared with lossless image formats, probabilistic PCA,
and a histogram per value. The bits of the codes alone are compared with n-grams. The weights of the
prior from the epoch with the best held-out loss are kept.

Deviations: levels have discretized logistic distributions. The paper, which reports 4.67 bits per
dimension, states neither the distribution nor the code dimension. Here, the code dimension is 4.
Then, 512 codes are closer together than in the 64 dimensions of the paper's speech model, and
images looked far better in trials.

Data: cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.autoregressive import CodePrior
from keras_gen.data import random_crop_flip, small_images
from keras_gen.losses import DiscretizedLogistic
from keras_gen.metrics import bits_per_dimension, bits_per_live_value
from keras_gen.networks import gated_pixel_cnn, residual_decoder, residual_encoder
from keras_gen.vae import VQVAE
from keras_gen.workshop.baselines import best_n_grams, image_baselines
from keras_gen.workshop.visualize import reconstructions, samples


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    codebook_size: int = 512  # Number of entries in the codebook, K
    latent_dim: int = 4  # Number of dimensions of each codebook entry
    commitment_weight: float = 0.25
    """Weight of the commitment loss, which is averaged over all values."""
    codes_per_place: int = 10  # Number of codes at each of the 8x8 positions
    filters: int = 256  # Channels of each feature map in the VQ-VAE
    residual_filters: int = 256  # Channels inside the residual blocks of the VQ-VAE
    prior_filters: int = 120  # Feature maps in each stack of the prior
    prior_blocks: int = 10  # Number of blocks in the prior's network
    prior_epochs: int = 100  # Number of epochs for the prior
    learning_rate: float = 2e-4
    """Adam's learning rate for the VQ-VAE; linear decay to 0 in the second half."""
    prior_learning_rate: float = 1e-3
    """Adam's learning rate for the prior; linear decay to 0 in the second half."""
    ema: float = 0.999
    """EMA momentum for the prior; evaluation uses the averaged weights. 0 disables EMA."""
    held_out: int = 1000
    """Number of images at the end of the training set, held out to choose the prior's epoch and the
    number of PCA components."""
    tested: int = 10_000  # Number of test images; the first ones are used
    components: str = "100 300 600 1000"
    """Candidate numbers of PCA components; the best number is chosen."""


PRESETS = {
    "smoke": dict(codebook_size=16, codes_per_place=2, latent_dim=4, filters=8,
                  residual_filters=4, prior_filters=4, prior_blocks=1, prior_epochs=2, epochs=2,
                  steps_per_epoch=5, batch_size=16, held_out=50, tested=50, components="2 10"),
    "cpu": dict(filters=64, residual_filters=32, learning_rate=2e-3, prior_filters=100,
                prior_blocks=4, prior_epochs=16, ema=0.99, epochs=14, steps_per_epoch=500,
                batch_size=32, grid_every=4),
    "paper": dict(epochs=250, steps_per_epoch=1000, batch_size=128, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("cifar10"))
    split = data.for_validation(s.held_out)
    test = data.test.arrays()[: s.tested]
    height, width, channels = test.shape[1:]

    likelihood = DiscretizedLogistic()
    sizes = dict(
        latent_dim=s.latent_dim,
        filters=s.filters,
        residual_filters=s.residual_filters,
        codes_per_place=s.codes_per_place,
    )
    with run.strategy.scope():
        encoder = residual_encoder((height, width, channels), **sizes)
        parameters = (height, width, channels * likelihood.params_per_value)
        decoder = residual_decoder(parameters, **sizes)
        # The reconstruction loss is a sum over the values of an image, and the commitment loss is a
        # sum over the values of a latent. In the authors' code, both are means over all values.
        # This weight is equivalent to the weight in their code.
        commitment_weight = s.commitment_weight * test[0].size / s.latent_dim
        coder = VQVAE(
            encoder,
            decoder,
            likelihood,
            s.codebook_size,
            commitment_weight=commitment_weight,
            seed=s.seed,
        )
        run.compile(coder, Adam(run.in_halves(s.learning_rate)))

    # Each step: one joint update of the encoder, the decoder, and the codes.
    mirror = random_crop_flip(height)
    mirrored = partial(split.train.stream, s.batch_size, s.seed, augment=mirror)
    run.fit(coder, mirrored, partial(reconstructions, images=test[:16]), part="coder")

    with run.strategy.scope():
        network = gated_pixel_cnn(
            coder.encode(test[:1]).shape[1:],
            outputs_per_value=s.codebook_size,
            filters=s.prior_filters,
            blocks=s.prior_blocks,
            first_kernel=5,
            kernel=3,
            levels=s.codebook_size,
            unordered=True,
        )
        prior = CodePrior(network, coder, seed=s.seed)
        run.compile(prior, run.averaged(Adam(run.in_halves(s.prior_learning_rate))))

    held_out = coder.encode(split.test.arrays())

    def validate(prior):
        return {"bits_of_a_code": bits_per_live_value(-prior.log_prob(held_out), held_out)}

    # Each step: every code is predicted from earlier codes; the coder stays fixed.
    run.fit(
        prior,
        mirrored,
        samples,
        epochs=s.prior_epochs,
        validate=validate,
        best="bits_of_a_code",
    )
    run.restore_best(prior)
    run.export(prior, default="sample", half=True)

    run.say(
        "evaluating the baselines: lossless codecs, PCA, and one histogram per pixel and channel"
    )
    train = split.train.arrays()
    both = np.concatenate([train, train[:, :, ::-1]])
    components = [int(number) for number in s.components.split()]
    baselines = image_baselines(both, split.test.arrays(), test, components)

    with run.evaluation(prior) as metrics:
        to_bits = partial(bits_per_dimension, dimensions=test[0].size, dequantization="none")
        metrics["bits_bound"] = to_bits(-prior.bound(test).mean())
        metrics |= baselines
        codes = coder.encode(test)
        metrics["bits_of_a_code"] = bits_per_live_value(-prior.log_prob(codes), codes)
        # The codes are in the order that the prior uses: by row, by position, and then by code
        # at a position.
        rows = [
            known.reshape(len(known), -1) for known in (coder.encode(train), held_out, codes)
        ]
        n_grams = best_n_grams(*rows[:2], (1, 2, 3), s.codebook_size)
        metrics["bits_of_a_code_n_grams"] = bits_per_live_value(
            -n_grams.log_prob(rows[2]), codes
        )
        metrics["n_gram_order"] = n_grams.order
        run.draw("reconstructions", reconstructions(coder, test[:16]))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
