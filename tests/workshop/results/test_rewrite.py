"""Published exports that are written again with today's code."""

import numpy as np

import keras_gen
from keras_gen.serving.export import add_metadata, export
from keras_gen.serving.exported import load, read_metadata
from keras_gen.serving.warmup import WARMUP
from keras_gen.workshop.results.rewrite import rewrite

IMAGES = np.random.default_rng(0).integers(0, 256, [3, 8, 8, 1], np.uint8)


def answers(path):
    model = load(path)
    return [*model("encode", images=IMAGES).values(), *model("sample", seed=1, n=2).values()]


def test_the_graph_is_new_and_all_else_stays(tmp_path):
    model = keras_gen.VAE.for_images((8, 8, 1), latent_dim=2, filters=(4,))
    warmup = {"encode": {"images": IMAGES}}
    path = export(model, tmp_path, "a", metadata={"data": "mnist"}, warmup=warmup, half=True)
    before = read_metadata(path), (path / WARMUP).read_bytes()
    expected = answers(path)
    add_metadata(path, {"largest_request": {}})  # as in an earlier version
    (path / "saved_model.pb").write_bytes(b"old")
    rewrite(path)
    assert (read_metadata(path), (path / WARMUP).read_bytes()) == before
    for found, value in zip(answers(path), expected, strict=True):
        np.testing.assert_array_equal(found, value)
