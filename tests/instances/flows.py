"""Tiny flows."""

from keras_gen.flows import Flow
from keras_gen.networks import coupling_flow
from tiny import Tiny, sample


def _flow(seed=3):
    return Flow(coupling_flow((4, 4, 1), steps=2, hidden=(4,)), levels=8, seed=seed)


TINY = {"Flow": Tiny(_flow, sample)}
