"""Grids of images taken apart, and a model whose images are easily foretold."""

import numpy as np


def cells(sample_grid, columns, pad=2):
    """The cells of a square-celled sample grid, `[rows, columns, height, width, 3]`."""
    size = (sample_grid.shape[1] - pad) // columns - pad
    rows = (sample_grid.shape[0] - pad) // (size + pad)
    cut = sample_grid[pad:, pad:].reshape(rows, size + pad, columns, size + pad, 3)
    assert (cut[:, size:] == 255).all() and (cut[:, :, :, size:] == 255).all()
    assert (sample_grid[:pad] == 255).all() and (sample_grid[:, :pad] == 255).all()
    return cut[:, :size, :, :size].swapaxes(1, 2)


def rgb(images):
    return np.broadcast_to(images, [*images.shape[:-1], 3])


class Plain:
    """Two latents that are gray values: image = 100 + 10 first + second, on one pixel.

    It is deterministic: `encode` returns codes alone.
    """

    class decoder:  # noqa: N801
        input_shape = (None, 2)

    def encode(self, images):
        values = images[:, 0, 0, 0].astype("float32") - 100
        return np.stack([values // 10, values % 10], axis=1)

    def decode(self, codes):
        values = 100 + 10 * codes[:, 0] + codes[:, 1]
        return np.round(values).astype("uint8").reshape(-1, 1, 1, 1)

    def reconstruct(self, images):
        return self.decode(self.encode(images))


def gray(sample_grid, columns):
    """The gray values of a sample grid of one-pixel images."""
    return cells(sample_grid, columns)[:, :, 0, 0, 0].tolist()


def images(*values):
    return np.array(values, "uint8").reshape(-1, 1, 1, 1)


def where(image, color):
    """Rows and columns of the pixels of a color."""
    return np.argwhere((image == color).all(axis=-1))
