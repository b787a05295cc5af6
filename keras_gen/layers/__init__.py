"""Layers that Keras lacks, with or without weights.

Each file contains one layer, or the layers from one paper; `flows` contains invertible layers. All
layers also accept the arguments of `keras.layers.Layer`, such as `name` and `dtype`. A layer raises
a `ValueError` for arguments that its docstring does not allow. When it is built, it also raises a
`ValueError` for such inputs.
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
from keras_gen.layers.channels import ColumnScales, GatedUnit, OneHot
from keras_gen.layers.convolution import Conv2D, Conv2DTranspose
from keras_gen.layers.dense import ChannelwiseDense, MaskedDense
from keras_gen.layers.enlargement import BicubicEnlargement, NearestEnlargement, PixelShuffle
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
from keras_gen.layers.flows.affine_coupling import ZeroConvolution
from keras_gen.layers.gradient_reversal import reverse_gradient
from keras_gen.layers.minibatch import MinibatchDiscrimination, MinibatchStddev
from keras_gen.layers.normalization import (
    BatchNormalization,
    InstanceNormalization,
    SpectralNormalization,
)
from keras_gen.layers.random_draws import DrawingLayer, Dropout, NoiseChannels
from keras_gen.layers.row_features import RowFeatures
from keras_gen.layers.self_attention import SelfAttention
from keras_gen.layers.styles import (
    AdaptiveInstanceNormalization,
    LearnedConstant,
    ModulatedConv2D,
    NoisyActivation,
)
from keras_gen.layers.time_conditioning import AdaptiveGroupNormalization, SinusoidalFeatures
from keras_gen.layers.vector_quantizer import VectorQuantizer
