"""Tiny VAEs."""

from keras_gen.losses import Normal
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.vae import IWAE, VAE, VQVAE
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


TINY = {
    "IWAE": Tiny(_iwae, sample),
    "VAE": Tiny(_vae, sample),
    "VQVAE": Tiny(_vq_vae, reconstruct),
}
