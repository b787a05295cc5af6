"""Image-to-image translation."""

from keras_gen.translation.context_encoder import ContextEncoder
from keras_gen.translation.cyclegan import CycleGAN
from keras_gen.translation.pix2pix import Pix2Pix
from keras_gen.translation.pix2pix_video import Pix2PixVideo
from keras_gen.translation.srgan import SRGAN
from keras_gen.translation.talking_heads import TalkingHeads
from keras_gen.translation.unit import UNIT
