"""Layers with weights or state of their own."""

from keras_gen.layers.channelwise_dense import ChannelwiseDense
from keras_gen.layers.dropout import Dropout
from keras_gen.layers.flows import (
    ActNorm,
    AffineCoupling,
    Chain,
    ChannelPermutation,
    InvertibleLayer,
    Squeeze,
)
from keras_gen.layers.instance_normalization import InstanceNormalization
from keras_gen.layers.masked_convolution import MaskedConvolution
from keras_gen.layers.vector_quantizer import VectorQuantizer

__all__ = [
    "ActNorm",
    "AffineCoupling",
    "Chain",
    "ChannelPermutation",
    "ChannelwiseDense",
    "Dropout",
    "InstanceNormalization",
    "InvertibleLayer",
    "MaskedConvolution",
    "Squeeze",
    "VectorQuantizer",
]
