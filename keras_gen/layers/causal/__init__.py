"""Causal layers: an output depends on inputs before it, and is computed place by place."""

from keras_gen.layers.causal.causal_attention import CausalAttention
from keras_gen.layers.causal.causal_convolution import CausalConvolution
from keras_gen.layers.causal.causal_layer import CausalLayer
from keras_gen.layers.causal.causal_lstm import CausalLSTM
from keras_gen.layers.causal.diagonal_lstm import DiagonalLSTM
from keras_gen.layers.causal.learned_positions import LearnedPositions
from keras_gen.layers.causal.masked_convolution import MaskedConvolution
from keras_gen.layers.causal.row_lstm import RowLSTM
from keras_gen.layers.causal.shift import Shift
from keras_gen.layers.causal.vertical_convolution import VerticalConvolution
