"""Causal layers, whose outputs depend only on previous inputs."""

from keras_gen.layers.causal.causal_attention import CausalAttention, LearnedPositions
from keras_gen.layers.causal.causal_layer import CausalLayer
from keras_gen.layers.causal.convolutions import (
    CausalConvolution,
    MaskedConvolution,
    Shift,
    VerticalConvolution,
)
from keras_gen.layers.causal.lstms import CausalLSTM, DiagonalLSTM, RowLSTM
