"""Capabilities: a method of arrays and a signature of tensors are one function."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.bases import Capable, Sampler, capability
from keras_gen.bases.edges import Images, Labels, Levels, Number, Texts, Vectors
from keras_gen.serving.export import export, load
from keras_gen.training import GenerativeModel

SHAPE = (2, 2, 1)


class Mixer(Capable, GenerativeModel):
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


@pytest.fixture
def arrays(rng):
    images = rng.integers(0, 256, (5, *SHAPE), "uint8")
    return images, rng.uniform(-0.5, 0.5, (5, 3)).astype("float32")


class TestMethods:
    def test_equal_their_signature(self, arrays):
        model = Mixer()
        function, specs = model.signatures()["mix"]
        assert [(s.name, s.dtype.name, s.shape.as_list()) for s in specs] == [
            ("images", "uint8", [None, *SHAPE]),
            ("latents", "float32", [None, 3]),
        ]
        served = tf.function(function, input_signature=specs)(*arrays)
        # Served results have the names under which clients know them.
        assert list(served) == ["images", "scores", "latents", "codes"]
        results = model.mix(*arrays)
        for result, (name, value) in zip(results, served.items(), strict=True):
            np.testing.assert_array_equal(result, value, err_msg=name)
        # Other numbers than those of an edge are float32 in Python.
        assert [r.dtype.name for r in results] == ["uint8", "float32", "float32", "uint8"]

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

    def test_uint8_that_comes_in_leaves_as_uint8(self):
        images = np.array([100, 127, 130, 255], "uint8").reshape(1, *SHAPE)
        doubled = Mixer().double(images)
        assert doubled.dtype == np.uint8
        # Twice the distance from the middle, which is 127.5.
        np.testing.assert_allclose(doubled.ravel(), [72.5, 126.5, 132.5, 255], atol=0.501)

    def test_a_wrong_number_of_arrays_is_refused(self, arrays):
        images, latents = arrays
        for wrong in ([], [images], [images, latents, latents]):
            with pytest.raises(TypeError, match="argument"):
                Mixer().mix(*wrong)

    @pytest.mark.parametrize("counts", [(5, 3), (1, 5), (0, 0)])
    def test_arrays_of_unequal_length_are_refused(self, arrays, counts):
        a, b = counts
        with pytest.raises(ValueError, match=f"mix got {a} images and {b} latents: expected at "):
            Mixer().mix(arrays[0][:a], arrays[1][:b])

    def test_arrays_may_be_given_by_name(self, arrays):
        images, latents = arrays
        model = Mixer()
        for one, other in zip(
            model.mix(latents=latents, batch_size=2, x=images),
            model.mix(images, latents),
            strict=True,
        ):
            np.testing.assert_array_equal(one, other)

    def test_what_an_edge_refuses_is_refused(self, arrays):
        with pytest.raises(ValueError, match="Images have values from 2 to 2"):
            Mixer().double(np.full([1, *SHAPE], 2.0))

    def test_they_look_like_methods(self):
        parameters = inspect.signature(Mixer().mix).parameters
        assert list(parameters) == ["x", "latents", "batch_size"]
        size = parameters["batch_size"]
        assert size.kind is inspect.Parameter.KEYWORD_ONLY and size.default == 256
        assert (
            Mixer.mix.__name__ == "mix" and Mixer.mix.__doc__ == "Returns one tensor of each kind."
        )

    def test_signatures_are_those_of_the_class(self):
        assert set(Mixer().signatures()) == {"mix", "read", "double"}
        signatures = Louder().signatures()
        assert set(signatures) == {"mix", "double"}
        function, _ = signatures["double"]
        assert set(function(tf.zeros([1, *SHAPE], tf.uint8))) == {"doubles"}


@keras.saving.register_keras_serializable("test_capabilities")
class Painter(Sampler, GenerativeModel):
    """Images whose first pixel is the label, the second the temperature, and the others noise."""

    default_signature = "sample"

    def __init__(self, network=None, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.edges |= {
            "x": Images((4,), -10.0, 10.0),
            "label": Labels(3, unknown=True, name="label"),
            "temperature": Number(0, 2, "temperature"),
        }
        self.traces = 0

    def noise(self, n, key):
        other = tf.random.experimental.stateless_fold_in(key, 1)
        return {
            "latents": tf.random.stateless_normal([n, 2], key),
            "labels": tf.random.stateless_uniform([n], other, 0, 3, tf.int32),
        }

    def from_noise(self, noise, label=-1, temperature=1.0):
        self.traces += 1
        labels = tf.cast(tf.where(label < 0, noise["labels"], label), tf.float32)
        latents = noise["latents"] * temperature
        pixels = tf.stack([labels, temperature * tf.ones_like(labels)], axis=1)
        return tf.concat([pixels, latents], axis=1)


class Plain(Sampler, GenerativeModel):
    """No conditions."""

    def __init__(self):
        super().__init__()
        self.edges["x"] = Vectors((2,), "points")

    def noise(self, n, key):
        return tf.random.stateless_normal([n, 2], key)

    def from_noise(self, noise):
        return noise


def pixel(value):
    """What a number becomes as a pixel."""
    return np.round((np.asarray(value) + 10) * 12.75).astype("uint8")


class TestSamples:
    def test_follow_their_seed(self):
        model = Plain()
        first = model.sample(7, seed=1)
        assert first.shape == (7, 2) and first.dtype == np.float32
        np.testing.assert_array_equal(model.sample(7, seed=1), first)
        drawn = [first, model.sample(7, seed=2), model.sample(7), model.sample(7, seed=None)]
        drawn += [model.sample(7, seed=2**31 - 1), model.sample(7, seed=0)]
        assert len({d.tobytes() for d in drawn}) == len(drawn)
        assert len(np.unique(first[:, 0])) == 7

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
        assert {name: c.default for name, c in model.conditions().items()} == {
            "label": -1,
            "temperature": 1.0,
        }
        assert model.signature_defaults() == {"sample": {"label": -1, "temperature": 1.0}}
        images = model.sample(50, seed=1)
        assert set(images[:, 0]) == set(pixel([0, 1, 2])) and set(images[:, 1]) == {pixel(1.0)}
        assert Plain().conditions() == {} and Plain().signature_defaults() == {"sample": {}}

    def test_a_condition_is_for_all(self):
        model = Painter()
        images = model.sample(5, seed=1, batch_size=2, label=2, temperature=0.5)
        assert set(images[:, 0]) == {pixel(2)} and set(images[:, 1]) == {pixel(0.5)}
        np.testing.assert_array_equal(
            model.sample(3, temperature=0)[:, 2:], pixel(np.zeros([3, 2]))
        )

    def test_a_class_may_be_given_for_each_example(self):
        labels = [2, 0, 1, -1, 2]
        images = Painter().sample(5, seed=1, batch_size=2, label=labels)
        free = Painter().sample(5, seed=1)
        expected = [*pixel(labels[:3]), free[3, 0], pixel(2)]
        np.testing.assert_array_equal(images[:, 0], expected)
        np.testing.assert_array_equal(images[:, 2:], free[:, 2:])
        np.testing.assert_array_equal(Painter().sample(2, label=[1])[:, 0], pixel([1, 1]))

    def test_bad_arguments_are_refused(self):
        model = Painter()
        with pytest.raises(ValueError, match="n is 0: draw at least 1"):
            model.sample(0)
        with pytest.raises(TypeError, match=r"no condition 'class_': it has label, temperature\.$"):
            model.sample(1, class_=2)
        with pytest.raises(
            TypeError, match=r"Plain\.sample has no condition 'label': it has none\."
        ):
            Plain().sample(1, label=2)
        with pytest.raises(ValueError, match=r"Labels have values from 3 to 3: .* in \[-1, 2\]"):
            model.sample(1, label=3)
        with pytest.raises(TypeError, match="Labels have dtype float32"):
            model.sample(1, label=1.5)
        with pytest.raises(
            ValueError, match=r"temperature have .* 2\.5: expected a number in \[0, 2\]"
        ):
            model.sample(1, temperature=2.5)
        with pytest.raises(ValueError, match=r"There are 3 label for n=2: give one, or 2\."):
            model.sample(2, label=[0, 1, 2])

    def test_an_export_draws_the_same(self, tmp_path):
        model = Painter()
        exported = load(export(model, tmp_path, "painter"))
        specs = exported.inputs["sample"]
        assert {name: (s.dtype.name, s.shape.rank) for name, s in specs.items()} == {
            "label": ("int32", 0), "n": ("int32", 0), "seed": ("int32", 0),
            "temperature": ("float32", 0),
        }  # fmt: skip
        for seed, label, temperature in [(0, -1, 1.0), (2**31 - 1, 2, 0.5)]:
            conditions = dict(label=label, temperature=temperature)
            served = exported("sample", seed=seed, n=3, **conditions)
            np.testing.assert_array_equal(
                served["images"], model.sample(3, seed=seed, **conditions)
            )
