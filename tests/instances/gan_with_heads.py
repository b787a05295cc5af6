"""Tiny GANs that are judged in packs, or with more than one output, or from memory."""

from keras_gen.gan import ACGAN, HistoryGAN, InfoGAN, PacGAN
from keras_gen.networks import (
    dcgan_discriminator,
    dcgan_generator,
    info_gan_discriminator,
    info_gan_generator,
    with_codes,
    with_head,
    with_labels,
)
from tiny import Tiny, sample

SHAPE = (8, 8, 1)


def _pac(seed=3):
    return PacGAN(
        dcgan_generator(SHAPE, latent_dim=3, filters=2),
        dcgan_discriminator((8, 8, 2), filters=2, normalization="layer"),
        pack=2,
        objective="hinge",
        penalty="gradient",
        seed=seed,
    )


def _history(seed=3):
    return HistoryGAN(
        dcgan_generator(SHAPE, latent_dim=3, filters=2),
        dcgan_discriminator(SHAPE, filters=2, normalization="layer"),
        pool_size=6,
        objective="least_squares",
        seed=seed,
    )


def _ac(seed=3):
    judge = info_gan_discriminator(SHAPE, filters=2, hidden=4, normalization="layer")
    return ACGAN(
        with_labels(info_gan_generator(SHAPE, 3 + 4, filters=2, hidden=4), 4),
        with_head(judge, 4, "classes"),
        classes=4,
        objective="hinge",
        penalty="r1",
        seed=seed,
    )


def _info(seed=3):
    judge = info_gan_discriminator(SHAPE, filters=2, hidden=4, normalization="layer")
    return InfoGAN(
        with_codes(dcgan_generator(SHAPE, latent_dim=3 + 6, filters=2), 6),
        with_head(judge, 6, "codes"),
        categories=(3, 2),
        continuous=1,
        scale=2.0,
        weight=0.5,
        continuous_weight=0.2,
        objective="least_squares",
        discriminator_steps=2,
        seed=seed,
    )


TINY = {
    "ACGAN": Tiny(_ac, sample),
    "HistoryGAN": Tiny(_history, sample),
    "InfoGAN": Tiny(_info, sample),
    "PacGAN": Tiny(_pac, sample),
}
