"""Architectures: functions that return functional `keras.Model`s, with nothing of training."""

from keras_gen.networks.patch_discriminator import patch_discriminator
from keras_gen.networks.resnet_generator import resnet_generator

__all__ = ["patch_discriminator", "resnet_generator"]
