"""Generator and discriminator of a small BigGAN (Brock, Donahue, Simonyan 2019)."""

import math

import keras
from keras import layers, ops

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers import NearestEnlargement, SelfAttention, SpectralNormalization
from keras_gen.networks.added_inputs_and_heads import with_projection
from keras_gen.networks.blocks import batch_norm, cropped, halved_sides, halvings


@checked_arguments
def big_gan_generator(
    image_shape: tuple = (32, 32, 3),
    classes: int = 10,
    latent_dim: int | None = None,
    filters: int = 256,
    embedding_dim: int = 128,
    attention: int | None = 16,
) -> keras.Model:
    """Builds residual blocks on a 4x4 map; each block receives the class and its own latents.

    Brock, Donahue, Simonyan: "Large Scale GAN Training for High Fidelity Natural Image Synthesis",
    ICLR 2019, fig. 15 and app. B. The latents are split into equal chunks. The first chunk
    determines the map. Each of the other chunks ("skip-z"), together with a class embedding shared
    by all blocks, determines the gains and biases of one block's batch normalization. Kernels are
    orthogonally initialized and spectrally normalized. Deviations: all maps have the same number of
    channels, as in the authors' code for 32x32 pixels; batch normalization has momentum 0.9, and
    its statistics are not recomputed for samples.

    Args:
        image_shape: `(height, width, channels)`, with sides of at least 8 pixels.
        classes: Number of classes.
        latent_dim: Number of latent dimensions, a multiple of the number of chunks. There is one
            chunk more than there are blocks, so there are 4 chunks at 32x32. If None, 20 dimensions
            per chunk are used.
        filters: Number of channels in the maps.
        embedding_dim: Number of dimensions of the class embedding.
        attention: Side length of the map to which `SelfAttention` is applied, or None.

    Returns:
        A model that maps float latents `[batch, latent_dim]` and int32 labels `[batch]` to float32
        images in [-1, 1].

    Example:
        >>> generator = big_gan_generator((32, 32, 1), classes=10, latent_dim=32, filters=32)
    """
    blocks = halvings(image_shape)
    latent_dim = 20 * (blocks + 1) if latent_dim is None else latent_dim
    if latent_dim % (blocks + 1):
        raise ValueError(
            f"latent_dim is {latent_dim}: expected a multiple of {blocks + 1}, so that the first "
            f"map and each of the {blocks} blocks receive equally many latents."
        )
    latents = keras.Input((latent_dim,))
    labels = keras.Input((), dtype="int32")
    first, *chunks = ops.split(latents, blocks + 1, axis=-1)
    embedding = layers.Embedding(classes, embedding_dim, embeddings_initializer="orthogonal")
    embedded = embedding(labels)
    sides = halved_sides(image_shape, blocks, "image_shape")
    x = layers.Reshape((*sides, filters))(_dense(math.prod(sides) * filters)(first))
    for chunk in chunks:
        x = _up(x, filters, ops.concatenate([embedded, chunk], axis=-1))
        if x.shape[1] == attention:
            x = SelfAttention(spectral=True)(x)
    x = _conv(image_shape[-1], 3)(layers.ReLU()(batch_norm()(x)))
    images = layers.Activation("tanh", dtype="float32")(cropped(x, image_shape))
    return keras.Model([latents, labels], images, name="generator")


@checked_arguments
def big_gan_discriminator(
    image_shape: tuple = (32, 32, 3),
    classes: int = 10,
    filters: int = 256,
    attention: int | None = 16,
) -> keras.Model:
    """Builds residual blocks with spectrally normalized kernels, and a class projection.

    Brock et al. (2019), fig. 15 and app. B. The features are summed over positions. The logit is a
    linear function of the features, plus the inner product of the features and a class embedding
    (`with_projection`). Blocks that halve the sides down to 8 are followed by two blocks that keep
    the size, as in the authors' code for 32x32 pixels. Deviations: see `big_gan_generator`. In
    addition, the embedding is not spectrally normalized.

    Args:
        image_shape: `(height, width, channels)`, with sides of at least 16 pixels.
        classes: Number of classes.
        filters: Number of channels in the maps.
        attention: Side length of the map to which `SelfAttention` is applied, or None.

    Returns:
        A model that maps images in [-1, 1] and int32 labels `[batch]` to float32 logits `[batch,
        1]`.

    Example:
        >>> discriminator = big_gan_discriminator((32, 32, 1), classes=10, filters=32)
    """
    down = halvings(image_shape, smallest=8)
    images = keras.Input(image_shape)
    x = images
    for block in range(down):
        x = _down(x, filters, first=block == 0)
        if x.shape[1] == attention:
            x = SelfAttention(spectral=True)(x)
    for _ in range(max(2, 4 - down)):
        x = _down(x, filters, halve=False)
    logit = _dense(1, dtype="float32")(ops.sum(layers.ReLU()(x), axis=(1, 2)))
    return with_projection(keras.Model(images, logit, name="discriminator"), classes)


def _conv(filters, size):
    conv = layers.Conv2D(filters, size, padding="same", kernel_initializer="orthogonal")
    return SpectralNormalization(conv)


def _dense(units, **options):
    return SpectralNormalization(layers.Dense(units, kernel_initializer="orthogonal", **options))


def _conditional_batch_norm(x, condition):
    # Conditional batch normalization, from De Vries et al.: "Modulating early visual processing by
    # language", NeurIPS 2017.
    channels = x.shape[-1]
    gain = layers.Reshape((1, 1, channels))(_dense(channels, use_bias=False)(condition))
    bias = layers.Reshape((1, 1, channels))(_dense(channels, use_bias=False)(condition))
    return batch_norm(center=False, scale=False)(x) * (1 + gain) + bias


def _up(x, filters, condition):
    """Applies a block that doubles the sides (fig. 15b)."""
    y = NearestEnlargement()(layers.ReLU()(_conditional_batch_norm(x, condition)))
    y = layers.ReLU()(_conditional_batch_norm(_conv(filters, 3)(y), condition))
    # For speed, the 1x1 convolution comes first here and in `_down`; the results are equal.
    return layers.Add()([_conv(filters, 3)(y), NearestEnlargement()(_conv(filters, 1)(x))])


def _down(x, filters, first=False, halve=True):
    """Applies a block that halves or keeps the sides (fig. 15c)."""
    y = x if first else layers.ReLU()(x)
    y = _conv(filters, 3)(layers.ReLU()(_conv(filters, 3)(y)))
    if halve:
        y = layers.AveragePooling2D(2, padding="same")(y)
        x = _conv(filters, 1)(layers.AveragePooling2D(2, padding="same")(x))
    return layers.Add()([y, x])
