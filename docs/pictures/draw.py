"""Generates pictures in README.md, the gallery, and the course, most of them by exported models.

  python docs/pictures/draw.py

Test photographs from the datasets may not be published. The photographs here are free and come
with scikit-image and scikit-learn; docs/licenses.md names their authors.
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from skimage import data
from sklearn.datasets import load_sample_image

import keras_gen
from keras_gen import VAE, Autoencoder
from keras_gen.data import binarize, shrunk, small_images
from keras_gen.files.animations import write_animation
from keras_gen.files.images import grid, read_image
from keras_gen.networks import mlp_networks, pixel_rnn, start_at_mean
from keras_gen.workshop.baselines import bicubic
from keras_gen.workshop.visualize import (
    captioned,
    new_figure,
    ordered_traversals,
    seen_pixels,
    translations_below,
    write_image,
)

HERE = Path(__file__).parent
EXPORTS = HERE.parents[1] / "saved_models"
RESULTS = HERE.parents[1] / "recipes" / "results"
FACTOR = 4  # super-resolution factor
NAMES = ("photograph", "CycleGAN")


def main():
    paint = signature("cyclegan_monet", "photo_to_monet")
    pagoda = resized(load_sample_image("china.jpg"), 384, 576)
    before_and_after = np.stack([pagoda, paint(pagoda[None])[0]])
    write_image(HERE / "painting.jpg", grid(before_and_after, columns=2))

    photographs = [data.rocket(), load_sample_image("flower.jpg"), data.coffee(), data.chelsea()]
    photographs = np.stack([resized(photograph, 256, 384) for photograph in photographs])
    paintings = translations_below(photographs, paint(photographs), 2, NAMES)
    write_image(HERE / "paintings.jpg", paintings)

    face = data.astronaut()[None, :256, 96:352]
    small = shrunk(face, FACTOR).numpy()
    enlarge = signature("srgan_set5", "enlarge")
    ways = {"bicubic": bicubic(small, FACTOR), "SRResNet": enlarge(small), "photograph": face}
    enlarged = captioned([np.concatenate(list(ways.values()))], column_names=list(ways))
    write_image(HERE / "enlarged.png", enlarged)

    attacked = read_image(RESULTS / "adversarial_examples_mnist.png")
    write_image(HERE / "attacked.png", attacked[:, 92:444])  # four digits, without the captions

    reconstructed = read_image(RESULTS / "deep_autoencoder_mnist.png")
    write_image(HERE / "reconstructed.png", reconstructed[:, 129:429])  # five, without the names

    write_image(HERE / "pixel_rnn.png", receptive_fields())
    write_image(HERE / "biva_variance.png", variances())
    write_image(HERE / "growing.png", growing())
    write_image(HERE / "info_gan.png", info_gan())
    write_animation(HERE / "talking_heads.gif", talking_heads())
    vae, digits = keras_gen.load("vae_mnist"), small_images("mnist", labels=True)
    shown = ordered_traversals(vae, digits.test.take(500).arrays()[0], most=5)
    write_image(HERE / "traversals.png", shown)
    codes(digits).savefig(HERE / "codes.png")


def receptive_fields():
    """Shows the pixels that single layers of both PixelRNNs see, from gradients."""
    random = np.random.default_rng(0)
    shown = {}
    for kind, name in (("row", "Row LSTM"), ("diagonal", "Diagonal BiLSTM")):
        network = pixel_rnn(
            (14, 14, 1), 1, units=4, blocks=1, kind=kind, first_kernel=3, levels=2
        )
        for weight in network.trainable_variables:  # some begin as zeros, which see nothing
            weight.assign(random.normal(size=weight.shape))
        shown[name] = seen_pixels(network, row=7, column=7)
    return captioned([np.stack(list(shown.values()))], column_names=list(shown), width=420)


def variances():
    """Shows digits of BIVA from the same noise, with three variances of its latents."""
    biva = keras_gen.load("biva_mnist")
    rows = [biva.sample(12, seed=1, temperature=v**0.5) for v in (1.0, 0.5, 0.1)]
    return captioned(rows, ["variance 1", "variance 0.5", "variance 0.1"])


def growing():
    """Shows the images of all sizes that a progressive GAN returns for the same latents."""
    gan = keras_gen.load("progressive_gan_fashion_mnist")
    sizes = gan.generator([gan.draw_latents(8, seed=0), np.ones(8, "float32")], training=False)
    sides = [images.shape[1] for images in sizes]
    rows = [resized_by_repeating(to_uint8(images), sides[-1]) for images in sizes]
    return captioned(rows, [f"{side} x {side}" for side in sides])


def info_gan():
    """Shows five categories and the numbers of InfoGAN, in their range in training, -1 to 1."""
    first = read_image(RESULTS / "info_gan_mnist_number.png")
    second = read_image(RESULTS / "info_gan_mnist_second_number.png")
    parts = [
        first[:, :99],
        first[:, 275:803],
        np.full_like(first[:, :16], 255),
        second[:, 275:803],
    ]
    whole = np.concatenate(parts, axis=1)
    heights = [
        slice(0, 24),
        *(slice(24 + 88 * row, 112 + 88 * row) for row in (1, 2, 3, 6, 7, 8)),
    ]
    return np.concatenate([whole[rows] for rows in heights])


def talking_heads():
    """Returns the frames of one head by all methods, one below the other, with their names."""
    rows = read_image(RESULTS / "talking_heads_drawn_faces_ways.png")
    names = rows[:, :140]
    return [np.concatenate([names, rows[:, x : x + 48]], axis=1) for x in range(142, 762, 52)]


def codes(digits):
    """Plots the codes of an autoencoder, a VAE, and a VAE with beta 4, with two latents each."""
    keras.utils.set_random_seed(0)
    images = digits.train.take(30_000).arrays(0, binarize)[0]
    tested, labels = digits.test.take(2000).arrays(0, binarize)
    panels = {}
    for name, beta in (("autoencoder", None), ("VAE", 1.0), ("VAE, beta = 4", 4.0)):
        heads = ("codes",) if beta is None else ("mean", "log_variance")
        networks = mlp_networks(latent_dim=2, hidden=(200, 200), activation="relu", heads=heads)
        start_at_mean(networks[1], images)
        model = Autoencoder(*networks) if beta is None else VAE(*networks, beta=beta)
        model.compile(keras.optimizers.Adam(2e-3))
        model.fit(images, batch_size=200, epochs=10, verbose=0)
        found = model.encode(tested)
        if beta is not None:  # samples of q(z|x), because beta also widens these distributions
            mean, log_variance = found
            noise = np.random.default_rng(0).normal(size=mean.shape)
            found = mean + np.exp(log_variance / 2) * noise
        panels[name] = found
        print(f"{name}: standard deviation of the codes {found.std():.2f}")
    figure = new_figure(10.5, 3.8)
    angles = np.linspace(0, 2 * np.pi, 100)
    for axes, (name, found) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        axes.scatter(*found.T, s=3, c=labels, cmap="cividis", linewidths=0)
        for radius in (1, 2, 3):
            axes.plot(radius * np.cos(angles), radius * np.sin(angles), color="black", lw=0.8)
        limit = 8
        inside = np.mean(np.all(np.abs(found) < limit, axis=1))
        axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
        axes.set(title=f"{name} ({inside:.0%} shown)", xlabel="first latent")
    return figure


def to_uint8(images):
    return np.clip(np.rint(127.5 * (np.asarray(images) + 1)), 0, 255).astype("uint8")


def resized_by_repeating(images, side):
    times = side // images.shape[1]
    return images.repeat(times, axis=1).repeat(times, axis=2)


def signature(name, which):
    """Returns a signature of a committed export as a function of uint8 images."""
    (version,) = (path for path in (EXPORTS / name).iterdir() if path.is_dir())
    call = tf.saved_model.load(version).signatures[which]
    return lambda images: call(images=tf.constant(images))["output_images"].numpy()


def resized(photograph, height, width):
    """Returns the photograph, resized to a height and cropped to a width."""
    image = tf.image.resize(photograph, [height, 10_000], "area", preserve_aspect_ratio=True)
    return tf.cast(tf.round(image), tf.uint8).numpy()[:, :width]


if __name__ == "__main__":
    main()
