"""Latent-variable models trained on a variational bound."""

from keras_gen.vae.vae import VAE

__all__ = ["VAE"]
