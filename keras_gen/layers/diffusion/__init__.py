"""How networks of diffusion models are conditioned on the time."""

from keras_gen.layers.diffusion.adaptive_group_normalization import AdaptiveGroupNormalization
from keras_gen.layers.diffusion.sinusoidal_features import SinusoidalFeatures
