"""A tiny energy-based model."""

from keras_gen.energy_based import EBM
from keras_gen.networks import mlp_encoder
from tiny import Tiny, sample


def _ebm(seed=3):
    network = mlp_encoder((5,), 1, (4,))
    options = dict(steps=3, step_size=0.1, temperature=0.5, clip=1.0, reset=0.3, from_data=0.4)
    options |= dict(buffer_size=6, magnitude=0.2, data_noise=0.01, limit=3.0, data="vectors")
    return EBM(network, **options, seed=seed)


TINY = {"EBM": Tiny(_ebm, sample)}
