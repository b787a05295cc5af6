"""Exports, and a working directory that holds them."""

import pytest

from keras_gen.files.images import write_png
from keras_gen.serving.export import export
from toy_exports import PHOTO, inverter, of_one_size


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models")
    metadata = {"data": {"name": "noise"}, "metrics": {"note": "x", "kid": 0.123456}}
    export(inverter(), folder, "inverter")
    export(inverter(), folder, "inverter", metadata=metadata)
    export(of_one_size("a", "b"), folder, "fixed", metadata={"data": "usps"})
    export(of_one_size("a"), folder, "single")
    return folder


@pytest.fixture
def home(models, tmp_path, monkeypatch):
    """A working directory with `saved_models` and a photo."""
    (tmp_path / "saved_models").symlink_to(models)
    write_png(tmp_path / "photo.png", PHOTO)
    monkeypatch.chdir(tmp_path)
    return tmp_path
