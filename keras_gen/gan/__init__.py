"""GANs with one generator and one discriminator."""

from keras_gen.gan.ac_gan import ACGAN
from keras_gen.gan.big_gan import BigGAN
from keras_gen.gan.co_gan import CoGAN
from keras_gen.gan.conditional_gan import ConditionalGAN
from keras_gen.gan.consensus_gan import ConsensusGAN
from keras_gen.gan.gan import GAN
from keras_gen.gan.history_gan import HistoryGAN
from keras_gen.gan.info_gan import InfoGAN
from keras_gen.gan.instance_noise_gan import InstanceNoiseGAN
from keras_gen.gan.moco_gan import MoCoGAN
from keras_gen.gan.pac_gan import PacGAN
from keras_gen.gan.progressive_gan import JoiningAdam, ProgressiveGAN
from keras_gen.gan.style_gan import StyleGAN
from keras_gen.gan.unrolled_gan import UnrolledGAN
from keras_gen.gan.wgan import WGAN
from keras_gen.gan.wgan_gp import WGANGP
from keras_gen.latents import nearest_latents
