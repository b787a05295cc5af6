"""Data sets without a network."""

import sys

import pytest

from keras_gen.data import DataUnavailable

SETS = ("documents", "images", "spoken", "tables")


@pytest.fixture
def offline(monkeypatch):
    """No set comes from tensorflow-datasets, so that samples take their places."""

    def unavailable(*args, **kwargs):
        raise DataUnavailable("no network here")

    for name in SETS:  # by their modules, which functions of the same names hide
        monkeypatch.setattr(sys.modules[f"keras_gen.data.sets.{name}"], "load_tfds", unavailable)
