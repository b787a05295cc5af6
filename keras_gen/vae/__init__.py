"""Latent-variable models trained on a variational bound, and models with discrete codes."""

from keras_gen.vae.beta_tc_vae import BetaTCVAE
from keras_gen.vae.capacity_vae import CapacityVAE
from keras_gen.vae.conditional_vae import ConditionalVAE
from keras_gen.vae.db_vae import DBVAE
from keras_gen.vae.dip_vae import DIPVAE
from keras_gen.vae.factor_vae import FactorVAE
from keras_gen.vae.gumbel_vae import GumbelVAE
from keras_gen.vae.hierarchies.biva import BIVA
from keras_gen.vae.hierarchies.ladder_vae import LadderVAE
from keras_gen.vae.iwae import IWAE
from keras_gen.vae.m2 import M2
from keras_gen.vae.pixel_vae import PixelVAE
from keras_gen.vae.prior_sampled_model import PriorSampledModel
from keras_gen.vae.quantized.conditional_vq_vae import ConditionalVQVAE
from keras_gen.vae.quantized.vq_gan import VQGAN
from keras_gen.vae.quantized.vq_vae import VQVAE
from keras_gen.vae.quantized.vq_vae_2 import VQVAE2
from keras_gen.vae.sampling_weights import SamplingWeights, distribute_fresh
from keras_gen.vae.style_identity_vae import StyleIdentityVAE
from keras_gen.vae.table_vae import TableVAE
from keras_gen.vae.vae import VAE
