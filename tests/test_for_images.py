"""Models for images in one line: the networks that are made fit each other and the images."""

import numpy as np
import pytest

import keras_gen
from keras_gen.losses import Normal

CODES = dict(latent_dim=2, filters=(2,))
SMALL = {
    "Autoencoder": ((8, 8, 1), CODES),
    "VAE": ((8, 4, 3), dict(likelihood=Normal(scale=None), **CODES)),
    "IWAE": ((8, 8, 1), dict(samples=3, **CODES)),
    "VQVAE": ((8, 8, 3), dict(codebook_size=4, **CODES)),
    "GAN": ((8, 8, 3), dict(latent_dim=3, filters=2)),
    "WGANGP": ((8, 8, 3), dict(latent_dim=3, filters=2, discriminator_steps=1)),
    "UnrolledGAN": ((8, 8, 1), dict(latent_dim=3, filters=2, unrolled_steps=1)),
    "ConditionalGAN": ((8, 8, 1), dict(classes=4, latent_dim=3, filters=2)),
    "ACGAN": ((8, 8, 1), dict(classes=4, latent_dim=3, filters=2)),
    "InfoGAN": ((12, 8, 3), dict(continuous=1, scales=False, latent_dim=3, filters=2)),
    "PacGAN": ((8, 8, 3), dict(pack=2, latent_dim=3, filters=2)),
    "ProgressiveGAN": ((8, 8, 1), dict(latent_dim=3, filters=2, width=16, stable_steps=1)),
    "StyleGAN": ((8, 8, 1), dict(latent_dim=3, filters=2, width=16, mixing=0.5)),
    "M2": ((4, 4, 1), dict(classes=4, latent_dim=3, hidden=(5,), likelihood=Normal(scale=None))),
    "CycleGAN": ((24, 24, 3), dict(filters=2, blocks=1, pool_size=4, domains=("a", "b"))),
}


@pytest.mark.parametrize("name", SMALL)
def test_takes_images_of_the_shape(rng, name):
    shape, arguments = SMALL[name]
    model = getattr(keras_gen, name).for_images(shape, **arguments)
    of_networks = {"latent_dim", "filters", "blocks", "hidden", "width", "scales"}
    given = arguments.keys() - of_networks
    assert all(getattr(model, name) == arguments[name] for name in given)
    images = rng.integers(0, 256, (4, *shape), "uint8")
    batch = (images, images) if name == "CycleGAN" else (images, np.arange(4))[: len(model.batch)]
    model.compile(run_eagerly=True)
    model.fit(*batch, batch_size=4, verbose=0)


def test_networks_that_cannot_be():
    with pytest.raises(TypeError, match="BIVA has no usual networks"):
        keras_gen.BIVA.for_images((8, 8, 1))
    with pytest.raises(ValueError, match="squares of 8, 16, 32"):
        keras_gen.GAN.for_images((28, 28, 1))
