"""Tiny flows."""

import numpy as np

from keras_gen.flows import ConditionalFlow, Flow, WaveGlow
from keras_gen.networks import glow, waveglow
from tiny import Tiny, sample


def _flow(seed=3):
    flow = glow((4, 4, 1), scales=2, steps=1, filters=2, alpha=0.1, lu=True)
    return Flow(flow, levels=8, seed=seed)


def _conditional(seed=3):
    sizes = dict(classes=3, steps=2, hidden=(3,), levels=8)
    return ConditionalFlow.for_images((2, 2, 1), **sizes, seed=seed)


def _waveglow(seed=3):
    flow = waveglow(bands=2, groups=4, steps=2, early_every=1, early=2, filters=2, blocks=1)
    return WaveGlow(flow, 2, window=16, hop=8, rate=4000, temperature=0.5, seed=seed)


def _vocode(model):
    mel = np.linspace(-3, 1, 12, dtype="float32").reshape(3, 2, 2)
    return model.vocode(mel, np.arange(3))


TINY = {
    "ConditionalFlow": Tiny(_conditional, sample),
    "Flow": Tiny(_flow, sample),
    "WaveGlow": Tiny(_waveglow, _vocode),
}
