"""Image-to-image translation."""

from keras_gen.translation.context_encoder import ContextEncoder
from keras_gen.translation.cyclegan import CycleGAN
