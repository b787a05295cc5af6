"""One generator against one discriminator."""

from keras_gen.gan.gan import GAN

__all__ = ["GAN"]
