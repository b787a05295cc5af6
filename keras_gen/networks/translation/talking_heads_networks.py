"""Networks of few-shot talking heads (Zakharov et al. 2019)."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers import AdaptiveInstanceNormalization, Conv2D, InstanceNormalization
from keras_gen.networks.blocks import conv, doubled, float32, halved_sides, reflect_pad


@checked_arguments
def talking_head_networks(
    image_shape: tuple = (256, 256, 3),
    people: int = 1000,
    embedding_dim: int = 512,
    filters: int = 64,
    stages: int = 3,
    blocks: CountFrom0 = 2,
) -> dict[str, keras.Model]:
    """Builds the networks that learn to generate people from a few of their images.

    Zakharov, Shysheya, Burkov, Lempitsky: "Few-Shot Adversarial Learning of Realistic Neural
    Talking Head Models", ICCV 2019, sec. 3.1. Landmark maps have the same shape as images. Both are
    concatenated along the channels, landmarks first.

    Deviations: strided convolutions instead of the paper's residual blocks with average pooling,
    means over positions instead of sums, and no attention.

    Args:
        image_shape: `(height, width, channels)` of images and landmark maps, with sides that are
            multiples of 2^stages.
        people: Number of people in the training data.
        embedding_dim: Length of a person's vector, N in the paper.
        filters: Number of channels in the first layers; each further stage doubles this number.
        stages: Number of times that the networks halve images.
        blocks: Number of residual blocks in the generator.

    Returns:
        A dict of networks, named like the arguments of `TalkingHeads`: `embedder` maps landmarks
        and an image `[batch, height, width, 2 * channels]` to embeddings `[batch, embedding_dim]`;
        `generator` maps landmarks and embeddings to images; `discriminator` maps the embedder's
        input to logits `[batch, 1]`, features `[batch, embedding_dim]`, and a map of each stage;
        `identities` maps int32 labels `[batch]` to vectors `[batch, embedding_dim]`.

    Example:
        >>> networks = talking_head_networks((32, 32, 3), people=10, embedding_dim=16, filters=8)
    """
    height, width, channels = image_shape
    halved_sides(image_shape, stages, "image_shape")
    if height % 2**stages or width % 2**stages:
        raise ValueError(
            f"The images have {height}x{width} pixels: expected sides that are multiples of "
            f"{2**stages}, because {stages} stages halve them."
        )
    pairs = keras.Input((height, width, 2 * channels))
    *_, last = _halved(pairs, stages, filters)
    x = layers.Dense(embedding_dim)(layers.GlobalAveragePooling2D()(last))
    embedder = keras.Model(pairs, float32(x), name="embedder")

    maps = _halved(pairs, stages, filters, spectral=True)
    features = float32(layers.Dense(embedding_dim)(layers.GlobalAveragePooling2D()(maps[-1])))
    logits = layers.Dense(1, dtype="float32")(features)
    outputs = [logits, features, *map(float32, maps)]
    discriminator = keras.Model(pairs, outputs, name="discriminator")

    labels = keras.Input((), dtype="int32")
    vectors = float32(layers.Embedding(people, embedding_dim)(labels))
    return {
        "embedder": embedder,
        "generator": _generator(image_shape, embedding_dim, filters, stages, blocks),
        "discriminator": discriminator,
        "identities": keras.Model(labels, vectors, name="identities"),
    }


def _halved(x, stages, filters, spectral=False) -> list:
    """Returns the map of each stage, with half the height and width of the previous one."""
    maps = []
    for stage in range(stages):
        options = dict(use_bias=True, initializer="he_normal", spectral=spectral)
        x = conv(filters * 2**stage, 4, strides=2, padding="same", **options)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
        maps.append(x)
    return maps


def _generator(image_shape, embedding_dim, filters, stages, blocks):
    """Builds a generator that encodes landmarks; the embedding controls its normalizations."""
    landmarks = keras.Input(image_shape)
    embedding = keras.Input((embedding_dim,))

    def adapted(x):
        return AdaptiveInstanceNormalization()([x, embedding])

    x = conv(filters, 7)(reflect_pad(landmarks, 3))
    x = layers.ReLU()(InstanceNormalization()(x))
    for stage in range(1, stages + 1):
        x = conv(filters * 2**stage, 4, strides=2, padding="same")(x)
        x = layers.ReLU()(InstanceNormalization()(x))
    for _ in range(blocks):
        y = layers.ReLU()(adapted(conv(filters * 2**stages, 3)(reflect_pad(x, 1))))
        x = layers.add([x, adapted(conv(filters * 2**stages, 3)(reflect_pad(y, 1)))])
    for stage in reversed(range(stages)):
        x = layers.ReLU()(adapted(doubled(x, filters * 2**stage, "resize")))
    x = conv(image_shape[-1], 7, layer=Conv2D, use_bias=True)(reflect_pad(x, 3))
    images = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model([landmarks, embedding], images, name="generator")
