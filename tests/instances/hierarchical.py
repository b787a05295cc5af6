"""Tiny VAEs with layers of latents."""

from keras_gen.core.schedules import Linear
from keras_gen.losses import Normal
from keras_gen.networks import biva_networks, ladder_networks
from keras_gen.vae import BIVA, LadderVAE
from tiny import Tiny, sample


def _biva(seed=3):
    return BIVA(
        **biva_networks((4, 4, 1), latent_dims=(2, 1), units=4),
        likelihood=Normal(scale=0.5),
        beta=Linear(0.1, 1.0, steps=10),
        free_bits=0.05,
        seed=seed,
    )


def _ladder(seed=3):
    return LadderVAE(
        **ladder_networks((4, 4, 1), latent_dims=(2, 1), hidden=(5, 4)),
        likelihood=Normal(scale=0.5),
        beta=0.5,
        free_bits=Linear(0.1, 0.0, steps=10),
        seed=seed,
    )


TINY = {"BIVA": Tiny(_biva, sample), "LadderVAE": Tiny(_ladder, sample)}
