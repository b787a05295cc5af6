"""Tiny flows."""

from keras_gen.flows import Flow
from keras_gen.networks import glow
from tiny import Tiny, sample


def _flow(seed=3):
    flow = glow((4, 4, 1), scales=2, steps=1, filters=2, alpha=0.1, lu=True)
    return Flow(flow, levels=8, seed=seed)


TINY = {"Flow": Tiny(_flow, sample)}
