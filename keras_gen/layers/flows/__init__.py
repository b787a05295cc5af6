"""Invertible layers: the parts of normalizing flows."""

from keras_gen.layers.flows.act_norm import ActNorm
from keras_gen.layers.flows.affine_coupling import AffineCoupling, ConditionalAffine
from keras_gen.layers.flows.factored import Factored
from keras_gen.layers.flows.fixed_maps import Logit, Squeeze
from keras_gen.layers.flows.invertible_convolution import InvertibleConvolution
from keras_gen.layers.flows.invertible_layer import Chain, InvertibleLayer
