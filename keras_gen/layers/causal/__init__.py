"""Causal layers: an output depends on inputs before it, and is computed place by place."""

from keras_gen.layers.causal.causal_attention import CausalAttention, LearnedPositions
from keras_gen.layers.causal.causal_convolution import CausalConvolution
from keras_gen.layers.causal.causal_layer import CausalLayer
from keras_gen.layers.causal.causal_lstm import CausalLSTM
from keras_gen.layers.causal.masked_convolution import MaskedConvolution
from keras_gen.layers.causal.pixel_lstms import DiagonalLSTM, RowLSTM
from keras_gen.layers.causal.vertical_convolution import Shift, VerticalConvolution
