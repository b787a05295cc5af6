"""Tiny GANs that grow, and tiny GANs with styles."""

from keras_gen.gan import ProgressiveGAN, StyleGAN
from keras_gen.losses import R1
from keras_gen.networks import (
    progressive_discriminator,
    progressive_generator,
    style_discriminator,
    style_generator,
    style_mapping,
)
from tiny import Tiny, sample

SHAPE = (8, 8, 1)
# Each replica holds whole groups, which N replicas need to equal one device.
SIZES = dict(filters=3, width=16, group_size=2)


def _progressive(seed=3):
    # It grows at the second step, and is in the middle of the fade where tests break it off.
    return ProgressiveGAN(
        progressive_generator(SHAPE, latent_dim=3, filters=3, width=16),
        progressive_discriminator(SHAPE, **SIZES),
        objective="non_saturating",
        penalty=R1(2.0),
        stable_steps=1,
        fade_steps=6,
        seed=seed,
    )


def _style(seed=3):
    return StyleGAN(
        style_mapping(latent_dim=3, style_dim=4, depth=1),
        style_generator(SHAPE, style_dim=4, filters=3, width=16),
        style_discriminator(SHAPE, **SIZES),
        objective="hinge",
        penalty=R1(2.0, every=3),
        mixing=0.5,
        path_weight=0.5,
        path_every=2,
        seed=seed,
    )


TINY = {
    "ProgressiveGAN": Tiny(_progressive, sample, traces=2),
    "StyleGAN": Tiny(_style, sample),
}
