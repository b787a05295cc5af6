"""Architectures: functions that return functional `keras.Model`s, with nothing of training."""

from keras_gen.networks.classifier import conv_classifier
from keras_gen.networks.dcgan import dcgan_discriminator, dcgan_generator
from keras_gen.networks.mlp import mlp_decoder, mlp_encoder
from keras_gen.networks.patch_discriminator import patch_discriminator
from keras_gen.networks.resnet_generator import resnet_generator

__all__ = [
    "conv_classifier",
    "dcgan_discriminator",
    "dcgan_generator",
    "mlp_decoder",
    "mlp_encoder",
    "patch_discriminator",
    "resnet_generator",
]
