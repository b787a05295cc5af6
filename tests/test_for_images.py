"""Models for images in one line: the networks that are made fit each other and the images."""

import numpy as np
import pytest

import keras_gen

SMALL = {
    "GAN": ((8, 8, 3), dict(latent_dim=3, filters=2, objective="minimax")),
    "WGANGP": ((8, 8, 3), dict(latent_dim=3, filters=2, critic_steps=1)),
    "UnrolledGAN": ((8, 8, 1), dict(latent_dim=3, filters=2, unrolled_steps=1)),
    "ConditionalGAN": ((8, 8, 1), dict(classes=4, latent_dim=3, filters=2)),
    "CycleGAN": ((24, 24, 3), dict(filters=2, blocks=1, pool_size=4, domains=("a", "b"))),
}


@pytest.mark.parametrize("name", SMALL)
def test_takes_images_of_the_shape(rng, name):
    shape, arguments = SMALL[name]
    model = getattr(keras_gen, name).for_images(shape, **arguments)
    given = arguments.keys() & {"classes", "critic_steps", "unrolled_steps", "domains"}
    assert all(getattr(model, name) == arguments[name] for name in given)
    images = rng.integers(0, 256, (4, *shape), "uint8")
    batch = (images, images) if name == "CycleGAN" else (images, np.arange(4))[: len(model.batch)]
    model.compile(run_eagerly=True)
    model.fit(*batch, batch_size=4, verbose=0)


def test_networks_that_cannot_be():
    with pytest.raises(ValueError, match="squares of 8, 16, 32"):
        keras_gen.GAN.for_images((28, 28, 1))
