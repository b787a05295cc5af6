"""One generator against one discriminator."""

from keras_gen.gan.ac import ACGAN
from keras_gen.gan.big_gan import BigGAN
from keras_gen.gan.co_gan import CoGAN
from keras_gen.gan.conditional import ConditionalGAN
from keras_gen.gan.consensus import ConsensusGAN
from keras_gen.gan.gan import GAN
from keras_gen.gan.history import HistoryGAN
from keras_gen.gan.info import InfoGAN
from keras_gen.gan.instance_noise import InstanceNoiseGAN
from keras_gen.gan.moco import MoCoGAN
from keras_gen.gan.pac import PacGAN
from keras_gen.gan.progressive import ProgressiveGAN
from keras_gen.gan.style import StyleGAN
from keras_gen.gan.unrolled import UnrolledGAN
from keras_gen.gan.wgan import WGAN
from keras_gen.gan.wgan_gp import WGANGP
