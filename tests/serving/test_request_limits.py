"""Requests that could end a server are refused in one sentence, before anything is computed."""

import inspect
import io
import struct

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_gen
from instances.diffusion import TINY as PATH_MODELS
from keras_gen import FlowMatching
from keras_gen.networks import time_mlp
from keras_gen.serving import image_headers, request_limits
from keras_gen.serving.export import export
from keras_gen.serving.exported import load
from keras_gen.serving.request_limits import MOST_ELEMENTS, MOST_EXAMPLES
from processes import ROOT
from toy_exports import IMAGES, Toy

EXPORTS = sorted((ROOT / "saved_models").glob("*/*/"))
FEW = 300


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A model that takes little, since each of its elements would need much memory."""
    texts = tf.TensorSpec([None], tf.string, "texts")
    invert = (lambda images: {"images": 255 - images}, [IMAGES])
    large = Toy(invert=invert, measure=(tf.strings.length, [texts]))
    large.most_elements = FEW
    warmup = {"invert": {"images": np.zeros([1, 2, 2, 3], np.uint8)}}
    return load(export(large, tmp_path_factory.mktemp("exports"), "large", warmup=warmup))


def file(height, width, kind="png", **options):
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, kind, **options)
    return buffer.getvalue()


def bomb(height, width):
    """A file that says it is so large, and would have to be decoded to be found out."""
    content = file(1, 1)
    return content[:16] + struct.pack(">II", width, height) + content[24:]


def blank(spec, count, side=0):
    """As many examples of an input; without a side they would soon be done if they were taken."""
    value = b"" if spec.dtype == tf.string else 0
    shape = [count, *(size or side for size in spec.shape[1:])]
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
        (
            "invert",
            {"images": np.zeros([0, 4, 4, 3])},
            "images contains 0 examples: expected 1 to ",
        ),
        (
            "invert",
            {"images": np.ones([1, 10, 11, 3], int)},
            "images has 330 elements in total: expec",
        ),
        (
            "invert",
            {"images": np.zeros([MOST_EXAMPLES + 1, 0, 0, 3])},
            "contains 1025 examples: exp",
        ),
        ("measure", {"texts": np.zeros([0], object)}, "texts contains 0 examples: expected 1 to "),
        ("measure", {"texts": ["a" * FEW, "b"]}, "texts has 301 elements in total: expected at m"),
        (
            "invert_bytes",
            {"images_bytes": np.zeros([0], object)},
            "images_bytes contains 0 examples",
        ),
        ("invert_bytes", {"images_bytes": [file(5, 10)] * 3}, "images_bytes has 450 elements in"),
        (
            "invert_bytes",
            {"images_bytes": [bomb(12_000, 12_000)]},
            r"has 271803 elements in total:",
        ),
        (
            "invert_bytes",
            {"images_bytes": [bomb(2**31 - 1, 2**31 - 1)]},
            "elements in total: expec",
        ),
    ],
)
def test_larger_and_empty_ones_are_refused(exported, signature, inputs, sentence):
    with pytest.raises(ValueError, match=sentence):
        exported(signature, **inputs)


class Wide:
    """A network that gives eight numbers an example, and one of more that no signature reads."""

    def __init__(self):
        inputs = keras.Input([2])
        self.networks = {
            "decoder": keras.Model(inputs, keras.layers.Dense(8)(inputs)),
            "discriminator": keras.Model(inputs, keras.layers.Dense(80)(inputs)),
        }

    def signatures(self):
        def sample(n):
            return self.networks["decoder"](tf.zeros([n, 2]))

        sample.limits = {"n": (1, MOST_EXAMPLES)}
        latents = tf.TensorSpec([None, 2], tf.float32, "latents")
        return {
            "decode": (self.networks["decoder"], [latents]),
            "sample": (sample, [tf.TensorSpec([], tf.int32, "n")]),
        }


def test_examples_are_fewer_where_layers_are_large(tmp_path, monkeypatch):
    monkeypatch.setattr(request_limits, "MOST_ACTIVATIONS", 3 * 8 + 1)
    model = load(export(Wide(), tmp_path, "wide"))
    assert model.metadata["largest_request"] == {"examples": 3, "elements": MOST_ELEMENTS}
    assert model.metadata["limits"] == {"sample": {"n": [1, 3]}}
    assert len(model("decode", latents=np.ones([3, 2]))["output"]) == 3
    assert len(model("sample", n=3)["output"]) == 3
    with pytest.raises(ValueError, match="latents contains 4 examples: expected 1 to 3"):
        model("decode", latents=np.ones([4, 2]))
    for n in (0, 4):
        with pytest.raises(ValueError, match=f"n is {n}: expected 1 to 3. For more, send several"):
            model("sample", n=n)


def test_multiplications_are_those_of_each_place():
    inputs = keras.Input([6, 5, 2])
    x = keras.layers.Conv2D(4, 3, padding="same")(inputs)
    inner = keras.Sequential([keras.Input([6 * 5 * 4]), keras.layers.Dense(7)])
    network = keras.Model(inputs, inner(keras.layers.Flatten()(x)))
    assert request_limits.multiplications(network) == 6 * 5 * (3 * 3 * 2 * 4) + 6 * 5 * 4 * 7
    sequence = keras.Input([None, 3])
    assert request_limits.multiplications(
        keras.Model(sequence, keras.layers.Dense(5)(sequence))
    ) == (3 * 5)


def test_steps_are_limited_by_their_work(tmp_path, monkeypatch):
    """Of a network that multiplies 48 times: twice in each step, and 100 times in `decode`."""
    network = time_mlp((2,), width=4, blocks=1, frequencies=0)
    work = request_limits.multiplications(network)
    monkeypatch.setattr(request_limits, "MOST_MULTIPLICATIONS", 2 * work * 2000)
    model = load(export(FlowMatching(network, data="vectors"), tmp_path, "flow"))
    largest = model.metadata["largest_request_of"]
    assert largest["sample"] == {"examples": 1024, "elements": MOST_ELEMENTS, "steps": 2000}
    assert largest["decode"]["examples"] == 2 * 2000 // 100
    taken = [dict(n=64, steps=31), dict(n=1, steps=1000), dict(n=1000, steps=2)]
    for request in taken:
        assert len(model("sample", seed=1, **request)["vectors"]) == request["n"]
    assert len(model("decode", latents=np.zeros([40, 2]))["vectors"]) == 40
    for n, steps in ((64, 32), (3, 1000), (1001, 2)):
        sentence = f"n is {n} and steps is {steps}: expected n of at most {2000 // steps} for this"
        with pytest.raises(ValueError, match=sentence):
            model("sample", seed=1, n=n, steps=steps)
    with pytest.raises(ValueError, match="n is 1025: expected 1 to 1024"):
        model("sample", seed=1, n=1025, steps=50)
    with pytest.raises(ValueError, match=r"expected an integer in \[1, 1000\]"):
        model("sample", seed=1, n=1, steps=2**31 - 1)
    with pytest.raises(ValueError, match="latents contains 41 examples: expected 1 to 40"):
        model("decode", latents=np.zeros([41, 2]))


@pytest.mark.parametrize("name", PATH_MODELS)
def test_each_signature_of_a_path_model_counts_its_evaluations(name):
    model = PATH_MODELS[name].build(3)
    assert set(model.evaluations) == set(model.signatures())


def test_models_whose_samples_take_a_number_of_steps_limit_the_work():
    """Or else one request with the most samples and steps could take hours."""
    classes = [getattr(keras_gen, name) for name in keras_gen._FAMILIES]
    drawing = [cls for cls in classes if hasattr(cls, "from_noise")]
    stepped = [c for c in drawing if "steps" in inspect.signature(c.from_noise).parameters]
    assert {cls.__name__ for cls in stepped} >= {"EBM", "EDM", "DDPM"}
    assert all("sample" in cls.evaluations for cls in stepped)


@pytest.mark.parametrize("options", [{"progressive": True}, {}])
def test_headers_say_what_is_decoded(options):
    sizes = [(3, 5), (300, 2), (2, 70_000)]
    kinds = ["png", "jpeg", "bmp"]
    for kind in kinds:
        known = [size for size in sizes if kind != "jpeg" or max(size) < 2**16]
        contents = tf.constant([file(*size, kind, **options) for size in known])
        turns = image_headers.orientations(contents)
        np.testing.assert_array_equal(image_headers.sizes("x", contents, turns), known)
    # The first row of this one is the upper one.
    content = file(3, 5, "bmp")
    content = content[:22] + struct.pack("<i", -3) + content[26:]
    sizes = image_headers.sizes("x", tf.constant([content]), tf.constant([1], tf.int64))
    np.testing.assert_array_equal(sizes, [[3, 5]])


@pytest.mark.slow
@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.parent.name)
def test_no_request_ends_a_published_export(path):
    model = load(path)
    largest = model.metadata["largest_request"]
    assert largest["elements"] <= MOST_ELEMENTS
    for name, specs in model.inputs.items():
        scalars = {key: 1 for key, spec in specs.items() if not spec.shape.rank}
        scalars |= {k: v for k, v in model.defaults(name).items() if k in scalars}
        arrays = {key: spec for key, spec in specs.items() if spec.shape.rank}
        signature = model.metadata["default_signature"] if name == "serving_default" else name
        most = model.metadata["limits"][signature]["n"][1] if "n" in specs else 0
        assert most <= largest["examples"]
        for count in (0, -1, 10**6) if most else ():
            with pytest.raises(ValueError, match=rf"n is {count}: expected 1 to {most}"):
                model(name, **scalars | {"n": count})
        for count in (0, largest["examples"] + 1):
            if arrays:
                many = {key: blank(spec, count) for key, spec in arrays.items()}
                # Exports of earlier versions say "holds".
                sentence = rf"(contains|holds) {count} examples: expected 1 to"
                with pytest.raises(ValueError, match=sentence):
                    model(name, **scalars | many)
        values = scalars | {key: blank(spec, 1, 64) for key, spec in arrays.items()}
        for key, spec in specs.items():
            for value in wrong_values(key, spec, values[key]):
                with pytest.raises(ValueError, match=r"^signature .* failed: .*: expected"):
                    model(name, **values | {key: value})


def wrong_values(name, spec, usual):
    """Values of an input that cannot be right."""
    if name.endswith("_bytes"):
        return [[bomb(12_000, 12_000)], [bomb(1, 2**30)]]
    if spec.dtype == tf.float32:
        return [np.full(np.shape(usual), np.nan)]
    if spec.dtype == tf.int32 and name != "n":
        wrong = [] if "seed" in name else [10**6]
        wrong += [] if name in ("label", "speaker") else [-1]  # any of them
        return [np.full(np.shape(usual), number) for number in wrong]
    return []
