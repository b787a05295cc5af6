"""Tiny GANs."""

from keras_gen.gan import GAN, WGANGP, ConditionalGAN, UnrolledGAN
from keras_gen.losses import GradientPenalty, LeastSquares
from keras_gen.networks import dcgan_discriminator, dcgan_generator, with_labels
from tiny import Tiny, sample


def _gan(seed=3):
    shape = (16, 16, 1)
    return GAN(
        dcgan_generator(shape, latent_dim=3, filters=2),
        dcgan_discriminator(shape, filters=2, normalization="layer"),
        objective=LeastSquares(a=-1.0, b=1.0, c=0.0),
        penalty=GradientPenalty(weight=2.0),
        discriminator_steps=2,
        seed=seed,
        name="tiny_gan",
    )


def _wgan_gp(seed=3):
    shape = (8, 8, 1)
    return WGANGP(
        dcgan_generator(shape, latent_dim=3, filters=2),
        dcgan_discriminator(shape, filters=2, normalization="layer", name="critic"),
        penalty_weight=5.0,
        critic_steps=2,
        seed=seed,
    )


def _conditional(seed=3):
    return ConditionalGAN(
        with_labels(dcgan_generator((8, 8, 1), latent_dim=3 + 4, filters=2), 4),
        with_labels(dcgan_discriminator((8, 8, 1 + 4), filters=2, normalization=None), 4),
        classes=4,
        objective="hinge",
        penalty="r1",
        discriminator_steps=2,
        seed=seed,
    )


def _unrolled(seed=3):
    shape = (8, 8, 1)
    return UnrolledGAN(
        dcgan_generator(shape, latent_dim=3, filters=2),
        dcgan_discriminator(shape, filters=2, normalization=None),
        objective="least_squares",
        unrolled_steps=2,
        unrolled_rate=0.1,
        seed=seed,
    )


TINY = {
    "ConditionalGAN": Tiny(_conditional, sample),
    "GAN": Tiny(_gan, sample),
    "UnrolledGAN": Tiny(_unrolled, sample),
    "WGANGP": Tiny(_wgan_gp, sample),
}
