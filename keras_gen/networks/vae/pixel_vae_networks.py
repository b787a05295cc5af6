"""The decoder of PixelVAE (Gulrajani et al. 2017)."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.networks.autoregressive.pixel_networks import gated_stacks
from keras_gen.networks.conv import conv_decoder


@checked_arguments
def pixel_vae_decoder(
    image_shape: tuple = (28, 28, 1),
    latent_dim: int = 32,
    outputs_per_value: int = 1,
    filters: int = 32,
    blocks: CountFrom0 = 1,
    decoder_filters: tuple[int, ...] = (32, 64),
    first_kernel: int = 5,
    kernel: int = 3,
    head_filters: int | None = None,
    levels: int | None = 2,
    upsampling: str = "resize",
) -> keras.Model:
    """Builds convolutions that map latents to maps, and a Gated PixelCNN conditioned on the maps.

    Gulrajani, Kumar, Ahmed, Taiga, Visin, Vazquez, Courville: "PixelVAE: A Latent Variable Model
    for Natural Images", ICLR 2017, sec. 3.1 and fig. 2. The maps, which have one vector per pixel,
    are added to every gate through a 1x1 convolution, as in van den Oord et al. (2016), eq. (5).
    With few blocks, a pixel sees only nearby pixels, and all other information must come from the
    latents; with many blocks, the latents may remain unused. Deviations: the kernels'
    initialization and the residual connections are as in `gated_pixel_cnn`.

    Args:
        image_shape: `(height, width, channels)` of the data, with 1 or 3 channels.
        latent_dim: Number of latent dimensions.
        outputs_per_value: Number of parameters per value: 1 for Bernoulli, or 256 for a softmax
            over levels.
        filters: Number of maps in each stack, which is also the number of maps computed from the
            latents; a multiple of the number of channels.
        blocks: Number of blocks after the first layers, at least 0.
        decoder_filters: Number of channels in each convolution applied to the latents, as in
            `conv_decoder`.
        first_kernel: Side length of the first layers' kernels, odd.
        kernel: Side length of the kernels within a block, odd. A pixel sees at most
            `first_kernel // 2 + blocks * (kernel // 2)` rows above it and columns to either side.
        head_filters: Number of maps in the second-to-last layer; `filters` by default.
        levels: Number of image levels, which start at 0 and are scaled to [-1, 1]. If None, images
            are not scaled.
        upsampling: Type of upsampling, as in `conv_decoder`.

    Returns:
        A model that maps a list of latents `[batch, latent_dim]` and images `[batch, height, width,
        channels]` to float32 parameters `[batch, height, width, channels * outputs_per_value]`, in
        the order `[channel, parameter]`. The parameters of a value depend on all latents, and
        otherwise only on previous values, ordered by row, pixel, and channel.

    Example:
        >>> decoder = pixel_vae_decoder((28, 28, 1), latent_dim=16, filters=16)
    """
    height, width, _ = image_shape
    latents = keras.Input((latent_dim,))
    images = keras.Input(image_shape)
    maps_of = conv_decoder(
        (height, width, filters), latent_dim, decoder_filters, upsampling=upsampling, name="maps"
    )
    maps = layers.ReLU()(maps_of(latents))

    def bias(channels):
        return layers.Conv2D(channels, 1, kernel_initializer="he_normal")(maps)

    parameters = gated_stacks(
        images,
        outputs_per_value,
        filters,
        blocks,
        first_kernel,
        kernel,
        head_filters,
        levels,
        bias,
    )
    return keras.Model([latents, images], parameters, name="pixel_vae_decoder")
