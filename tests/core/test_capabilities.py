"""Capabilities: a method of arrays and a signature of tensors are one function."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import GenerativeModel, capability, sample
from keras_gen.core.capabilities import MOST_SAMPLES, sample_conditions
from keras_gen.core.kinds_of_data import (
    Characters,
    Images,
    Labels,
    Levels,
    MuLaw,
    Number,
    Texts,
    Vectors,
)
from keras_gen.data import Source
from keras_gen.serving.export import export, load

SHAPE = (2, 2, 1)


class Mixer(GenerativeModel):
    """Two inputs, and outputs of every kind."""

    def __init__(self):
        super().__init__()
        self.edges |= {
            "x": Images(SHAPE),
            "latents": Vectors((3,)),
            "levels": Levels((2,), 4, name="codes"),
            "texts": Texts(["cat", "dog"], top=1),
        }
        self.traces = 0

    @capability
    def mix(self, x, latents):
        """Returns one tensor of each kind."""
        self.traces += 1
        total = tf.reduce_sum(latents, -1)
        return {
            "x": x / 2 + 0.25 * total[:, None, None, None],
            "scores": tf.cast(total, tf.float64),
            "latents": 2 * latents,
            "levels": tf.argmax(latents, -1, tf.int32)[:, None] + tf.constant([0, 1]),
        }

    @capability
    def read(self, texts):
        """Returns the word that is there most often."""
        return {"texts": texts}

    @capability
    def double(self, x):
        """Returns one tensor."""
        return {"x": 2 * x}


class Louder(Mixer):
    """Overrides a capability, and hides another."""

    @capability
    def double(self, x):
        """Returns one tensor of another name."""
        return {"doubles": 2 * x}

    read = None


class Repeater(GenerativeModel):
    """Gives sequences back."""

    def __init__(self):
        super().__init__()
        self.edges |= {"x": MuLaw(), "texts": Characters("abc", 4)}

    @capability
    def repeat(self, x, texts):
        """Returns both."""
        return {"x": x, "texts": texts}


@pytest.fixture
def arrays(rng):
    images = rng.integers(0, 256, (5, *SHAPE), "uint8")
    return images, rng.uniform(-0.5, 0.5, (5, 3)).astype("float32")


class TestMethods:
    def test_the_results_are_those_of_the_function(self, arrays):
        images, latents = arrays
        x, scores, doubled, codes = Mixer().mix(images, latents)
        total = latents.sum(-1)
        inner = (images / 127.5 - 1) / 2 + total[:, None, None, None] / 4
        np.testing.assert_allclose(x, np.clip((inner + 1) * 127.5, 0, 255), atol=0.501)
        np.testing.assert_allclose(scores, total, rtol=1e-6)
        np.testing.assert_array_equal(doubled, 2 * latents)
        most = latents.argmax(-1)
        np.testing.assert_array_equal(codes, np.stack([most, most + 1], axis=1))

    @pytest.mark.parametrize("batch_size", [1, 2, 5, 7])
    def test_batches_do_not_show(self, arrays, batch_size):
        model = Mixer()
        for part, whole in zip(
            model.mix(*arrays, batch_size=batch_size), model.mix(*arrays), strict=True
        ):
            np.testing.assert_array_equal(part, whole)

    def test_their_graph_is_traced_once(self, arrays):
        model = Mixer()
        for batch_size in (2, 3, 256):
            model.mix(*arrays, batch_size=batch_size)
        model.mix(arrays[0] / np.float32(255), arrays[1])
        assert model.traces == 1
        Mixer().mix(*arrays)
        assert model.traces == 1

    def test_one_output_is_an_array_and_several_a_tuple(self, arrays):
        model = Mixer()
        assert isinstance(model.double(arrays[0]), np.ndarray)
        assert isinstance(model.mix(*arrays), tuple)
        words, rates = model.read(["dog dog cat", "cat"])
        assert words.tolist() == [["dog"], ["cat"]] and rates.tolist() == [[2], [1]]
        # Only images stay floats where they came in as such.
        words, _ = model.read(np.array([[0.5, 3.0]]))
        assert words.tolist() == [["dog"]]

    def test_a_number_is_for_all_examples(self, arrays):
        class Chooses(Mixer):
            @capability
            def choose(self, latents, labels):
                return {"chosen": tf.gather(latents, labels, batch_dims=1)}

        model, latents = Chooses(), arrays[1]
        model.edges["labels"] = Labels(3)
        np.testing.assert_array_equal(model.choose(latents, 2, batch_size=2), latents[:, 2])
        chosen = model.choose(latents, np.array([0, 1, 2, 1, 0]))
        np.testing.assert_array_equal(chosen, latents[np.arange(5), [0, 1, 2, 1, 0]])
        with pytest.raises(ValueError, match=r"from 3 to 3: expected integers in \[0, 2\]"):
            model.choose(latents, 3)

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_floats_that_come_in_leave_as_floats(self, arrays, dtype):
        images = np.array([-0.25, 0, 0.3, 0.5], dtype).reshape(1, *SHAPE)
        doubled = Mixer().double(images)
        assert doubled.dtype == np.float32
        np.testing.assert_allclose(doubled, 2 * images, rtol=1e-6)
        x, *_, codes = Mixer().mix(images, arrays[1][:1])
        assert (x.dtype, codes.dtype) == (np.float32, np.uint8)

    def test_a_source_stands_for_its_arrays(self, arrays):
        images, latents = arrays
        model, pairs = Mixer(), Source(arrays)
        expected = model.mix(images, latents)
        calls = [
            model.mix(pairs),
            model.mix(Source(images), latents),
            model.mix(pairs, latents),
            model.mix(pairs, latents=latents, batch_size=2),
        ]
        for found in calls:
            np.testing.assert_array_equal(found[1], expected[1])
        np.testing.assert_array_equal(model.double(pairs), model.double(images))

    @pytest.mark.parametrize("counts", [(5, 3), (1, 5), (0, 5)])
    def test_arrays_of_unequal_length_are_refused(self, arrays, counts):
        a, b = counts
        sentence = rf"^mix got {a} images and {b} latents: expected the same number of each\.$"
        with pytest.raises(ValueError, match=sentence):
            Mixer().mix(arrays[0][:a], arrays[1][:b])

    @pytest.mark.parametrize(
        "call,sentence",
        [
            (
                lambda m, x: m.mix(x),
                r"mix\(x, latents, \*, batch_size=256\): missing .*'latents'\.$",
            ),
            (lambda m, x: m.double(x, x), r"double\(.*: too many positional arguments\.$"),
            (
                lambda m, x: m.double(3),
                "^images is the single value 3: expected an array of examples",
            ),
            (lambda m, x: m.mix(x, [object()] * 5), "^latents is .*: expected an array"),
            (lambda m, x: m.mix(x, np.array(["2020-01-01"] * 5, "M8[D]")), "dtype datetime64"),
        ],
    )
    def test_what_is_no_array(self, arrays, call, sentence):
        with pytest.raises(TypeError, match=sentence):
            call(Mixer(), arrays[0])

    def test_any_order_in_memory_is_taken(self, arrays):
        images, latents = arrays
        expected = Mixer().mix(images, latents)
        found = Mixer().mix(np.asfortranarray(images), np.asfortranarray(latents))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_no_examples_give_no_results(self, arrays):
        model = Mixer()
        images, latents = arrays
        for none, some in zip(
            model.mix(images[:0], latents[:0]), model.mix(images, latents), strict=True
        ):
            assert none.shape == (0, *some.shape[1:]) and none.dtype == some.dtype
        assert model.double(images[:0] / np.float32(255)).dtype == np.float32
        words, rates = model.read([])
        assert words.shape == rates.shape == (0, 1) and words.dtype.kind == "U"

    def test_convolutions_give_no_results_for_no_examples(self):
        class Convolves(Mixer):
            @capability
            def convolve(self, x):
                return {"x": network(x, training=False)}

        layers = [keras.layers.Conv2D(channels, 1, activation="relu") for channels in (3, 1)]
        network = keras.Sequential([keras.Input(SHAPE), *layers])
        assert Convolves().convolve(np.zeros((0, *SHAPE), "uint8")).shape == (0, *SHAPE)

    def test_signatures_are_those_of_the_class(self):
        assert set(Mixer().signatures()) == {"mix", "read", "double"}
        signatures = Louder().signatures()
        assert set(signatures) == {"mix", "double"}
        function, _ = signatures["double"]
        assert set(function(tf.zeros([1, *SHAPE], tf.uint8))) == {"doubles"}


class Painter(GenerativeModel):
    """Images whose first pixel is the label, the second the temperature, and the others noise."""

    default_signature = "sample"
    sample = sample

    def __init__(self):
        super().__init__()
        self.edges |= {
            "x": Images((4,), -10.0, 10.0),
            "label": Labels(3, unknown=True, name="label"),
            "temperature": Number(0, 2, "temperature"),
        }
        self.traces = 0

    def noise(self, n, key):
        return tf.random.stateless_normal([n, 2], key)

    def from_noise(self, noise, label=-1, temperature=1.0):
        self.traces += 1
        labels = tf.cast(label, tf.float32)
        pixels = tf.stack([labels, temperature * tf.ones_like(labels)], axis=1)
        return tf.concat([pixels, noise * temperature], axis=1)


class Plain(GenerativeModel):
    """No conditions."""

    sample = sample

    def __init__(self):
        super().__init__()
        self.edges["x"] = Vectors((2,), "points")

    def noise(self, n, key):
        return tf.random.stateless_normal([n, 2], key)

    def from_noise(self, noise):
        return noise


class Filling(Plain):
    """The noise is added to an array, which must be given, and moved by one that need not."""

    default_signature = "sample"

    def __init__(self):
        super().__init__()
        self.edges["hidden"] = Vectors((2,), "hidden")
        self.edges["shift"] = Number(-9, 9, "shift")

    def from_noise(self, noise, hidden, shift=0.0):
        return noise + hidden + shift


def pixel(value):
    """What a number becomes as a pixel."""
    return np.round((np.asarray(value) + 10) * 12.75).astype("uint8")


LABEL = r"^label is -1: expected a class from 0 to 2\. Leave label out to sample any"
REFUSED = [
    # More numbers than 64 bits count: TensorFlow waits for 10 s for fewer that no memory holds.
    (2**62, {}, ValueError, rf"^n is {2**62}: expected .* fits in memory\."),
    (2, {"temperature": [0.5, 1.0]}, ValueError, r"re has shape \(2,\): expected a single number"),
    (1, {"label": 3}, ValueError, r"Labels .* from 3 to 3: .* in \[0, 2\]\.$"),
    *[
        (2, {"label": label}, ValueError, LABEL)
        for label in (-1, [0, -1], [np.int64(-1)], np.array([-1]), np.float32(-1))
    ],
    (2, {"label": tf.constant(-1)}, ValueError, LABEL),
    (2, {"label": [0, 1, 2]}, ValueError, r"label has 3 values for n=2: expected 1 or 2\."),
]


class TestSamples:
    def test_neither_number_nor_batch_size_shows(self):
        model = Painter()
        seven = model.sample(7, seed=3)
        for n in (1, 2, 5):
            np.testing.assert_array_equal(model.sample(n, seed=3), seven[:n])
        for batch_size in (1, 2, 3):
            np.testing.assert_array_equal(model.sample(7, seed=3, batch_size=batch_size), seven)
        assert model.traces == 1

    def test_conditions_have_their_defaults(self):
        model = Painter()
        found = {name: c.default for name, c in sample_conditions(model).items()}
        assert found == {"label": -1, "temperature": 1.0}
        assert model.signature_defaults() == {"sample": {"label": -1, "temperature": 1.0}}
        images = model.sample(50, seed=1)
        assert set(images[:, 0]) == set(pixel([0, 1, 2])) and set(images[:, 1]) == {pixel(1.0)}
        assert sample_conditions(Plain()) == {} and Plain().signature_defaults() == {"sample": {}}

    def test_a_condition_is_for_all(self):
        model = Painter()
        images = model.sample(5, seed=1, batch_size=2, label=2, temperature=0.5)
        assert set(images[:, 0]) == {pixel(2)} and set(images[:, 1]) == {pixel(0.5)}
        np.testing.assert_array_equal(
            model.sample(3, temperature=0)[:, 2:], pixel(np.zeros([3, 2]))
        )

    def test_a_class_may_be_given_for_each_example(self):
        labels = [2, 0, 0, 1, 0, 0, 2]
        images = Painter().sample(7, seed=1, batch_size=2, label=labels)
        free = Painter().sample(7, seed=1)
        np.testing.assert_array_equal(images[:, 0], pixel(labels))
        np.testing.assert_array_equal(images[:, 2:], free[:, 2:])
        np.testing.assert_array_equal(Painter().sample(2, label=[1])[:, 0], pixel([1, 1]))

    def test_a_model_draws_the_labels_that_are_not_given(self, monkeypatch):
        monkeypatch.setattr(Painter, "drawn_labels", lambda self, n, key, classes: tf.range(n) % 2)
        np.testing.assert_array_equal(Painter().sample(3, seed=1)[:, 0], pixel([0, 1, 0]))
        np.testing.assert_array_equal(Painter().sample(2, seed=1, label=2)[:, 0], pixel([2, 2]))

    @pytest.mark.parametrize("n,arguments,error,sentence", REFUSED)
    def test_bad_arguments_are_refused(self, n, arguments, error, sentence):
        with pytest.raises(error, match=sentence):
            Painter().sample(n, **arguments)

    def test_an_export_draws_the_same(self, tmp_path):
        model = Painter()
        exported = load(export(model, tmp_path, "painter"))
        specs = exported.inputs["sample"]
        assert {name: (s.dtype.name, s.shape.rank) for name, s in specs.items()} == {
            "label": ("int32", 0), "n": ("int32", 0), "seed": ("int32", 0),
            "temperature": ("float32", 0),
        }  # fmt: skip
        for seed, label, temperature in [(0, -1, 1.0), (2**31 - 1, 2, 0.5), (1, 0, 1.0)]:
            conditions = dict(label=label, temperature=temperature)
            served = exported("sample", seed=seed, n=3, **conditions)
            if label == -1:  # exports' default, any class
                del conditions["label"]
            np.testing.assert_array_equal(
                served["images"], model.sample(3, seed=seed, **conditions)
            )
        # Conditions that have usual values may be left out.
        usual = exported("sample", seed=1, n=2)["images"]
        np.testing.assert_array_equal(usual, model.sample(2, seed=1))
        usual = exported("serving_default", seed=1, n=2, label=2)["images"]
        np.testing.assert_array_equal(usual, model.sample(2, seed=1, label=2))
        limits = {"seed": [0, 2**31 - 1], "n": [1, MOST_SAMPLES], "temperature": [0, 2]}
        assert exported.metadata["limits"] == {"sample": limits}
        assert len(exported("sample", seed=1, n=MOST_SAMPLES)["images"]) == MOST_SAMPLES


class TestArraysAsConditions:
    def test_are_for_each_example_or_for_all(self, rng):
        model = Filling()
        hidden = rng.normal(size=(5, 2)).astype("float32")
        noise = model.sample(5, seed=1, hidden=np.zeros([1, 2]))
        drawn = model.sample(5, seed=1, hidden=hidden, batch_size=2, shift=3.0)
        np.testing.assert_allclose(drawn, noise + hidden + 3, rtol=1e-5)
        for_all = model.sample(5, seed=1, hidden=hidden[:1], batch_size=2)
        np.testing.assert_allclose(for_all, noise + hidden[:1], rtol=1e-5)

    def test_without_a_default_must_be_given(self):
        with pytest.raises(
            TypeError, match=r"Filling\.sample requires hidden: pass this condition"
        ):
            Filling().sample(2)
        with pytest.raises(ValueError, match=r"hidden has 3 values for n=2: expected 1 or 2\."):
            Filling().sample(2, hidden=np.zeros([3, 2]))

    def test_an_export_takes_them(self, rng, tmp_path):
        model = Filling()
        exported = load(export(model, tmp_path, "filling"))
        specs = exported.inputs["sample"]
        assert specs["hidden"].shape == [None, 2] and specs["shift"].shape == []
        assert model.signature_defaults() == {"sample": {"shift": 0.0}}
        for hidden in (rng.normal(size=(3, 2)), np.ones([1, 2])):
            served = exported("sample", seed=4, n=3, hidden=hidden.astype("float32"), shift=0.5)
            drawn = model.sample(3, seed=4, hidden=hidden, shift=0.5)
            np.testing.assert_array_equal(served["points"], drawn)
        refused = {2: r"has 2 values for n=3: expected 1 or 3\.$", 0: "contains 0 examples: ex"}
        for count, sentence in refused.items():
            with pytest.raises(ValueError, match=sentence):
                exported("sample", seed=4, n=3, hidden=np.ones([count, 2], "float32"))


def test_sequences_leave_models_and_exports_as_they_came(tmp_path):
    model = Repeater()
    sounds = MuLaw().restore(tf.constant([[[-1], [3], [200]], [[255], [0], [-1]]])).numpy()
    texts = np.array(["cab", ""], object)
    found = model.repeat(sounds, texts)
    assert found[0].dtype == np.int16 and found[1].tolist() == ["cab", ""]
    np.testing.assert_array_equal(found[0], sounds)
    exported = load(export(model, tmp_path, "repeater"))
    served = exported("repeat", waveforms=sounds, texts=texts)
    assert sorted(served) == ["output_texts", "output_waveforms"]
    assert served["output_waveforms"].dtype == np.int16
    np.testing.assert_array_equal(served["output_waveforms"], sounds)
    assert list(map(_text, served["output_texts"])) == ["cab", ""]


def _text(value):
    return value.decode() if isinstance(value, bytes) else value
