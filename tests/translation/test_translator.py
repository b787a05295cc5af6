"""What all translators check of their networks: the size of what these make, and its range."""

import keras
import pytest
from keras import layers

import keras_gen
from keras_gen.networks import patch_discriminator, resnet_generator, unit_networks

SHAPE = (32, 32, 3)
ANY_SIZE = (None, None, 3)


def sized(scale, shape=ANY_SIZE, activation="tanh", channels=3):
    """A generator that halves, keeps, or doubles the sides."""
    inputs = keras.Input(shape)
    x = layers.Conv2D(channels, 3, 2 if scale < 1 else 1, "same", activation=activation)(inputs)
    return keras.Model(inputs, layers.UpSampling2D(2)(x) if scale > 1 else x, name="sized")


def cycle_gan(generator, other=None):
    critics = [patch_discriminator(SHAPE, filters=2) for _ in "xy"]
    other = other or resnet_generator(filters=2, blocks=0)
    return keras_gen.CycleGAN(generator, other, *critics)


def unit(**networks):
    critics = {f"discriminator_{name}": patch_discriminator(SHAPE, filters=2) for name in "xy"}
    return keras_gen.UNIT(**unit_networks(filters=2, blocks=1) | critics | networks)


def halved_generator():
    """UNIT's last network, which doubles once too often or not."""
    latents = unit_networks(filters=2, blocks=1)["generator_y"].input_shape[1:]
    inputs = keras.Input(latents)
    outputs = layers.Conv2DTranspose(3, 3, 2, "same", activation="tanh")(inputs)
    return keras.Model(inputs, outputs, name="halved")


def talking_heads(scale):
    model = keras_gen.TalkingHeads.for_images(SHAPE, people=2, embedding_dim=4, filters=2)
    half = keras.Input((64, 64, 3)), keras.Input((4,))
    small = layers.AveragePooling2D(2)(half[0])
    generator = keras.Model(half, model.generator([small, half[1]]), name="sized")
    networks = model.embedder, generator if scale < 1 else model.generator
    return keras_gen.TalkingHeads(*networks, model.discriminator, model.identities)


BOTH = r"\(32, 32, 3\) to shape \(16, 16, 3\): expected \(32, 32, 3\)"
SIZES = {
    "CycleGAN": (lambda: cycle_gan(sized(0.5)), BOTH),
    "CycleGAN, the other": (lambda: cycle_gan(sized(1), sized(0.5)), BOTH),
    "CycleGAN, larger": (lambda: cycle_gan(sized(2)), r"\(32, 32, 3\) to shape \(64,"),
    "UNIT": (lambda: unit(generator_y=halved_generator()), r"to shape \(16, 16, 3\): expected"),
    "Pix2Pix": (lambda: keras_gen.Pix2Pix(sized(0.5)), r"\(64, 64, 3\) to shape \(32, 32, 3\)"),
    "Pix2Pix, known": (lambda: keras_gen.Pix2Pix(sized(0.5, SHAPE)), BOTH),
    "SRGAN": (lambda: keras_gen.SRGAN(sized(0.5)), "16x16 pixels to 8x8 pixels: expected"),
    "SRGAN, known": (lambda: keras_gen.SRGAN(sized(0.5, SHAPE)), "32x32 pixels to 16x16"),
    "TalkingHeads": (lambda: talking_heads(0.5), r"\(64, 64, 3\) and returns .*\(32, 32, 3\)"),
}  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize("name", SIZES)
def test_generators_of_another_size_are_refused(name):
    build, sentence = SIZES[name]
    with pytest.raises(ValueError, match=rf"{sentence}.*\.$"):
        build()


@pytest.mark.thorough
@pytest.mark.parametrize("activation", ["sigmoid", "relu", "softplus"])
def test_images_reach_from_minus_1_to_1(activation):
    sentence = rf"'sized' ends in the activation {activation}, .*: expected images from -1 to 1"
    for build in (cycle_gan, keras_gen.Pix2Pix, keras_gen.SRGAN):
        with pytest.raises(ValueError, match=sentence):
            build(sized(1, activation=activation))
