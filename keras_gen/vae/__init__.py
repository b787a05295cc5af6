"""Latent-variable models trained on a variational bound, and those of discrete codes."""

from keras_gen.vae.beta_tc import BetaTCVAE
from keras_gen.vae.biva import BIVA
from keras_gen.vae.capacity import CapacityVAE
from keras_gen.vae.dip import DIPVAE
from keras_gen.vae.factor import FactorVAE
from keras_gen.vae.gumbel import GumbelVAE
from keras_gen.vae.iwae import IWAE
from keras_gen.vae.ladder_vae import LadderVAE
from keras_gen.vae.prior_sampled import PriorSampledModel
from keras_gen.vae.vae import VAE
from keras_gen.vae.vq_vae import VQVAE

__all__ = [
    "BIVA",
    "DIPVAE",
    "IWAE",
    "VAE",
    "VQVAE",
    "BetaTCVAE",
    "CapacityVAE",
    "FactorVAE",
    "GumbelVAE",
    "LadderVAE",
    "PriorSampledModel",
]
