"""One generator against one discriminator."""

from keras_gen.gan.conditional import ConditionalGAN
from keras_gen.gan.gan import GAN
from keras_gen.gan.unrolled import UnrolledGAN
from keras_gen.gan.wgan_gp import WGANGP

__all__ = ["GAN", "WGANGP", "ConditionalGAN", "UnrolledGAN"]
