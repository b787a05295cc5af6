"""Architectures: functions that return functional `keras.Model`s, without anything of training.

A file has the networks of one paper, or of one kind of data. `blocks` has the parts that several
share; `extend` gives a built network labels, codes, further outputs or layers. All functions raise
a `ValueError` for a shape or an option that their Args do not allow.
"""

from keras_gen.networks.big_gan import big_gan_discriminator, big_gan_generator
from keras_gen.networks.character_rnn import character_rnn
from keras_gen.networks.classifier import activation_maps, classifier_on, conv_classifier
from keras_gen.networks.co_gan import co_gan_discriminator, co_gan_generator
from keras_gen.networks.context_encoder import context_decoder, context_encoder
from keras_gen.networks.conv import conv_decoder, conv_encoder
from keras_gen.networks.coupling_flow import coupling_flow
from keras_gen.networks.dcgan import dcgan_discriminator, dcgan_generator
from keras_gen.networks.dirac import dirac_networks
from keras_gen.networks.extend import (
    copied,
    keep_latents,
    with_codes,
    with_head,
    with_labels,
    with_layer,
    with_projection,
)
from keras_gen.networks.gated_pixel_cnn import gated_pixel_cnn
from keras_gen.networks.glow import glow
from keras_gen.networks.hierarchy import (
    biva_networks,
    conv_biva_networks,
    iwae_networks,
    ladder_networks,
)
from keras_gen.networks.info_gan import (
    info_gan_discriminator,
    info_gan_generator,
    info_gan_networks,
)
from keras_gen.networks.lenet import lenet, normalized_lenet
from keras_gen.networks.m2 import m2_networks
from keras_gen.networks.made import made
from keras_gen.networks.maxout import maxout_discriminator
from keras_gen.networks.mlp import (
    linear_networks,
    mlp_decoder,
    mlp_encoder,
    mlp_networks,
    one_layer_networks,
    start_at_mean,
)
from keras_gen.networks.moco_gan import moco_gan_generator, video_discriminator
from keras_gen.networks.patch_discriminator import patch_discriminator
from keras_gen.networks.pixel_cnn import pixel_cnn
from keras_gen.networks.pixel_rnn import pixel_rnn
from keras_gen.networks.pixel_vae import pixel_vae_decoder
from keras_gen.networks.progressive import progressive_discriminator, progressive_generator
from keras_gen.networks.real_nvp import real_nvp
from keras_gen.networks.resnet_generator import resnet_generator
from keras_gen.networks.style import style_discriminator, style_generator, style_mapping
from keras_gen.networks.super_resolution import sr_discriminator, sr_resnet
from keras_gen.networks.talking_heads import talking_head_networks
from keras_gen.networks.unet_generator import unet_generator
from keras_gen.networks.unit import unit_networks
from keras_gen.networks.vgg_features import vgg_features
from keras_gen.networks.vq_vae import residual_decoder, residual_encoder, vq_vae_2_networks
from keras_gen.networks.wave_vq_vae import wave_decoder, wave_encoder
from keras_gen.networks.waveglow import waveglow
from keras_gen.networks.wavenet import receptive_field, wavenet
