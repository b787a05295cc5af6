"""BIVA and the ladder VAE on binarized MNIST.

Maaløe, Fraccaro, Liévin, Winther: "BIVA: A Very Deep Hierarchy of Latent Variables for Generative
Modeling", NeurIPS 2019. Their 6-layer BIVA reaches a test NLL of 78.41 nats on dynamically
binarized MNIST with 1,000 importance samples, using residual convolutions and days on GPUs.

Sønderby, Raiko, Maaløe, Sønderby, Winther: "Ladder Variational Autoencoders", NeurIPS 2016. Their
5-layer ladder VAE reaches 81.74 nats.

  python recipes/biva_mnist.py                    at most 24 minutes on two CPU cores
  python recipes/biva_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a test NLL of 87.8 nats (ladder VAE: 89.4; VAE with the same
number of weights, and boosted trees: 91.8).

The VAE has one layer of latents. The ladder VAE has the same number of layers as BIVA, with the
same sizes. Both are trained in the same way as BIVA, with the same number of steps, batch size,
learning rates, and warm-up; the ladder VAE also uses the same free bits. Each row of the sample
grid shows a test digit, its reconstruction, and the results of resampling the latents of 1, 2, and
3 layers.

A second BIVA is trained on Fashion-MNIST. It separates Fashion-MNIST test images from digits with
the bound L^{>k}, for which the k lowest layers are sampled from the prior, and with its ratio to
the ELBO, LLR^{>k}. The baselines are the distance to the nearest training image and the size of the
image as a PNG file.

Deviations: BIVA's networks are dense and residual, with half a million weights in 3 layers. Every
variable has free bits, which decrease from the paper's number to zero; the paper fine-tunes without
free bits. The ladder VAE also has free bits, and no batch normalization.

Data: mnist and fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import binary_baselines

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam
from sklearn.metrics import roc_auc_score

from keras_gen.core.schedules import Linear
from keras_gen.data import Sets, binarize, small_images
from keras_gen.metrics import importance_weighted_nll, nearest_neighbors, nll_summary
from keras_gen.networks import biva_networks, ladder_networks, mlp_networks
from keras_gen.vae import BIVA, VAE, LadderVAE
from keras_gen.workshop.baselines import compressed_bits
from keras_gen.workshop.visualize import redrawn, samples

SHAPE = (28, 28, 1)
NEIGHBORS = 10_000  # number of training clothes searched for the nearest neighbor


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    layers: int = 3  # Number of latent layers
    latent_dim: int = 8
    """Number of latent dimensions in the top layer; lower layers have 2, 3, ... times as many."""
    units: int = 125  # Units in BIVA's hidden layers
    ladder_hidden: int = 212
    """Units in each network of the ladder VAE's first layer; each next layer has half as many."""
    vae_latent_dim: int = 50  # Number of latent dimensions in the VAE
    vae_hidden: int = 232  # Units in each of the VAE's four hidden layers
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    warm_up: float = 0.2  # Fraction of the steps during which the KL weight rises to 1
    free_bits: float = 2.0
    """Free nats per latent in the first half of training; this number decreases to 0 in the second
    half."""
    nll_samples: int = 1000  # Number of importance samples for the test NLL (paper: 1,000)
    fashion_epochs: int = 10  # Number of epochs for the BIVA trained on Fashion-MNIST
    templates: str = "300 1000"
    """Candidate numbers of components in the Bernoulli mixture, a baseline; the best number is
    chosen on held-out training digits."""
    boosted: int = 800_000  # Number of pixels used to train the boosted trees, a baseline


PRESETS = {
    "smoke": dict(layers=2, latent_dim=2, units=16, ladder_hidden=16, vae_latent_dim=4,
                  vae_hidden=19, epochs=2, fashion_epochs=1, steps_per_epoch=10, batch_size=20,
                  nll_samples=4, templates="5 10", boosted=1000),
    "cpu": dict(epochs=40, steps_per_epoch=600, batch_size=100, grid_every=5,
                steps_per_execution=100),
    "paper": dict(layers=6, units=512, ladder_hidden=1024, vae_hidden=1999, epochs=1000,
                  steps_per_epoch=600, batch_size=100, grid_every=50, fashion_epochs=300),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(Sets(mnist=small_images("mnist"), fashion=small_images("fashion_mnist")))
    test_digits = data.test_mnist.arrays(s.seed, binarize)
    test_clothes = data.test_fashion.arrays(s.seed, binarize)

    # Each step here and below: one joint update of the encoder and the decoder.
    model = build_biva(run, s, s.epochs)
    digits = partial(data.train_mnist.stream, s.batch_size, s.seed, augment_batch=binarize)
    run.fit(model, digits, partial(redrawn, images=test_digits[:8], seed=s.seed))
    run.export(model, default="sample")

    ladder = build_ladder(run, s)
    run.fit(ladder, digits, part="ladder")

    vae = build_vae(run, s)
    run.fit(vae, digits, part="vae")

    clothes_model = build_biva(run, s, s.fashion_epochs)
    clothes = partial(data.train_fashion.stream, s.batch_size, s.seed, augment_batch=binarize)
    run.fit(clothes_model, clothes, part="fashion", epochs=s.fashion_epochs)

    train_digits = data.train_mnist.arrays(s.seed, binarize)
    baselines = binary_baselines(run, train_digits, test_digits)

    with run.evaluation(model) as metrics:
        metrics |= baselines
        for prefix, each in (("", model), ("ladder_", ladder), ("vae_", vae)):
            count = len(test_digits)
            run.say(
                f"estimating the NLL of {count} test images with {s.nll_samples} "
                "importance samples each"
            )
            nats = importance_weighted_nll(each, test_digits, s.nll_samples, seed=s.seed)
            metrics |= nll_summary(nats, prefix)
            counts = [network.count_params() for network in each.networks.values()]
            metrics[f"{prefix}parameters"] = sum(counts)

        # Detect digits as outliers among clothes.
        both = np.concatenate([test_clothes, test_digits])
        is_digit = np.arange(len(both)) >= len(test_clothes)
        elbo = clothes_model.log_prob_above(both, 0)
        metrics["auroc_above_0"] = roc_auc_score(is_digit, -elbo)
        for layers in range(1, s.layers):
            bound = clothes_model.log_prob_above(both, layers)
            metrics[f"auroc_above_{layers}"] = roc_auc_score(is_digit, -bound)
            metrics[f"auroc_ratio_{layers}"] = roc_auc_score(is_digit, elbo - bound)
        known = data.train_fashion.take(NEIGHBORS).arrays(s.seed, binarize)
        distances, _ = nearest_neighbors(both, known)
        metrics["auroc_neighbor"] = roc_auc_score(is_digit, distances[:, 0])
        bits = compressed_bits((255 * both).astype("uint8"))
        usual_bits = compressed_bits((255 * known).astype("uint8")).mean()
        metrics["auroc_png"] = roc_auc_score(is_digit, np.abs(bits - usual_bits))

        metrics |= model.evaluate(test_digits, batch_size=100, return_dict=True, verbose=0)
        run.draw("samples", samples(model, seed=s.seed))


def build_biva(run, s, epochs):
    """Returns a BIVA compiled for the given number of epochs."""
    with run.strategy.scope():
        networks = biva_networks(SHAPE, latent_dims(s), s.units)
        beta, bits = warm_up(s, epochs), free_bits(s, epochs)
        model = BIVA(**networks, beta=beta, free_bits=bits, seed=s.seed)
        run.compile(model, Adam(run.in_halves(s.learning_rate, epochs)))
    return model


def build_ladder(run, s):
    """Returns a compiled ladder VAE with as many layers of latents as BIVA."""
    with run.strategy.scope():
        hidden = [s.ladder_hidden // 2**layer for layer in range(s.layers)]
        networks = ladder_networks(SHAPE, latent_dims(s), hidden)
        beta, bits = warm_up(s, s.epochs), free_bits(s, s.epochs)
        model = LadderVAE(**networks, beta=beta, free_bits=bits, seed=s.seed)
        run.compile(model, Adam(run.in_halves(s.learning_rate)))
    return model


def build_vae(run, s):
    """Returns a compiled VAE with one layer of latents."""
    with run.strategy.scope():
        encoder, decoder = mlp_networks(
            latent_dim=s.vae_latent_dim,
            hidden=(s.vae_hidden, s.vae_hidden),
            heads=("mean", "log_variance"),
        )
        model = VAE(encoder, decoder, beta=warm_up(s, s.epochs), seed=s.seed)
        run.compile(model, Adam(run.in_halves(s.learning_rate)))
    return model


def latent_dims(s):
    """Returns the dimensions of each layer's latents, starting next to the data."""
    return [s.latent_dim * factor for factor in range(s.layers, 0, -1)]


def free_bits(s, epochs):
    """Returns the free nats per variable: constant in the first half, then decreasing to zero."""
    steps = epochs * s.steps_per_epoch
    return Linear(s.free_bits, 0.0, steps=steps - steps // 2, delay=steps // 2)


def warm_up(s, epochs):
    """Returns the weight of the KL divergence, which increases from 0 to 1."""
    return Linear(0.0, 1.0, steps=max(1, round(s.warm_up * epochs * s.steps_per_epoch)))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
