"""Latent-variable models trained on a variational bound, and those of discrete codes."""

from keras_gen.vae.iwae import IWAE
from keras_gen.vae.vae import VAE
from keras_gen.vae.vq_vae import VQVAE

__all__ = ["IWAE", "VAE", "VQVAE"]
