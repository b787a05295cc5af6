"""Models for images in one line: the networks that are made fit each other and the images."""

import pytest

import keras_gen
from keras_gen.losses import Bernoulli, Categorical, Normal

CODES = dict(latent_dim=2, filters=(2,))
SMALL = {
    "Autoencoder": ((8, 8, 1), CODES),
    "VAE": ((8, 4, 3), dict(likelihood=Normal(scale=None), **CODES)),
    "IWAE": ((8, 8, 1), dict(samples=3, **CODES)),
    "PixelVAE": ((4, 4, 3), dict(likelihood=Categorical(256), free_bits=0.3, **CODES)),
    "VQVAE": ((8, 8, 3), dict(codebook_size=4, **CODES)),
    "GAN": ((8, 8, 3), dict(latent_dim=3, filters=2)),
    "WGANGP": ((8, 8, 3), dict(latent_dim=3, filters=2, discriminator_steps=1)),
    "EBM": ((8, 8, 1), dict(filters=(2,), buffer_size=5)),
    "ConditionalDDPM": ((8, 8, 1), dict(classes=4, widths=(8,), unlabeled=0.3)),
    "FlowMatching": ((4, 8, 3), dict(widths=(8,), pairing="optimal")),
    "UnrolledGAN": ((8, 8, 1), dict(latent_dim=3, filters=2, unrolled_steps=1)),
    "ConditionalGAN": ((8, 8, 1), dict(classes=4, latent_dim=3, filters=2)),
    "ACGAN": ((8, 8, 1), dict(classes=4, latent_dim=3, filters=2)),
    "InfoGAN": ((12, 8, 3), dict(continuous=1, scales=False, latent_dim=3, filters=2)),
    "CoGAN": ((8, 12, 3), dict(latent_dim=3, filters=2, class_weight=0.5)),
    "PacGAN": ((8, 8, 3), dict(pack=2, latent_dim=3, filters=2)),
    "ProgressiveGAN": ((8, 8, 1), dict(latent_dim=3, filters=2, width=16, stable_steps=1)),
    "StyleGAN": ((8, 8, 1), dict(latent_dim=3, filters=2, width=16, mixing=0.5)),
    "M2": ((4, 4, 1), dict(classes=4, latent_dim=3, hidden=(5,), likelihood=Normal(scale=None))),
    "CycleGAN": ((24, 24, 3), dict(filters=2, blocks=1, pool_size=4, domains=("a", "b"))),
    "UNIT": ((16, 24, 3), dict(filters=2, blocks=1, kl_weight=0.2, domains=("a", "b"))),
    "SRGAN": ((16, 16, 3), dict(factor=2, filters=2, blocks=1, pixel_weight=0.5)),
    "PixelCNN": ((4, 6, 3), dict(likelihood=Categorical(4), filters=4, blocks=1)),
    "ConditionalPixelCNN": ((4, 4, 1), dict(classes=4, likelihood=Bernoulli(), filters=2)),
    "PixelRNN": ((4, 4, 3), dict(likelihood=Categorical(4), units=3, blocks=1, kind="row")),
    "Pix2Pix": ((12, 8, 3), dict(filters=2, noise="latents", l1_weight=5.0)),
}


@pytest.mark.parametrize("name", ["VAE", "GAN", "PixelCNN"])
def test_channels_that_come_first_are_refused(monkeypatch, name):
    monkeypatch.setattr("keras.config.image_data_format", lambda: "channels_first")
    shape, options = SMALL[name]
    with pytest.raises(ValueError, match="data format is channels_first: expected channels_last"):
        getattr(keras_gen, name).for_images(shape, **options)


OF_NETWORKS = "latent_dim filters blocks hidden width widths scales noise factor units kind".split()


@pytest.mark.thorough
@pytest.mark.parametrize("name", SMALL)
def test_arguments_reach_the_model(name):
    shape, arguments = SMALL[name]
    model = getattr(keras_gen, name).for_images(shape, **arguments)
    given = arguments.keys() - set(OF_NETWORKS)
    assert all(getattr(model, name) == arguments[name] for name in given)


@pytest.mark.parametrize("name", SMALL)
def test_sizes_that_cannot_be_are_refused(name):
    shape, arguments = SMALL[name]
    build = getattr(keras_gen, name).for_images
    for argument in arguments.keys() & {*OF_NETWORKS, "classes", "continuous", "pack"}:
        for wrong in (-1, 2.5, float("nan"), "many", [-1], None):
            with pytest.raises((TypeError, ValueError), match=rf"{argument} .*\.$"):
                build(shape, **arguments | {argument: wrong})
    for wrong in (0, -1, 2.5, "28", (28, 0), (8, 0, 1), None):
        with pytest.raises((TypeError, ValueError), match=r"^shape .*\.$"):
            build(wrong, **arguments)


def test_networks_that_cannot_be():
    for name in ("StyleGAN", "ProgressiveGAN"):
        with pytest.raises(ValueError, match=r"28x28 pixels: expected squares of 8, 16, 32"):
            getattr(keras_gen, name).for_images((28, 28, 1))
    with pytest.raises(ValueError, match="7x28 pixels: expected sides of at least 8"):
        keras_gen.GAN.for_images((7, 28, 1))
    with pytest.raises(ValueError, match=r"2 halving convolutions .* 3x8 pixels: .* at least 4\. "):
        keras_gen.VAE.for_images((3, 8, 1))
