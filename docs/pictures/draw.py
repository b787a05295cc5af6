"""Generates the pictures in README.md and the gallery that exported models make from photographs.

  python docs/pictures/draw.py

Test photographs from the datasets may not be published. The photographs here are free and come
with scikit-image and scikit-learn; docs/licenses.md names their authors.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
from skimage import data
from sklearn.datasets import load_sample_image

from keras_gen.data import shrunk
from keras_gen.files.images import grid, read_image
from keras_gen.workshop.baselines import bicubic
from keras_gen.workshop.visualize import captioned, translations_below, write_image

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
