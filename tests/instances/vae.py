"""Tiny VAEs."""

from keras_gen.losses import Normal
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.training import schedules
from keras_gen.vae import (
    DIPVAE,
    IWAE,
    VAE,
    VQVAE,
    BetaTCVAE,
    CapacityVAE,
    FactorVAE,
    GumbelVAE,
    PriorSampledModel,
)
from tiny import Tiny, reconstruct, sample


def _vae(seed=3):
    shape = (4, 4, 1)
    return VAE(
        mlp_encoder(shape, latent_dim=2, hidden=(5,), heads=("mean", "log_variance")),
        mlp_decoder((4, 4, 2), latent_dim=2, hidden=(6, 5), activation="relu"),
        likelihood=Normal(scale=None, minimum_scale=0.1),
        beta=0.5,
        seed=seed,
        name="tiny_vae",
    )


def _iwae(seed=3):
    return IWAE(
        mlp_encoder((4, 4, 1), latent_dim=2, hidden=(5,), heads=("mean", "log_variance")),
        mlp_decoder((4, 4, 1), latent_dim=2, hidden=(5,)),
        likelihood=Normal(scale=0.5),
        samples=3,
        seed=seed,
    )


def _vq_vae(seed=3):
    return VQVAE(
        mlp_encoder((4, 4, 1), latent_dim=3, hidden=(5,)),
        mlp_decoder((4, 4, 1), latent_dim=3, hidden=(5,)),
        likelihood=Normal(scale=0.5),
        codebook_size=6,
        commitment_weight=0.5,
        decay=0.9,
        dead_after=2,
        seed=seed,
    )


def _prior_sampled(seed=3):
    decoder = mlp_decoder((4, 4, 1), latent_dim=2, hidden=(5,))
    return PriorSampledModel(decoder, likelihood=Normal(scale=0.5), samples=3, seed=seed)


def _gumbel(seed=3):
    return GumbelVAE(
        mlp_encoder((4, 4, 1), latent_dim=(3, 4), hidden=(5,)),
        mlp_decoder((4, 4, 1), latent_dim=(3, 4), hidden=(5,)),
        likelihood=Normal(scale=0.5),
        beta=0.5,
        temperature=schedules.Linear(2.0, 0.5, steps=10),
        straight_through=True,
        prior_temperature=0.7,
        seed=seed,
    )


def _variant(cls, *arguments, seed=3, **options):
    """A VAE of Normal latents with another loss."""
    return cls(
        mlp_encoder((4, 4, 1), latent_dim=2, hidden=(5,), heads=("mean", "log_variance")),
        mlp_decoder((4, 4, 1), latent_dim=2, hidden=(5,)),
        *arguments,
        likelihood=Normal(scale=0.5),
        seed=seed,
        **options,
    )


def _capacity(seed=3):
    growing = schedules.Linear(0.1, 3.0, steps=10)
    return _variant(CapacityVAE, seed=seed, gamma=4.0, capacity=growing)


def _beta_tc(seed=3):
    weights = dict(beta=2.0, alpha=0.5, gamma=1.5)
    return _variant(BetaTCVAE, 20, seed=seed, stratified=True, **weights)


def _dip(seed=3):
    return _variant(DIPVAE, seed=seed, type="I", off_diagonal_weight=2.0, diagonal_weight=3.0)


def _factor(seed=3):
    sizes = dict(hidden=(5,), activation="leaky_relu", name="discriminator")
    return _variant(FactorVAE, mlp_encoder((2,), latent_dim=1, **sizes), seed=seed, gamma=2.0)


VAE_LOSSES = ("loss", "reconstruction_loss", "kl_loss", "total_correlation_loss", "elbo")
TINY = {
    "BetaTCVAE": Tiny(_beta_tc, sample),
    "CapacityVAE": Tiny(_capacity, sample),
    "DIPVAE": Tiny(_dip, sample),
    "FactorVAE": Tiny(_factor, sample, evaluated=VAE_LOSSES),
    "GumbelVAE": Tiny(_gumbel, reconstruct),
    "PriorSampledModel": Tiny(_prior_sampled, sample),
    "IWAE": Tiny(_iwae, sample),
    "VAE": Tiny(_vae, sample),
    "VQVAE": Tiny(_vq_vae, reconstruct),
}
