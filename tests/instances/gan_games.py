"""Tiny GANs that differ in how the players move, and in what the critic may be."""

from keras_gen.gan import WGAN, ConsensusGAN, InstanceNoiseGAN
from keras_gen.networks import dcgan_discriminator, dcgan_generator, mlp_decoder, mlp_encoder
from keras_gen.training.schedules import Linear
from tiny import Tiny, sample


def _consensus(seed=3):
    return ConsensusGAN(
        mlp_decoder((2,), latent_dim=3, hidden=(4,), name="generator"),
        mlp_encoder((2,), latent_dim=1, hidden=(4,), name="discriminator"),
        objective="minimax",
        penalty="r2",
        gamma=0.5,
        seed=seed,
        data="vectors",
    )


def _instance_noise(seed=3):
    return InstanceNoiseGAN(
        dcgan_generator((8, 8, 1), latent_dim=3, filters=2),
        dcgan_discriminator((8, 8, 1), filters=2, normalization=None),
        std=Linear(0.5, 0.1, steps=10),
        objective="kl",
        penalty="dragan",
        discriminator_steps=2,
        seed=seed,
    )


def _wgan(seed=3):
    return WGAN(
        dcgan_generator((8, 8, 1), latent_dim=3, filters=2),
        dcgan_discriminator((8, 8, 1), filters=2, normalization="layer", name="critic"),
        clip=0.05,
        discriminator_steps=2,
        penalty="r2",
        seed=seed,
    )


TINY = {
    "ConsensusGAN": Tiny(_consensus, sample),
    "InstanceNoiseGAN": Tiny(_instance_noise, sample),
    "WGAN": Tiny(_wgan, sample),
}
