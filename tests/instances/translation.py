"""Tiny translators."""

import keras
import numpy as np

from keras_gen.networks import (
    context_decoder,
    context_encoder,
    dcgan_discriminator,
    patch_discriminator,
    sr_resnet,
    talking_head_networks,
    unet_generator,
)
from keras_gen.translation import (
    SRGAN,
    UNIT,
    ContextEncoder,
    CycleGAN,
    Pix2Pix,
    Pix2PixVideo,
    TalkingHeads,
)
from tiny import Tiny


def _convolution(channels, filters, activation="tanh", enlarge=1, **options):
    """A network of one layer: the paper's are tested by themselves, and take long to trace."""
    maps = keras.Input((None, None, channels))
    x = keras.layers.UpSampling2D(enlarge)(maps) if enlarge > 1 else maps
    x = keras.layers.Conv2D(filters, 3, padding="same", activation=activation, **options)(x)
    return keras.Model(maps, keras.layers.Activation("linear", dtype="float32")(x))


def _cyclegan(seed=3):
    shape = (16, 16, 3)
    return CycleGAN(
        _convolution(3, 3),
        _convolution(3, 3),
        patch_discriminator(shape, filters=2, strided_layers=1, name="of_photos"),
        patch_discriminator(shape, 2, 1, "spectral", name="of_paintings"),
        objective="non_saturating",
        cycle_weight=5.0,
        identity_weight=0.25,
        pool_size=5,
        margin=3,
        smooth_colors=True,
        domains=("photo", "monet"),
        seed=seed,
        name="tiny_cyclegan",
    )


def _context_encoder(seed=3):
    shape = (16, 16, 3)
    return ContextEncoder(
        context_encoder(shape, filters=2, name="of_context"),
        context_decoder(shape, filters=2, name="of_regions"),
        dcgan_discriminator(shape, filters=2),
        mask="random",
        overlap=2,
        overlap_weight=3.0,
        objective="least_squares",
        reconstruction_weight=0.9,
        adversarial_weight=0.1,
        seed=seed,
        name="tiny_context_encoder",
    )


def _pix2pix(seed=3):
    return Pix2Pix(
        unet_generator((16, 16, 1), channels=3, filters=2),
        patch_discriminator((16, 16, 4), filters=2, strided_layers=1),
        objective="least_squares",
        l1_weight=10.0,
        domains=("label", "photo"),
        seed=seed,
        name="tiny_pix2pix",
    )


def _pix2pix_video(seed=3):
    both = keras.Input((8, 8, 4))
    x = keras.layers.Conv2D(3, 3, padding="same")(both)
    frames = keras.layers.Activation("tanh", dtype="float32")(x)
    return Pix2PixVideo(
        keras.Model(both, frames),
        patch_discriminator((8, 8, 8), filters=2, strided_layers=1),
        objective="least_squares",
        l1_weight=10.0,
        seed=seed,
        name="tiny_pix2pix_video",
    )


def _features():
    """Maps that are never 0, for unit vectors of small ones are rounding errors."""
    images = keras.Input((None, None, 3))
    maps = keras.layers.Activation("sigmoid", dtype="float32")(keras.layers.Conv2D(4, 3)(images))
    return keras.Model(images, maps, name="features")


def _srgan(seed=3):
    return SRGAN(
        sr_resnet(filters=4, blocks=1, factor=2, from_bicubic=True, edge_kernel=3),
        patch_discriminator((16, 16, 3), 4, strided_layers=1),
        _features(),
        objective="least_squares",
        pixel_distance="absolute",
        pixel_weight=0.5,
        feature_weight=0.25,
        adversarial_weight=0.1,
        seed=seed,
        name="tiny_srgan",
    )


def _unit(seed=3):
    of_domains = [patch_discriminator((16, 16, 3), 4, strided_layers=1) for _ in range(2)]
    return UNIT(
        encoder_x=_convolution(3, 6, strides=2),
        encoder_y=_convolution(3, 6, strides=2),
        shared_encoder=_convolution(6, 4, activation=None),
        shared_generator=_convolution(4, 6),
        generator_x=_convolution(6, 3, enlarge=2),
        generator_y=_convolution(6, 3, enlarge=2),
        discriminator_x=of_domains[0],
        discriminator_y=of_domains[1],
        objective="least_squares",
        adversarial_weight=2.0,
        kl_weight=0.2,
        likelihood_weight=3.0,
        cycle_kl_weight=0.3,
        cycle_weight=4.0,
        domains=("photo", "monet"),
        seed=seed,
        name="tiny_unit",
    )


def _inpaint(model):
    images = np.random.default_rng(1).integers(0, 256, (3, 16, 16, 3), dtype="uint8")
    return model.inpaint(images, seed=1)


def _translate(model):
    images = np.random.default_rng(1).integers(0, 256, (2, 13, 18, 3), dtype="uint8")
    return np.concatenate([model.translate(images, name) for name in model.directions()])


def _photos(model):
    edges = np.random.default_rng(1).integers(0, 256, (3, 16, 16, 1), dtype="uint8")
    return model.translate(edges, seed=1)


def _danced(model):
    poses = np.random.default_rng(1).integers(0, 256, (2, 4, 8, 8, 1), dtype="uint8")
    return model.translate(poses)


def _painted(model):
    images = np.random.default_rng(1).integers(0, 256, (2, 13, 18, 3), dtype="uint8")
    return model.translate(images)


def _enlarged(model):
    images = np.random.default_rng(1).integers(0, 256, (2, 9, 7, 3), dtype="uint8")
    return model.self_ensemble(images)


def _talking_heads(seed=3):
    shape = (8, 8, 3)
    return TalkingHeads(
        **talking_head_networks(shape, people=4, embedding_dim=3, filters=2, stages=2, blocks=1),
        feature_network=_features(),
        objective="least_squares",
        pixel_weight=2.0,
        feature_weight=0.5,
        matching_weight=3.0,
        embedding_weight=4.0,
        seed=seed,
        name="tiny_talking_heads",
    )


def _rendered(model):
    random = np.random.default_rng(1)
    landmarks = random.integers(0, 256, (3, 8, 8, 3), "uint8")
    return model.render(landmarks, random.normal(size=(3, 3)).astype("float32"))


TINY = {
    "ContextEncoder": Tiny(_context_encoder, _inpaint),
    "CycleGAN": Tiny(_cyclegan, _translate),
    "Pix2Pix": Tiny(_pix2pix, _photos, draws=False),
    "Pix2PixVideo": Tiny(_pix2pix_video, _danced, draws=False),
    "SRGAN": Tiny(_srgan, _enlarged, draws=False),
    "TalkingHeads": Tiny(_talking_heads, _rendered, draws=False),
    "UNIT": Tiny(_unit, _painted),
}
