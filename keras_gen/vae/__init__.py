"""Latent-variable models trained on a variational bound, and those of discrete codes."""

from keras_gen.vae.beta_tc import BetaTCVAE
from keras_gen.vae.biva import BIVA
from keras_gen.vae.capacity import CapacityVAE
from keras_gen.vae.conditional_vq_vae import ConditionalVQVAE
from keras_gen.vae.db_vae import DBVAE
from keras_gen.vae.dip import DIPVAE
from keras_gen.vae.factor import FactorVAE
from keras_gen.vae.gumbel import GumbelVAE
from keras_gen.vae.hierarchical_iwae import HierarchicalIWAE
from keras_gen.vae.iwae import IWAE
from keras_gen.vae.ladder_vae import LadderVAE
from keras_gen.vae.m2 import M2
from keras_gen.vae.pixel_vae import PixelVAE
from keras_gen.vae.prior_sampled import PriorSampledModel
from keras_gen.vae.style_identity import StyleIdentityVAE
from keras_gen.vae.vae import VAE
from keras_gen.vae.vq_gan import VQGAN
from keras_gen.vae.vq_vae import VQVAE
from keras_gen.vae.vq_vae_2 import VQVAE2
