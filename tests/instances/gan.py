"""Tiny GANs."""

import math

import keras

from keras_gen import gan, networks
from keras_gen.core.schedules import Linear
from keras_gen.losses import R1, GradientPenalty, LeastSquares
from tiny import Tiny, sample

SHAPE = (8, 8, 1)


def _generator(latents=3):
    return networks.dcgan_generator(SHAPE, latents, filters=2)


def _discriminator(normalization=None, shape=SHAPE):
    return networks.dcgan_discriminator(shape, filters=2, normalization=normalization)


def _with_hidden(normalization="layer"):
    sizes = dict(filters=2, hidden=4)
    return networks.info_gan_discriminator(SHAPE, **sizes, normalization=normalization)


# Of two networks -------------------------------------------------------------------------------


def _gan(seed=3):
    return gan.GAN(
        _generator(),
        _discriminator("layer"),
        objective=LeastSquares(a=-1.0, b=1.0, c=0.0),
        penalty=GradientPenalty(weight=2.0),
        discriminator_steps=2,
        seed=seed,
        name="tiny_gan",
    )


def _wgan(seed=3):
    pair = _generator(), _discriminator("layer")
    return gan.WGAN(*pair, clip=0.05, discriminator_steps=2, penalty="r2", seed=seed)


def _wgan_gp(seed=3):
    pair = _generator(), _discriminator("layer")
    return gan.WGANGP(*pair, penalty_weight=5.0, discriminator_steps=2, seed=seed)


def _unrolled(seed=3):
    options = dict(objective="least_squares", unrolled_steps=2, unrolled_rate=0.1)
    return gan.UnrolledGAN(_generator(), _discriminator(), **options, seed=seed)


def _consensus(seed=3):
    return gan.ConsensusGAN(
        networks.mlp_decoder((2,), latent_dim=3, hidden=(4,), name="generator"),
        networks.mlp_encoder((2,), latent_dim=1, hidden=(4,), name="discriminator"),
        objective="minimax",
        penalty="r2",
        gamma=0.5,
        seed=seed,
        data="vectors",
    )


def _instance_noise(seed=3):
    return gan.InstanceNoiseGAN(
        _generator(),
        _discriminator(),
        std=Linear(0.5, 0.1, steps=10),
        objective="kl",
        penalty="dragan",
        discriminator_steps=2,
        seed=seed,
    )


def _pac(seed=3):
    pair = _generator(), _discriminator("layer", (8, 8, 2))
    return gan.PacGAN(*pair, pack=2, objective="hinge", penalty="gradient", seed=seed)


def _history(seed=3):
    pair = _generator(), _discriminator("layer")
    return gan.HistoryGAN(*pair, pool_size=6, objective="least_squares", seed=seed)


# That know classes or codes --------------------------------------------------------------------


def _conditional(seed=3):
    return gan.ConditionalGAN(
        networks.with_labels(_generator(3 + 4), 4),
        networks.with_labels(_discriminator("spectral", (8, 8, 1 + 4)), 4),
        classes=4,
        objective="hinge",
        penalty="r1",
        discriminator_steps=2,
        augmentation=("translation",),
        seed=seed,
    )


def _ac(seed=3):
    critic = _with_hidden()
    generator = networks.info_gan_generator(SHAPE, 3 + 4, filters=2, hidden=4)
    return gan.ACGAN(
        networks.with_labels(generator, 4),
        networks.with_head(critic, 4, "classes"),
        classes=4,
        objective="hinge",
        penalty="r1",
        seed=seed,
    )


def _info(seed=3):
    critic = _with_hidden()
    return gan.InfoGAN(
        networks.with_codes(_generator(3 + 6), 6),
        networks.with_head(critic, 6, "codes"),
        categories=(3, 2),
        continuous=1,
        scale=2.0,
        weight=0.5,
        continuous_weight=0.2,
        objective="least_squares",
        seed=seed,
    )


def _big_gan(seed=3):
    # The paper's networks take longer to trace than all others here.
    return gan.BigGAN(
        networks.with_labels(_generator(3 + 3), 3),
        networks.with_projection(_with_hidden(None), 3),
        classes=3,
        objective="non_saturating",
        penalty=R1(0.1),
        discriminator_steps=1,
        orthogonal_weight=1e-2,
        seed=seed,
    )


# Others ----------------------------------------------------------------------------------------


def _moco(seed=3):
    shape = (5, *SHAPE)
    return gan.MoCoGAN(
        networks.moco_gan_generator(shape, content_dim=3, motion_dim=2, filters=2),
        networks.video_discriminator(shape, filters=2, normalization=None),
        _discriminator(),
        content_dim=3,
        objective="hinge",
        penalty=R1(0.5),
        discriminator_steps=2,
        seed=seed,
    )


def _co_gan(seed=3):
    return gan.CoGAN(
        networks.co_gan_generator(SHAPE, latent_dim=3, filters=2),
        networks.co_gan_discriminator(SHAPE, classes=4, filters=2, hidden=4),
        objective="least_squares",
        class_weight=0.5,
        pair_weight=0.5,
        penalty=R1(0.5),
        discriminator_steps=2,
        seed=seed,
    )


def _styled(layers, style_dim, numbers=5):
    """A generator of two layers: the paper's take long to trace twice, for lengths of paths."""
    styles, noise = keras.Input((layers, style_dim)), keras.Input((numbers,))
    x = keras.layers.Concatenate()([keras.layers.Flatten()(styles), noise])
    x = keras.layers.Dense(8, "tanh")(x)
    x = keras.layers.Dense(math.prod(SHAPE), "tanh", dtype="float32")(x)
    return keras.Model([styles, noise], keras.layers.Reshape(SHAPE, dtype="float32")(x))


def _progressive(seed=3):
    # It grows at the second step, and is in the middle of the fade where tests break it off.
    return gan.ProgressiveGAN(
        networks.progressive_generator(SHAPE, latent_dim=3, filters=3, width=16),
        # Each replica holds whole groups, which N replicas need to equal one device.
        networks.progressive_discriminator(SHAPE, filters=3, width=16, group_size=2),
        objective="non_saturating",
        penalty=R1(2.0),
        stable_steps=1,
        fade_steps=6,
        seed=seed,
    )


def _style(seed=3):
    return gan.StyleGAN(
        networks.style_mapping(latent_dim=3, style_dim=4, depth=1),
        _styled(layers=3, style_dim=4),
        _discriminator(),
        objective="hinge",
        penalty=R1(2.0, every=3),
        mixing=0.5,
        path_weight=0.5,
        path_every=2,
        seed=seed,
    )


TINY = {
    "ACGAN": Tiny(_ac, sample),
    "BigGAN": Tiny(_big_gan, sample),
    "CoGAN": Tiny(_co_gan, sample),
    "ConditionalGAN": Tiny(_conditional, sample),
    "ConsensusGAN": Tiny(_consensus, sample),
    "GAN": Tiny(_gan, sample),
    "HistoryGAN": Tiny(_history, sample),
    "InfoGAN": Tiny(_info, sample),
    "InstanceNoiseGAN": Tiny(_instance_noise, sample),
    "MoCoGAN": Tiny(_moco, sample),
    "PacGAN": Tiny(_pac, sample),
    "ProgressiveGAN": Tiny(_progressive, sample, traces=2),
    "StyleGAN": Tiny(_style, sample),
    "UnrolledGAN": Tiny(_unrolled, sample),
    "WGAN": Tiny(_wgan, sample),
    "WGANGP": Tiny(_wgan_gp, sample),
}
