"""Layers with weights or state of their own."""

from keras_gen.layers.channelwise_dense import ChannelwiseDense
from keras_gen.layers.dropout import Dropout
from keras_gen.layers.instance_normalization import InstanceNormalization

__all__ = ["ChannelwiseDense", "Dropout", "InstanceNormalization"]
