"""What Keras lacks inside a network: layers with weights or without.

A file has one layer, or those of one paper; `flows` has invertible layers. All take `name`, `dtype`
and the like of `keras.layers.Layer` too, and raise a `ValueError` for arguments and, when they are
built, inputs that their docstrings do not allow.
"""

from keras_gen.layers.causal import (
    CausalAttention,
    CausalConvolution,
    CausalLayer,
    CausalLSTM,
    DiagonalLSTM,
    LearnedPositions,
    MaskedConvolution,
    RowLSTM,
    Shift,
    VerticalConvolution,
)
from keras_gen.layers.channelwise_dense import ChannelwiseDense
from keras_gen.layers.column_scales import ColumnScales
from keras_gen.layers.diffusion import AdaptiveGroupNormalization, SinusoidalFeatures
from keras_gen.layers.dropout import Dropout
from keras_gen.layers.enlargement import BicubicEnlargement, PixelShuffle
from keras_gen.layers.equalized import EqualizedConv2D, EqualizedDense, PixelNormalization
from keras_gen.layers.flows import (
    ActNorm,
    AffineCoupling,
    Chain,
    Factored,
    InvertibleConvolution,
    InvertibleLayer,
    Logit,
    Squeeze,
)
from keras_gen.layers.gated_unit import GatedUnit
from keras_gen.layers.gradient_reversal import reverse_gradient
from keras_gen.layers.instance_normalization import InstanceNormalization
from keras_gen.layers.masked_dense import MaskedDense
from keras_gen.layers.minibatch_discrimination import MinibatchDiscrimination
from keras_gen.layers.minibatch_stddev import MinibatchStddev
from keras_gen.layers.noise_channels import NoiseChannels
from keras_gen.layers.one_hot import OneHot
from keras_gen.layers.random_draws import DrawingLayer
from keras_gen.layers.self_attention import SelfAttention
from keras_gen.layers.spectral_normalization import SpectralNormalization
from keras_gen.layers.styles import (
    AdaptiveInstanceNormalization,
    LearnedConstant,
    ModulatedConv2D,
    NoisyActivation,
)
from keras_gen.layers.vector_quantizer import VectorQuantizer
from keras_gen.layers.zero_convolution import ZeroConvolution
