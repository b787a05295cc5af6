"""Signatures of image files' contents equal those of the images."""

import io
from types import MappingProxyType

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gen.serving.export import export, load
from keras_gen.serving.warmup import WARMUP

GIVEN = np.full([1, 7, 5, 3], 9, np.uint8)


class Shifter:
    """Images to images, sizes and lists of images; of any size, and of one size in gray."""

    networks = MappingProxyType({})

    def shift(self, images, by):
        return {"images": images + tf.cast(by, tf.uint8)}

    def measure(self, images):
        copies = tf.stack([images, images], axis=1)
        return {"means": tf.reduce_mean(tf.cast(images, tf.float32), [1, 2, 3]), "copies": copies}

    def signatures(self):
        any_size = tf.TensorSpec([None, None, None, 3], tf.uint8, "images")
        gray = tf.TensorSpec([None, 6, 9, 1], tf.uint8, "images")
        frames = tf.TensorSpec([None, 6, 9, 2], tf.uint8, "images")
        by = tf.TensorSpec([], tf.int32, "by")
        return {
            "shift": (self.shift, [any_size, by]),
            "measure": (self.measure, [gray]),
            "both": (lambda a: self.shift(a, 1), [any_size]),
            "both_bytes": (lambda texts: texts, [tf.TensorSpec([None], tf.string, "texts")]),
            "two": (lambda images, by: self.shift(images, by), [any_size, by]),
            "flow": (self.measure, [frames]),
        }

    def signature_defaults(self):
        return {"shift": {"by": 5}}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    given = {"shift": {"images": GIVEN, "by": 1}}
    return load(export(Shifter(), folder, "shifter", "measure", warmup=given))


def file(image, kind="png"):
    buffer = io.BytesIO()
    Image.fromarray(image.squeeze()).save(buffer, kind)
    return buffer.getvalue()


def image_in(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def test_stand_beside_signatures_of_images_alone(exported):
    assert set(exported.inputs) == {
        "shift", "measure", "both", "two", "flow", "serving_default",
        "shift_bytes", "measure_bytes", "both_bytes",
    }  # fmt: skip
    assert {*exported.inputs["shift_bytes"], *exported.outputs["shift_bytes"]} == {
        "images_bytes",
        "output_images_bytes",
    }
    assert set(exported.outputs["measure_bytes"]) == {"means", "copies"}
    assert set(exported.inputs["both_bytes"]) == {"texts"}
    described = exported.metadata["signatures"]["shift_bytes"]
    assert described["inputs"] == {"images_bytes": {"dtype": "string", "shape": [None]}}
    assert described["outputs"] == {"output_images_bytes": {"dtype": "string", "shape": [None]}}


def test_images_come_and_go_as_files(exported, rng):
    photos = rng.integers(0, 200, (3, 5, 4, 3), "uint8")
    served = exported("shift_bytes", images_bytes=[file(photo) for photo in photos])
    for photo, content in zip(photos, served["output_images_bytes"], strict=True):
        np.testing.assert_array_equal(image_in(content), photo + 5)
    # As TensorFlow has them, and of one image of another size.
    (content,) = exported("shift_bytes", images_bytes=np.array([file(photos[0, :2])], object))[
        "output_images_bytes"
    ]
    np.testing.assert_array_equal(image_in(content), photos[0, :2] + 5)


@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp"])
def test_formats(exported, rng, kind):
    smooth = np.linspace(0, 255, 5 * 4 * 3).astype("uint8").reshape(5, 4, 3)
    content = file(smooth, kind)
    (served,) = exported("shift_bytes", images_bytes=[content])["output_images_bytes"]
    off = np.abs(image_in(served) - (image_in(content) + np.uint8(5)).astype(int))
    assert off.max() <= (3 if kind == "jpeg" else 0)


def test_colors_become_gray(exported, rng):
    photo = rng.integers(0, 256, (6, 9, 3), "uint8")
    gray = photo @ np.array([0.299, 0.587, 0.114])
    served = exported("measure_bytes", images_bytes=[file(photo), file(gray.astype("uint8"))])
    np.testing.assert_allclose(served["means"], gray.mean(), atol=2)
    assert served["copies"].shape == (2, 2, 6, 9, 1) and served["copies"].dtype == np.uint8


@pytest.mark.parametrize(
    "signature, sizes, message",
    [
        ("measure", [(6, 9), (9, 6)], r"9 pixels high and 6 wide: expected 6 and 9, resize it\.$"),
        ("shift", [(6, 9), (6, 8)], r"6 pixels high and 8 wide: .* 6 and 9 of all in a request\.$"),
    ],
)
def test_sizes_that_are_refused(exported, signature, sizes, message):
    contents = [file(np.zeros([*size, 3], np.uint8)) for size in sizes]
    with pytest.raises(ValueError, match="failed: images_bytes holds an image " + message):
        exported(f"{signature}_bytes", images_bytes=contents)


def test_what_is_no_image(exported):
    for content in (b"hello", file(np.zeros([6, 9], np.uint8))[:40], b""):
        with pytest.raises(ValueError, match=r"^signature 'measure_bytes' of \S+ failed: .*[a-z]"):
            exported("measure_bytes", images_bytes=[content])
    for content in (b"hello", b"", file(np.zeros([6, 9], np.uint8), "gif")):
        with pytest.raises(ValueError, match="holds a file that is no PNG, JPEG or BMP: expected"):
            exported("measure_bytes", images_bytes=[content])


def test_requests_that_warm_up_are_images_of_the_size(exported):
    requests = (exported.path / WARMUP).read_bytes()
    assert tf.io.encode_png(np.zeros([6, 9, 1], np.uint8)).numpy() in requests
    assert tf.io.encode_png(GIVEN[0]).numpy() in requests
