"""Autoregressive models, which predict each value from earlier values, with exact likelihoods."""

from keras_gen.autoregressive.character_rnn import CharacterRNN
from keras_gen.autoregressive.code_prior import CodePrior
from keras_gen.autoregressive.conditional_code_prior import ConditionalCodePrior
from keras_gen.autoregressive.conditional_pixel_cnn import ConditionalPixelCNN
from keras_gen.autoregressive.conditional_wavenet import ConditionalWaveNet
from keras_gen.autoregressive.made import MADE
from keras_gen.autoregressive.pixel_cnn import PixelCNN
from keras_gen.autoregressive.pixel_rnn import PixelRNN
from keras_gen.autoregressive.sampling import sample_causal
from keras_gen.autoregressive.table_made import TableMADE
from keras_gen.autoregressive.wavenet import WaveNet
