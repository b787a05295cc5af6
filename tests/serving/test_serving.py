"""Exports at work without Keras: in a fresh process, in the C runtime, and their warm-up."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from all_tiny import TINY
from keras_gen.core.capabilities import MOST_SAMPLES
from keras_gen.messages import refusal
from keras_gen.serving.export import export, load
from keras_gen.serving.exported import read_metadata
from processes import python
from toy_exports import IMAGES, Toy

SIGNATURES = (
    "translate", "sample", "count", "serving_default", "translate_bytes", "count_bytes",
)  # fmt: skip


def run(script, *arguments):
    """Runs Python code in a fresh process and returns what it printed."""
    done = python("-c", script, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.thorough
def test_runs_in_a_process_without_keras_and_keras_gen(model, path, photos, tmp_path):
    np.save(tmp_path / "in.npy", photos)
    run(
        """
import sys
sys.modules.update(keras=None, keras_gen=None, tf_keras=None)
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
photos = np.load(sys.argv[2] + "/in.npy")
translated = model.signatures["translate"](images=photos)
default = model.signatures["serving_default"](images=photos)
sampled = model.signatures["sample"](seed=tf.constant(5), n=tf.constant(3))
files = tf.io.encode_png(photos)
(file,) = model.signatures["translate_bytes"](images_bytes=files[:1])["output_images_bytes"]
np.savez(sys.argv[2] + "/out.npz", sampled=sampled["output"], default=default["output_images"],
         raw=translated["raw"], images=translated["output_images"], decoded=tf.io.decode_png(file))
""",
        path,
        tmp_path,
    )
    out, expected = np.load(tmp_path / "out.npz"), model.translate(photos)
    np.testing.assert_allclose(out["raw"], expected["raw"], atol=1e-5)
    np.testing.assert_allclose(out["sampled"], model.sample(5, 3), atol=1e-5)
    np.testing.assert_array_equal(out["images"], out["default"])
    np.testing.assert_array_equal(out["images"][0], out["decoded"])
    assert np.abs(out["images"].astype(int) - expected["images"]).max() <= 1  # a rounding apart
    assert out["images"].std() > 1


BAD_REQUESTS = [
    # The signature, its inputs, and what is refused.
    (
        "sample",
        {"n": 0},
        f"n is 0: expected 1 to {MOST_SAMPLES}. For more, send several requests with ",
    ),
    ("sample", {"n": -1}, f"n is -1: expected 1 to {MOST_SAMPLES}."),
    ("sample", {"n": 2**31 - 1}, f"n is 2147483647: expected 1 to {MOST_SAMPLES}."),
    ("sample", {"n": MOST_SAMPLES + 1}, f"n is {MOST_SAMPLES + 1}: expected 1 to"),
    ("sample", {"seed": -1}, "seed is -1: expected 0 to 2147483647."),
    ("sample", {"label": 4}, "Labels range from 4 to 4: expected integers in [0, 3], or -1 "),
    ("sample", {"label": -2}, "Labels range from -2 to -2: expected integers in [0, 3], or "),
    ("sample", {"truncation": -0.5}, "truncation is -0.5: expected a "),
    ("sample", {"truncation": "nan"}, "truncation is nan: expected a "),
    (
        "generate",
        {"labels": [1, 2]},
        "generate got 3 latents and 2 labels: expected the same number of ",
    ),
    (
        "generate",
        {"labels": [1]},
        "generate got 3 latents and 1 labels: expected the same number of each.",
    ),
    ("generate", {"labels": [0, 1, 4]}, "Labels range from 0 to 4: expected integers in "),
]


@pytest.mark.thorough
def test_bad_requests_are_refused_in_a_process_without_keras_gen(tmp_path):
    path = export(TINY["ConditionalGAN"].build(0), tmp_path, "a")
    usual = {
        "sample": {"seed": 1, "n": 2, "label": -1, "truncation": 1.0},
        "generate": {"latents": np.zeros([3, 3]).tolist(), "labels": [0, 1, 2]},
    }
    requests = [(name, usual[name] | given) for name, given, _ in BAD_REQUESTS]
    printed = run(
        """
import sys
sys.modules.update(keras=None, keras_gen=None, tf_keras=None)
import json, tensorflow as tf
signatures = tf.saved_model.load(sys.argv[1]).signatures
for name, inputs in json.loads(sys.argv[2]):
    specs = signatures[name].structured_input_signature[1]
    values = {k: float(v) if v == "nan" else v for k, v in inputs.items()}
    try:
        signatures[name](**{k: tf.constant(v, specs[k].dtype) for k, v in values.items()})
        print("taken")
    except tf.errors.InvalidArgumentError as error:
        print(repr(error.message))
""",
        path,
        json.dumps([*requests, *usual.items()]),
    )
    *messages, first, second = printed.splitlines()
    assert first == second == "taken"
    for message, (_, _, expected) in zip(messages, BAD_REQUESTS, strict=True):
        assert refusal(message).startswith(expected)


C_RUNTIME = """
import ctypes, sys
import numpy as np
library, folder, feed, fetch, work = sys.argv[1:]
tf = ctypes.CDLL(library)
for name in ("NewSessionOptions", "NewGraph", "NewStatus", "LoadSessionFromSavedModel", "Message",
             "GraphOperationByName", "AllocateTensor", "TensorData"):
    getattr(tf, "TF_" + name).restype = ctypes.c_void_p
pointer, size = ctypes.c_void_p, ctypes.c_size_t
tf.TF_TensorByteSize.restype = size
tf.TF_Dim.restype = ctypes.c_int64
class Output(ctypes.Structure):
    _fields_ = [("operation", pointer), ("index", ctypes.c_int)]
status, graph = pointer(tf.TF_NewStatus()), pointer(tf.TF_NewGraph())
def check():
    tf.TF_Message.restype = ctypes.c_char_p
    assert tf.TF_GetCode(status) == 0, tf.TF_Message(status)
session = pointer(tf.TF_LoadSessionFromSavedModel(
    pointer(tf.TF_NewSessionOptions()), None, folder.encode(), (ctypes.c_char_p * 1)(b"serve"), 1,
    graph, None, status))
check()
def output(name):
    operation, index = name.split(":")
    return (Output * 1)(Output(tf.TF_GraphOperationByName(graph, operation.encode()), int(index)))
photos = np.load(work + "/in.npy")
UINT8 = 4
sides = (ctypes.c_int64 * photos.ndim)(*photos.shape)
tensor = pointer(tf.TF_AllocateTensor(UINT8, sides, photos.ndim, size(photos.nbytes)))
ctypes.memmove(tf.TF_TensorData(tensor), photos.ctypes.data, photos.nbytes)
result = (pointer * 1)()
tf.TF_SessionRun(session, None, output(feed), (pointer * 1)(tensor), 1, output(fetch), result, 1,
                 None, 0, None, status)
check()
result = pointer(result[0])
shape = [tf.TF_Dim(result, axis) for axis in range(tf.TF_NumDims(result))]
data = ctypes.string_at(tf.TF_TensorData(result), tf.TF_TensorByteSize(result))
assert "tensorflow" not in sys.modules
np.save(work + "/out.npy", np.frombuffer(data, np.float32).reshape(shape))
"""


@pytest.fixture
def in_the_c_runtime(path, tmp_path):
    """Runs `translate` on images in a process that has the C runtime alone."""
    library = Path(find_spec("tensorflow").origin).with_name("libtensorflow_cc.so.2")
    if not library.exists():
        pytest.skip("this TensorFlow ships no C runtime")
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    proto = SavedModel.FromString((path / "saved_model.pb").read_bytes())
    signature = proto.meta_graphs[0].signature_def["translate"]
    names = signature.inputs["images"].name, signature.outputs["raw"].name

    def translate(images):
        np.save(tmp_path / "in.npy", images)
        run(C_RUNTIME, library, path, *names, tmp_path)
        return np.load(tmp_path / "out.npy")

    return translate


def test_runs_in_the_c_runtime(model, in_the_c_runtime, photos):
    found = in_the_c_runtime(photos)
    np.testing.assert_allclose(found, model.translate(photos)["raw"], atol=1e-5)


@pytest.mark.parametrize("shape", [[19, 30, 3], [1, 2, 19, 30, 3], [2, 19, 30, 1]])
def test_other_shapes_are_refused_in_the_c_runtime(in_the_c_runtime, shape):
    with pytest.raises(AssertionError, match=r"not compatible with expected shape \[\?,\?,\?,3\]"):
        in_the_c_runtime(np.zeros(shape, np.uint8))


def messages(encoded):
    """Splits a protobuf message into (field number, bytes) pairs; length-delimited fields only."""

    def varint(position):
        value = shift = 0
        while True:
            byte = encoded[position]
            value, shift, position = value | (byte & 127) << shift, shift + 7, position + 1
            if byte < 128:
                return value, position

    position, found = 0, []
    while position < len(encoded):
        key, position = varint(position)
        assert key & 7 == 2
        length, position = varint(position)
        found.append((key >> 3, encoded[position : position + length]))
        position += length
    return found


def warmup_requests(path):
    """Signature name -> (model name, input name -> array), as TensorFlow Serving would read it."""
    from tensorflow.core.framework.tensor_pb2 import TensorProto

    requests = {}
    records = tf.data.TFRecordDataset(str(path / "assets.extra" / "tf_serving_warmup_requests"))
    for record in records.as_numpy_iterator():
        ((log_kind, log),) = messages(record)
        ((request_kind, request),) = messages(log)
        assert (log_kind, request_kind) == (6, 1)
        (first, spec), *entries = messages(request)
        spec = dict(messages(spec))
        assert first == 1 and spec.keys() == {1, 3} and {number for number, _ in entries} == {2}
        inputs = [dict(messages(entry)) for _, entry in entries]
        requests[spec[3].decode()] = (
            spec[1].decode(),
            {
                entry[1].decode(): tf.make_ndarray(TensorProto.FromString(entry[2]))
                for entry in inputs
            },
        )
    return requests


def test_warmup_asks_every_signature(path):
    requests, exported = warmup_requests(path), load(path)
    assert requests.keys() == exported.inputs.keys() == set(SIGNATURES)
    assert {model for model, _ in requests.values()} == {"stand_in"}
    images = requests["translate"][1]["images"]
    assert images.shape == (1, 64, 64, 3) and images.dtype == np.uint8
    assert requests["sample"][1] == {"seed": 1, "n": 1}
    for signature, (_, inputs) in requests.items():
        exported(signature, **inputs)


def counter() -> Toy:
    """Takes and gives texts, by a table that is no variable of a network."""
    words = tf.lookup.KeyValueTensorInitializer(["cat", "dog"], tf.constant([3, 5], tf.int64))
    table = tf.lookup.StaticHashTable(words, default_value=-1)

    def look_up(texts):
        return {"numbers": table.lookup(texts), "louder": tf.strings.upper(texts)}

    model = Toy(look_up=(look_up, [tf.TensorSpec([None], tf.string, "texts")]))
    model.resources = [table]
    return model


@pytest.mark.slow
def test_texts_and_tables_need_no_keras_either(tmp_path):
    path = export(counter(), tmp_path, "texts")
    printed = run(
        """
import sys
sys.modules.update(keras=None, keras_gen=None, tf_keras=None)
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
found = model.signatures["look_up"](texts=tf.constant(["dog", "cow", "cat"]))
print(found["numbers"].numpy().tolist(), found["numbers"].dtype.name)
print(found["louder"].numpy().tolist())
""",
        path,
    )
    assert printed.splitlines() == ["[5, -1, 3] int32", "[b'DOG', b'COW', b'CAT']"]
    requests = warmup_requests(path)
    assert requests["look_up"][1]["texts"].tolist() == [b""]
    described = read_metadata(path)["signatures"]["look_up"]
    assert described["inputs"] == {"texts": {"dtype": "string", "shape": [None]}}
    assert described["outputs"]["louder"] == {"dtype": "string", "shape": [None]}


def needs_large_images(images):
    with tf.control_dependencies([tf.debugging.assert_greater(tf.shape(images)[1], 99)]):
        return tf.identity(images)


def test_a_signature_that_fails_on_its_warmup_request(tmp_path):
    model = Toy(run=(needs_large_images, [IMAGES]))
    with pytest.raises(ValueError, match=r"'run' fails on .*64, 64.*warmup=\{'run': \.\.\.\}"):
        export(model, tmp_path, "a")
    assert not list(tmp_path.iterdir())
    warmup = {"run": {"images": np.full([1, 100, 5, 3], 7)}}
    path = export(model, tmp_path, "a", warmup=warmup)
    assert warmup_requests(path)["serving_default"][1]["images"].shape == (1, 100, 5, 3)
