"""Tiny GANs."""

from keras_gen.gan import GAN, WGANGP, BigGAN, ConditionalGAN, MoCoGAN, UnrolledGAN
from keras_gen.losses import R1, GradientPenalty, LeastSquares
from keras_gen.networks import (
    big_gan_generator,
    dcgan_discriminator,
    dcgan_generator,
    info_gan_discriminator,
    moco_gan_generator,
    video_discriminator,
    with_labels,
    with_projection,
)
from tiny import Tiny, sample


def _gan(seed=3):
    shape = (8, 8, 1)
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
        discriminator_steps=2,
        seed=seed,
    )


def _conditional(seed=3):
    return ConditionalGAN(
        with_labels(dcgan_generator((8, 8, 1), latent_dim=3 + 4, filters=2), 4),
        with_labels(dcgan_discriminator((8, 8, 1 + 4), filters=2, normalization="spectral"), 4),
        classes=4,
        objective="hinge",
        penalty="r1",
        discriminator_steps=2,
        augmentation=("color", "translation", "cutout", "affine"),
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


def _big_gan(seed=3):
    shape = (8, 8, 1)
    return BigGAN(
        big_gan_generator(shape, classes=3, latent_dim=4, filters=4, embedding_dim=3),
        # A quarter of the paper's takes longer to trace than all other discriminators here.
        with_projection(info_gan_discriminator(shape, filters=2, hidden=4, normalization=None), 3),
        classes=3,
        objective="non_saturating",
        penalty=R1(0.1),
        discriminator_steps=1,
        orthogonal_weight=1e-2,
        seed=seed,
    )


def _moco(seed=3):
    shape = (5, 8, 8, 1)
    return MoCoGAN(
        moco_gan_generator(shape, content_dim=3, motion_dim=2, filters=2),
        video_discriminator(shape, filters=2, normalization=None),
        dcgan_discriminator(shape[1:], filters=2, normalization=None),
        content_dim=3,
        objective="hinge",
        penalty=R1(0.5),
        discriminator_steps=2,
        seed=seed,
    )


TINY = {
    "MoCoGAN": Tiny(_moco, sample),
    "BigGAN": Tiny(_big_gan, sample),
    "ConditionalGAN": Tiny(_conditional, sample),
    "GAN": Tiny(_gan, sample),
    "UnrolledGAN": Tiny(_unrolled, sample),
    "WGANGP": Tiny(_wgan_gp, sample),
}
