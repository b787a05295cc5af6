"""Animates latent-space walks of exported models, and samples that emerge from noise.

python docs/pictures/walk.py     1 minute on one CPU core
"""

from pathlib import Path

import numpy as np

import keras_gen
from keras_gen.files.animations import video_grid, write_animation
from keras_gen.latents import path
from keras_gen.workshop.visualize import on_the_way

HERE = Path(__file__).parent
STOPS = 3  # latent samples that each walk visits before it returns to the first
STEPS = 6  # images from one latent sample to the next
SELECTED = [0, 6, 7, 12, 15]  # of EDM's first twenty samples, those clearly recognizable


def main():
    vae = keras_gen.load("vae_mnist")
    draws = np.random.default_rng(0).normal(size=[STOPS, 8, vae.latent_dim])
    write("walk_vae_mnist", walk(draws, vae.decode), columns=4)

    gan = keras_gen.load("dcgan_fashion_mnist")
    draws = gan.draw_latents(STOPS * 5, seed=0).reshape(STOPS, 5, -1)
    write("walk_dcgan_fashion_mnist", walk(draws, gan.generate))

    # All digits share their latents.
    conditional = keras_gen.load("conditional_gan_mnist")
    draws = np.repeat(conditional.draw_latents(STOPS, seed=0)[:, None], 10, axis=1)
    write("walk_conditional_gan_mnist", walk(draws, conditional.generate, labels=np.arange(10)))

    edm = keras_gen.load("edm_fashion_mnist")
    images, _ = on_the_way(edm, n=20, moments=13)
    write("walk_edm_fashion_mnist", images[SELECTED])


def walk(draws, decode, labels=None):
    """Decodes arcs between latents `[STOPS, n, latents]` to images `[n, STOPS * STEPS, ...]`."""
    given = {} if labels is None else {"labels": np.repeat(labels, STEPS)}
    parts = []
    for start, end in zip(draws, np.roll(draws, -1, axis=0), strict=True):
        latents = path(start, end, STEPS + 1, spherical=True)[:, :-1]
        images = decode(latents.reshape(-1, latents.shape[-1]).astype("float32"), **given)
        parts.append(images.reshape(*latents.shape[:2], *images.shape[1:]))
    return np.concatenate(parts, axis=1)


def write(name, images, columns=5):
    """Writes images `[n, frames, ...]` as an animation at twice their size."""
    large = images.repeat(2, axis=2).repeat(2, axis=3)
    write_animation(HERE / f"{name}.gif", video_grid(large, columns), milliseconds=125)


if __name__ == "__main__":
    main()
