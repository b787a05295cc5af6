"""Inverts DCGAN on test images of clothes, and compares the results with PCA.

  python docs/pictures/invert.py     2 minutes on one CPU core

The latents of the exported DCGAN are found by gradient descent; the last row uses as many principal
components. The script prints the mean squared errors, for pixels from 0 to 1.
"""

from pathlib import Path

import numpy as np

import keras_gen
from keras_gen.data import pad_to, small_images
from keras_gen.gan import nearest_latents
from keras_gen.workshop.baselines import PrincipalComponents
from keras_gen.workshop.visualize import image_rows, write_image

HERE = Path(__file__).parent
SHOWN = 10


def main():
    model = keras_gen.load("dcgan_fashion_mnist")
    data = small_images("fashion_mnist")
    train = data.train.map(padded).arrays()
    test = data.test.map(padded).take(SHOWN).arrays()
    pca = PrincipalComponents(train, model.latent_dim)
    latents = nearest_latents(model, test)
    projected = np.round(255 * pca.reconstruct(test)).clip(0, 255).astype("uint8")
    rows = {
        "test image": test,
        f"DCGAN, {model.latent_dim} latents": model.generate(latents),
        f"PCA, {model.latent_dim} numbers": projected,
    }
    for name, images in rows.items():
        error = np.square((images.astype(float) - test) / 255).mean(axis=(1, 2, 3))
        print(f"{name}: {error.mean():.5f} +- {error.std() / SHOWN**0.5:.5f}")
    print(f"length of the latents: {np.linalg.norm(latents, axis=1).mean():.1f}")
    write_image(HERE / "inversion.png", image_rows(rows))


def padded(image):
    return pad_to(image, 32)


if __name__ == "__main__":
    main()
