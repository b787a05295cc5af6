"""Pictures of rows as bare grids, so that tests find their images at known places."""

import sys

import numpy as np
import pytest

from keras_gen.files.images import grid
from keras_gen.workshop.visualize import latent_space, rows_of_images, sample_paths


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Names of the rows and columns of the last picture, which is drawn without them and small."""
    found = {}

    def bare(images, row_names=(), column_names=()):
        found["rows"] = list(row_names)
        found["columns"] = list(column_names)
        images = [np.asarray(row) for row in images]
        return grid(np.concatenate(images), len(images[0]))

    def small(images, columns=None, width=None):
        return grid(images, columns)

    for module in (latent_space, rows_of_images, sample_paths):
        monkeypatch.setattr(module, "captioned", bare)
    monkeypatch.setattr(latent_space, "enlarged_grid", small)
    return found


@pytest.fixture(autouse=True)
def without_pyplot(monkeypatch):
    """None of the images may leave a figure open."""
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
