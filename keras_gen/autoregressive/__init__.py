"""Models of images value by value, each given those before it."""

from keras_gen.autoregressive.pixel_cnn import PixelCNN
from keras_gen.autoregressive.sampling import draw_category, sample_causal
