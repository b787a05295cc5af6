"""Architectures: functions that build functional `keras.Model`s, without training code.

Each file contains the networks from one paper or for one type of data. `blocks` contains parts that
several networks share; `added_inputs_and_heads` adds labels, codes, outputs, or layers to a built
network. All functions raise a `ValueError` for a shape or an option that their `Args` do not allow.
"""

from keras_gen.networks.added_inputs_and_heads import (
    copied,
    keep_latents,
    split_head,
    with_codes,
    with_column_scales,
    with_head,
    with_labels,
    with_layer,
    with_projection,
)
from keras_gen.networks.autoregressive.made_networks import made, table_made
from keras_gen.networks.autoregressive.pixel_networks import (
    gated_pixel_cnn,
    pixel_cnn,
    pixel_rnn,
    pixel_vae_decoder,
)
from keras_gen.networks.autoregressive.transformer import transformer
from keras_gen.networks.autoregressive.wavenet_networks import receptive_field, wavenet
from keras_gen.networks.classifier import (
    activation_maps,
    classifier_on,
    conv_classifier,
    lenet,
    normalized_lenet,
)
from keras_gen.networks.conv import conv_decoder, conv_encoder
from keras_gen.networks.diffusion.time_networks import series_unet, time_mlp, time_unet
from keras_gen.networks.flows.coupling_flow import coupling_flow
from keras_gen.networks.flows.glow import glow
from keras_gen.networks.flows.real_nvp import real_nvp
from keras_gen.networks.flows.waveglow_networks import waveglow
from keras_gen.networks.gan.big_gan_networks import big_gan_discriminator, big_gan_generator
from keras_gen.networks.gan.co_gan_networks import co_gan_discriminator, co_gan_generator
from keras_gen.networks.gan.dcgan import dcgan_discriminator, dcgan_generator, dcgan_without
from keras_gen.networks.gan.info_gan_networks import (
    info_gan_discriminator,
    info_gan_generator,
    info_gan_networks,
)
from keras_gen.networks.gan.moco_gan_networks import moco_gan_generator, video_discriminator
from keras_gen.networks.gan.progressive_networks import (
    progressive_discriminator,
    progressive_generator,
)
from keras_gen.networks.gan.small_gans import dirac_networks, maxout_discriminator
from keras_gen.networks.gan.style_networks import (
    style_discriminator,
    style_generator,
    style_mapping,
)
from keras_gen.networks.mlp import (
    linear_networks,
    mlp_decoder,
    mlp_encoder,
    mlp_networks,
    one_layer_networks,
    start_at_mean,
    table_networks,
)
from keras_gen.networks.recurrent import character_rnn, recurrent_decoder, recurrent_encoder
from keras_gen.networks.translation.context_encoder_networks import (
    context_decoder,
    context_encoder,
)
from keras_gen.networks.translation.generators import resnet_generator, unet_generator
from keras_gen.networks.translation.patch_discriminator import patch_discriminator
from keras_gen.networks.translation.super_resolution_networks import (
    sr_discriminator,
    sr_resnet,
    vgg_features,
)
from keras_gen.networks.translation.talking_heads_networks import talking_head_networks
from keras_gen.networks.translation.unit_networks import unit_networks
from keras_gen.networks.vae.conditional_vae_networks import conditional_vae_networks, m2_networks
from keras_gen.networks.vae.hierarchy_networks import (
    biva_networks,
    ladder_networks,
)
from keras_gen.networks.vae.vq_vae_networks import (
    residual_decoder,
    residual_encoder,
    vq_vae_2_networks,
    wave_decoder,
    wave_encoder,
)
