"""Requests that could end a server are refused in one sentence, before anything is computed."""

import io
import struct
from types import MappingProxyType

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gen.serving import image_headers
from keras_gen.serving.export import export
from keras_gen.serving.exported import load
from keras_gen.serving.request_limits import MOST_ELEMENTS, MOST_EXAMPLES
from processes import ROOT

EXPORTS = sorted((ROOT / "saved_models").glob("*/*/"))
FEW = 300


class Large:
    """Takes little, since each of its elements would need much memory."""

    networks = MappingProxyType({})
    most_elements = FEW

    def signatures(self):
        images = tf.TensorSpec([None, None, None, 3], tf.uint8, "images")
        texts = tf.TensorSpec([None], tf.string, "texts")
        return {
            "invert": (lambda images: {"images": 255 - images}, [images]),
            "measure": (tf.strings.length, [texts]),
        }


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    warmup = {"invert": {"images": np.zeros([1, 2, 2, 3], np.uint8)}}
    return load(export(Large(), tmp_path_factory.mktemp("exports"), "large", warmup=warmup))


def file(height, width, kind="png", **options):
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, kind, **options)
    return buffer.getvalue()


def bomb(height, width):
    """A file that says it is so large, and would have to be decoded to be found out."""
    content = file(1, 1)
    return content[:16] + struct.pack(">II", width, height) + content[24:]


def blank(spec, count):
    """As many examples of an input, which would soon be done if they were taken."""
    value = b"" if spec.dtype == tf.string else 0
    shape = [count, *(size or 0 for size in spec.shape[1:])]
    return np.full(shape, value, spec.dtype.as_numpy_dtype)


def test_the_metadata_say_the_limits(exported):
    expected = {"examples": MOST_EXAMPLES, "elements": FEW}
    assert exported.metadata["largest_request"] == expected


def test_the_largest_request_is_taken(exported):
    assert (
        exported("invert", images=np.zeros([1, 10, 10, 3], np.uint8))["output_images"].min() == 255
    )
    assert exported("invert_bytes", images_bytes=[file(10, 10)])["output_images_bytes"].size == 1
    assert exported("measure", texts=["a" * FEW])["output"] == [FEW]


@pytest.mark.parametrize(
    ("signature", "inputs", "sentence"),
    [
        ("invert", {"images": np.zeros([0, 4, 4, 3])}, "images holds 0 examples: expected 1 to "),
        (
            "invert",
            {"images": np.ones([1, 10, 11, 3], int)},
            "images has 330 elements in all: expec",
        ),
        ("invert", {"images": np.zeros([MOST_EXAMPLES + 1, 0, 0, 3])}, "holds 1025 examples: exp"),
        ("measure", {"texts": np.zeros([0], object)}, "texts holds 0 examples: expected 1 to "),
        ("measure", {"texts": ["a" * FEW, "b"]}, "texts has 301 elements in all: expected at m"),
        ("invert_bytes", {"images_bytes": np.zeros([0], object)}, "images_bytes holds 0 examples"),
        ("invert_bytes", {"images_bytes": [file(5, 10)] * 3}, "images_bytes has 450 elements in"),
        ("invert_bytes", {"images_bytes": [bomb(12_000, 12_000)]}, r"has 271803 elements in all:"),
        ("invert_bytes", {"images_bytes": [bomb(2**31 - 1, 2**31 - 1)]}, "elements in all: expec"),
    ],
)
def test_larger_and_empty_ones_are_refused(exported, signature, inputs, sentence):
    with pytest.raises(ValueError, match=sentence):
        exported(signature, **inputs)


@pytest.mark.parametrize("options", [{"progressive": True}, {}])
def test_headers_say_what_is_decoded(options):
    sizes = [(3, 5), (300, 2), (2, 70_000)]
    kinds = ["png", "jpeg", "bmp"]
    for kind in kinds:
        known = [size for size in sizes if kind != "jpeg" or max(size) < 2**16]
        contents = tf.constant([file(*size, kind, **options) for size in known])
        np.testing.assert_array_equal(image_headers.sizes("x", contents), known)
    # The first row of this one is the upper one.
    content = file(3, 5, "bmp")
    content = content[:22] + struct.pack("<i", -3) + content[26:]
    np.testing.assert_array_equal(image_headers.sizes("x", tf.constant([content])), [[3, 5]])


@pytest.mark.slow
@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.parent.name)
def test_no_request_ends_a_published_export(path):
    model = load(path)
    assert model.metadata["largest_request"]["elements"] <= MOST_ELEMENTS
    for name, specs in model.inputs.items():
        texts = {key for key in specs if key.endswith("_bytes")}
        for key in texts:
            for content in (bomb(12_000, 12_000), bomb(1, 2**30)):
                sentence = r"elements in all: expected|pixels high and .* wide: expected"
                with pytest.raises(ValueError, match=sentence):
                    model(name, **{key: [content]})
        scalars = {key: 1 for key, spec in specs.items() if not spec.shape.rank}
        scalars |= {k: v for k, v in model.defaults(name).items() if k in scalars}
        for count in (0, -1, 10**6) if "n" in specs else ():
            with pytest.raises(ValueError, match=rf"n is {count}: expected 1 to {MOST_EXAMPLES}"):
                model(name, **scalars | {"n": count})
        for count in (0, MOST_EXAMPLES + 1):
            arrays = {k: blank(spec, count) for k, spec in specs.items() if spec.shape.rank}
            if arrays:
                with pytest.raises(ValueError, match=f"holds {count} examples: expected 1 to"):
                    model(name, **scalars | arrays)
