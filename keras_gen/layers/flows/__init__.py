"""Invertible layers, the building blocks of normalizing flows."""

from keras_gen.layers.flows.affine_coupling import AffineCoupling, ConditionalAffine
from keras_gen.layers.flows.factored import Factored
from keras_gen.layers.flows.invertible_layer import Chain, InvertibleLayer
from keras_gen.layers.flows.maps import ActNorm, InvertibleConvolution, Logit, Squeeze
