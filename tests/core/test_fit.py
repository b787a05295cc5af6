"""What `fit` is given: refused in one sentence, put in order by name, and looked at first."""

import re
import types

import h5py
import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import keras_gen
from all_tiny import TINY
from keras_gen.core import GenerativeModel, NonFiniteLossError, minimize, require, training_step
from keras_gen.core.fit import Call
from keras_gen.core.kinds_of_data import Images, Labels, Vectors
from keras_gen.data import Source, unpaired
from shared import slope

LEVELS = np.arange(0, 256, 17, dtype="uint8").reshape(4, 2, 2, 1)
FLOATS = LEVELS.astype("float32")
INSIDE = FLOATS / 127.5 - 1
ONE = np.ones([2, 1], "float32")


class Seeing(GenerativeModel):
    """Keeps the batches that a step got."""

    def __init__(self, *batch, low=-1.0):
        super().__init__()
        self.batch = batch or ("x",)
        self.edges = {name: Images((2, 2, 1), low, name=f"{name} images") for name in "xy"}
        self.edges["labels"] = Labels(3)
        self.seen_batches = []
        self.compile(run_eagerly=True)

    networks = property(lambda self: {})

    def arguments(self):
        return []

    def players(self):
        return {}

    def train_step(self, data):
        self.seen_batches.append({k: v.numpy() for k, v in self.prepare_batch(data).items()})
        return self.report(loss=tf.zeros([2]))

    test_step = train_step


def seen(model, *args, use="fit", **kwargs):
    """The parts of all batches, each by name, in order."""
    model.seen_batches.clear()
    getattr(model, use)(*args, verbose=0, **kwargs)
    names = model.seen_batches[0]
    return {name: np.concatenate([b[name] for b in model.seen_batches]) for name in names}


def dataset(*parts):
    return tf.data.Dataset.from_tensor_slices(parts if len(parts) > 1 else parts[0]).batch(2)


class PyData(keras.utils.PyDataset):
    def __init__(self, array):
        super().__init__()
        self.array = array

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return (self.array[2 * index : 2 * index + 2],)


def refused(use, *args, **kwargs):
    """The one sentence that a call raises."""
    with pytest.raises((TypeError, ValueError)) as caught:
        getattr(Seeing(), use)(*args, **kwargs)
    text = str(caught.value)
    assert "\n" not in text and len(text) < 300 and text.endswith("."), text
    return text


# What is given as x.
NO_EXAMPLES = [
    (None, "Seeing got no data for x: expected arrays, a tf.data.Dataset"),
    ([], "got no data for x"),
    (3, "got x of type int"),
    ([[1, 2], [3]], "got x of type int"),
    (np.array(["a", "b"]), "got x as an array of strings"),
    (np.array([[1], [2, 3]], object), "an array of Python objects, which cannot be stacked"),
    (np.array(["2020-01-01"], "datetime64[D]"), "got x as an array of dates: expected numbers"),
    (np.array([1], "timedelta64[s]"), "got x as an array of durations: expected numbers"),
    (np.zeros(2, [("a", "f4"), ("b", "f4")]), "got x as an array of records with several fields"),
    (tf.ragged.constant([[1], [2, 3]]), "a ragged tensor as x, whose examples differ"),
    (LEVELS[:0], "got no examples"),
    ({"x": LEVELS[:0]}, "got no examples"),
    ({}, "got no data for x"),
    (list(LEVELS), "got 4 arrays in a batch: expected 1. .* stack a list of examples"),
    (dict(pixels=LEVELS), r"trains on x \(x images\), but got the names pixels"),
]
NUMBERS = [
    ("batch_size", 0),
    ("batch_size", 2.5),
    ("epochs", 0),
    ("steps_per_epoch", 600.0),
    ("initial_epoch", -1),
    ("validation_steps", 0),
    ("validation_split", 1.5),
]
ONES = np.ones(4)
ARGUMENTS = [
    ("fit", [LEVELS], dict(lr=1), "fit accepts .* unexpected keyword argument 'lr'"),
    ("fit", [LEVELS, None, 2, 0], {}, r"^epochs is 0: expected an integer of at least 1\.$"),
    # The twelfth argument of `fit`, and the fifth of `evaluate`.
    ("fit", [LEVELS, *[None] * 2, 1, 0, None, 0.0, None, True, None, ONES], {}, "sample_weight"),
    ("evaluate", [LEVELS, None, None, 0, ONES], {}, "got sample_weight"),
    ("fit", [LEVELS, []], {}, "Seeing got no data for y: expected"),
    ("fit", [LEVELS], dict(validation_data=3), "validation_data of Seeing got x of type int"),
    ("fit", [LEVELS], dict(validation_split=1), "^validation_split is 1: expected a fraction"),
    ("fit", [LEVELS], dict(initial_epoch=None), "^initial_epoch is None: expected an integer"),
    (
        "fit",
        [LEVELS],
        dict(validation_freq=0),
        "^validation_freq is 0: expected an integer of at least 1",
    ),
    ("fit", [LEVELS], dict(validation_freq=None), "^validation_freq is None: expected an integer"),
    ("fit", [LEVELS], dict(validation_data=[]), "validation_data of Seeing got no data for x"),
    (
        "fit",
        [PyData(LEVELS)],
        dict(validation_split=0.5),
        "is 0.5, but x is a PyData: expected arr",
    ),
    ("fit", [Source(LEVELS)], dict(validation_split=0.01), "which holds out 0 of .*: expected at"),
    ("fit", [LEVELS], dict(validation_split=0.999), "is 0.999 for 4 examples: .* leaves at least"),
    (
        "fit",
        [LEVELS],
        dict(batch_size=10**30),
        "batch_size is 1000.*: expected an integer of at most 2",
    ),
    ("fit", [LEVELS], dict(verbose="x"), "verbose is 'x': expected 'auto', 0, 1, or 2"),
    ("predict", [None], {}, "Seeing got no data for x"),
    *[
        (use, [LEVELS], dict(callbacks=[keras.callbacks.TerminateOnNaN]), r"OnNaN\(\.\.\.\)\.$")
        for use in ("fit", "evaluate", "predict")
    ],
]


class TestRefusals:
    @pytest.mark.parametrize("x,found", NO_EXAMPLES)
    def test_what_holds_no_examples(self, x, found):
        assert re.search(found, refused("fit", x))

    @pytest.mark.parametrize("name,value", NUMBERS)
    def test_numbers(self, name, value):
        found = refused("fit", LEVELS, **{name: value})
        assert found.startswith(f"{name} ") and repr(value) in found

    @pytest.mark.parametrize("use,args,kwargs,found", ARGUMENTS)
    def test_arguments_by_place_are_those_by_name(self, use, args, kwargs, found):
        assert re.search(found, refused(use, *args, **kwargs))

    @pytest.mark.parametrize("empty", [True, False])
    def test_no_batch(self, empty):
        """Keras would end silently."""
        dataset = tf.data.Dataset.from_tensor_slices(LEVELS)
        rest = dataset.take(0).batch(2) if empty else dataset.batch(8, drop_remainder=True)
        for x in (rest, iter(list(rest))):
            assert "contains no batch" in refused("fit", x)
        assert "contains no batch" in refused("fit", LEVELS, validation_data=rest)

    def test_an_empty_batch(self):
        assert "A batch has no examples: expected" in refused("fit", iter([LEVELS, LEVELS[:0]]))

    @pytest.mark.parametrize(
        "endless",
        [
            Source(LEVELS).stream(2),
            Source(LEVELS).stream(2, augment=lambda image, seed: image),
            unpaired(Source(LEVELS), Source(LEVELS), 2),
            dataset(LEVELS).repeat(),
        ],
    )
    def test_examples_without_end(self, endless):
        found = refused("fit", endless)
        assert "infinite" in found and "steps_per_epoch=100" in found
        found = refused("fit", LEVELS, validation_data=endless)
        assert found.startswith("validation_data of Seeing got an infinite dataset")
        assert "infinite" in refused("evaluate", endless)


class TestOrder:
    def test_dicts_go_by_name_and_not_by_the_alphabet(self):
        model = Seeing("y", "x")
        parts = {"x": LEVELS, "y": LEVELS[::-1]}
        for data in (parts, dataset(parts), {"y images": parts["y"], "x images": parts["x"]}):
            found = seen(model, data, shuffle=False)
            assert list(found) == ["y", "x"]
            np.testing.assert_allclose(found["x"], INSIDE, atol=1e-6)
            np.testing.assert_allclose(found["y"], INSIDE[::-1], atol=1e-6)

    @pytest.mark.parametrize(
        "data", [{"x": LEVELS}, {"x": LEVELS, "y": LEVELS, "z": LEVELS}, ({"x": LEVELS}, LEVELS)]
    )
    def test_other_names_are_refused(self, data):
        with pytest.raises(ValueError, match=r"x \(x images\), y \(y images\), but got the names"):
            Seeing("x", "y").prepare_batch(data)


LABELS = [
    np.arange(4) % 3,
    (np.arange(4) % 3)[:, None],
    np.eye(4, 3, dtype="float32"),
    np.zeros((4, 1), "float32"),
]


class TestSecondExamples:
    @pytest.mark.parametrize("labels", LABELS)
    def test_labels_are_left_aside(self, labels):
        assert list(seen(Seeing(), LEVELS, labels)) == ["x"]

    def test_labels_are_left_aside_by_models_of_vectors(self):
        vectors = TINY["Flow"]
        x = np.zeros((2, 2), "float32")
        named = vectors.build(0).named_parts((x, np.array([[1], [2]])))
        assert list(named) == ["x"]

    def test_x_itself_is_left_out(self):
        assert list(seen(Seeing(), LEVELS, LEVELS)) == ["x"]
        assert list(seen(Seeing(), dataset(LEVELS, LEVELS))) == ["x"]

    def test_others_are_refused(self):
        for data in ((LEVELS, LEVELS[::-1]), (dataset(LEVELS, LEVELS[::-1]),)):
            with pytest.raises(
                ValueError, match=r"^Seeing does not use y, but got a y that differs from x"
            ):
                Seeing().fit(*data, verbose=0)

    @pytest.mark.thorough
    def test_a_compiled_step_refuses_them(self):
        model = TINY["GAN"].compiled()
        images = big(LEVELS)
        with pytest.raises(
            ValueError, match=r"^GAN does not use y, but got a y that differs from x"
        ):
            model.fit(images, images[::-1], verbose=0)
        assert model.step.numpy() == 0

    @pytest.mark.thorough
    @pytest.mark.parametrize("name", ["Autoencoder", "DenoisingAutoencoder"])
    def test_autoencoders_train_on_pairs(self, name):
        model = TINY[name].compiled()
        (noisy,) = TINY[name].data()
        clean = noisy[::-1]
        on_pairs = model.evaluate(noisy, clean, verbose=0, return_dict=True)
        on_itself = model.evaluate(noisy, noisy, verbose=0, return_dict=True)
        assert on_itself == model.evaluate(noisy, verbose=0, return_dict=True)
        assert on_pairs["loss"] != pytest.approx(on_itself["loss"], rel=1e-3)
        x = model.prepare(noisy)
        target = model.prepare(clean)
        with training_step(model):
            seen = model.corrupt(x) if name == "DenoisingAutoencoder" else x
            nats = model.reconstruction(model.encoded(seen)[0], target)
            terms = model.terms({"x": x, "target": target})
        np.testing.assert_allclose(terms["reconstruction"], nats, rtol=1e-6)


def big(images):
    """Images as large as the tiny GAN's."""
    return np.tile(images, [2, 4, 4, 1])


def generator(array):
    return (array[i : i + 2] for i in (0, 2))


class TestFirstBatch:
    @pytest.mark.thorough
    @pytest.mark.parametrize("low", [-1.0, 0.0])
    @pytest.mark.parametrize("kind", [np.asarray, dataset, generator, PyData])
    def test_floats_up_to_255_are_levels(self, kind, low):
        expected = seen(Seeing(low=low), LEVELS, shuffle=False)["x"]
        model = Seeing(low=low)
        found = seen(model, kind(FLOATS), shuffle=False, batch_size=2, steps_per_epoch=2)["x"]
        np.testing.assert_allclose(found, expected, atol=1e-6)
        # Floats in the range are taken as they are again, and so are levels.
        inside = FLOATS / 255 * (1 - low) + low
        np.testing.assert_allclose(seen(model, inside, shuffle=False)["x"], expected, atol=1e-6)
        np.testing.assert_allclose(seen(model, LEVELS, shuffle=False)["x"], expected, atol=1e-6)

    def test_it_is_said_once(self, capsys):
        model = Seeing()
        for _ in range(2):
            model.fit(FLOATS, verbose=2)
        said = "x: interpreting values as uint8 or floats in [0, 255], which are scaled to [-1, 1]"
        assert capsys.readouterr().out.count(said) == 1

    def test_a_compiled_step_reads_the_edge_again(self):
        model = TINY["VAE"].compiled()
        (images,) = TINY["VAE"].data()
        expected = model.evaluate(images, verbose=0)
        found = model.evaluate(images.astype("float32"), verbose=0)
        assert found == pytest.approx(expected, rel=1e-5)
        inside = model.prepare(images).numpy()
        assert model.evaluate(inside, verbose=0) == pytest.approx(expected, rel=1e-5)

    def test_a_single_batch_has_the_range_of_the_last_fit(self):
        model = Seeing()
        model.fit(FLOATS, verbose=0)
        for use in (model.train_on_batch, model.test_on_batch):
            for right in (FLOATS, LEVELS):
                use(right)
                np.testing.assert_allclose(model.seen_batches[-1]["x"], INSIDE, atol=1e-6)
            for wrong in (INSIDE, 0 * FLOATS):  # one batch may be black
                with pytest.raises(ValueError, match=r"different range than .* in \[0, 255\]"):
                    use(wrong)
        model.evaluate(INSIDE, verbose=0)
        model.test_on_batch(INSIDE)
        np.testing.assert_allclose(model.seen_batches[-1]["x"], INSIDE, atol=1e-6)
        with pytest.raises(ValueError, match=r"different range than .* floats in \[-1, 1\]"):
            model.train_on_batch(FLOATS)

    def test_later_floats_beyond_255_are_refused(self):
        later = np.concatenate([FLOATS, FLOATS + 1])
        with pytest.raises(ValueError, match=r"to 256: expected uint8 or floats in \[0, 255\]"):
            Seeing().fit(dataset(later), verbose=0)

    @pytest.mark.parametrize("factor", [2 / 255, 15 / 255, 256 / 255, -1.0])
    def test_other_floats_are_no_levels(self, factor):
        with pytest.raises(ValueError, match=r"mages range from .* expected floats in \[-1, 1\]"):
            Seeing().fit(FLOATS * factor, verbose=0)

    def test_validation_data_are_in_the_same_range(self):
        model = Seeing()
        both = seen(model, FLOATS, shuffle=False, validation_data=dataset(FLOATS))["x"]
        np.testing.assert_allclose(both, np.tile(INSIDE, [2, 1, 1, 1]), atol=1e-6)
        seen(model, FLOATS, validation_data=LEVELS)
        seen(model, LEVELS, validation_data=(FLOATS, None))
        with pytest.raises(ValueError, match="x of validation_data has a different range"):
            model.fit(FLOATS, validation_data=INSIDE, verbose=0)
        count = len(model.seen_batches)
        for held_out in (LEVELS[:, :1], np.full_like(INSIDE, np.nan)):  # found before any training
            with pytest.raises(ValueError, match=r"^X images (have shape|range from nan)"):
                model.fit(INSIDE, validation_data=(held_out, None), verbose=0)
        assert len(model.seen_batches) == count

    def test_gray_where_black_is_meant(self):
        with pytest.warns(
            UserWarning, match="floats from 0 to 1, but this model expects black at -1"
        ) as one:
            Seeing().fit(FLOATS / 255, verbose=0)
        assert one[0].filename == __file__  # the user's line, and not the library's
        Seeing(low=0.0).fit(FLOATS / 255, verbose=0)

    def test_bits_as_levels(self):
        for low in (-1.0, 0.0):
            with pytest.warns(
                UserWarning, match="uint8 with values 0 and 1.* multiply the values by 255"
            ):
                Seeing(low=low).fit(LEVELS // 255, verbose=0)
        Seeing().fit(LEVELS * 0, verbose=0)

    def test_a_generator_is_used_up_once(self):
        found = seen(Seeing(), generator(LEVELS), steps_per_epoch=2)["x"]
        np.testing.assert_allclose(found, INSIDE, atol=1e-6)


class TestSources:
    """What `image_folder` and its kin return is given to `fit` as it is."""

    @pytest.fixture
    def model(self):
        return Seeing()

    def test_an_epoch_has_every_example_once_shuffled(self, model):
        source = Source(LEVELS)
        x = seen(model, source, batch_size=2, epochs=2)["x"]
        first, second = x[:4], x[4:]
        for epoch in (first, second):
            found = np.sort(epoch.reshape(4, -1)[:, 0])
            np.testing.assert_allclose(found, INSIDE.reshape(4, -1)[:, 0], atol=1e-6)
        later = seen(model, source, batch_size=2, epochs=2, initial_epoch=1)["x"]
        np.testing.assert_array_equal(later, second)

    def test_batches_are_no_larger_than_the_source(self, model):
        assert len(seen(model, Source(LEVELS))["x"]) == 4

    def test_in_order(self, model):
        for options in (dict(shuffle=False), dict(use="evaluate")):
            x = seen(model, Source(LEVELS), batch_size=3, **options)["x"]
            np.testing.assert_allclose(x, INSIDE, atol=1e-6)

    def test_validation(self, model):
        history = model.fit(Source(LEVELS), validation_data=Source(LEVELS), verbose=0)
        assert history.history["val_loss"] == [0.0]


def test_names_that_are_whole_numbers_are_in_their_own_order():
    names = ["10", "9", "0", "9"]
    for data in ([LEVELS, names], [{"x": LEVELS, "labels": names}], [[LEVELS, names]]):
        model = Seeing("x", "labels")
        found = seen(model, *data, shuffle=False)
        assert model.class_names == ("0", "9", "10") and found["labels"].tolist() == [2, 1, 0, 1]


class Interrupts(keras.callbacks.Callback):
    """Ends `fit` at one of its events."""

    def __init__(self, event):
        super().__init__()
        setattr(self, event, self.interrupt)

    def interrupt(self, *args, **kwargs):
        raise KeyboardInterrupt


def rows(count, seed=0):
    return np.random.default_rng(seed).normal(5.0, 2.0, (count, 2)).astype("float32")


FRAME = pd.DataFrame(1000 * rows(8), columns=["a", "b"])
REFUSED = {
    "validation of another shape": (
        ValueError,
        dict(x=1000 * rows(8), validation_data=(np.zeros((2, 3), "float32"), None)),
    ),
    "validation without an end": (
        ValueError,
        dict(x=1000 * rows(8), validation_data=dataset(rows(8)).repeat()),
    ),
    "NaN": (ValueError, dict(x=np.full((8, 2), np.nan, "float32"))),
    "masked": (ValueError, dict(x=np.ma.masked_greater(rows(8), 5.0))),
    "masked in a generator": (
        ValueError,
        dict(x=iter([rows(4), np.ma.masked_greater(rows(4), 5.0)]), steps_per_epoch=2),
    ),
    "masked validation": (
        ValueError,
        dict(x=rows(8), validation_data=(np.ma.masked_greater(rows(8), 5.0), None)),
    ),
    "callback": (TypeError, dict(x=1000 * rows(8), callbacks=[3])),
    "unknown argument": (TypeError, dict(x=1000 * rows(8), steps=3)),
    "interrupted": (KeyboardInterrupt, dict(x=FRAME, callbacks=[Interrupts("on_train_begin")])),
    "interrupted in the first batch": (
        KeyboardInterrupt,
        dict(x=1000 * rows(8), callbacks=[Interrupts("on_train_batch_begin")]),
    ),
}


# One class for all cases, and all ways to standardize for one case.
UNDONE = [("VAE", case) for case in REFUSED]
UNDONE += [(name, "interrupted") for name in ("Autoencoder", "Flow", "FlowMatching", "GAN")]


@pytest.mark.thorough
@pytest.mark.parametrize("name,case", UNDONE)
def test_a_fit_without_a_step_leaves_the_model_as_it_was(name, case):
    """Else the next one would train in units of data that were never trained on."""
    sizes = dict(width=4, blocks=1) if name == "FlowMatching" else dict(hidden=(4,))
    model = getattr(keras_gen, name).for_vectors(2, **sizes)
    model.compile(run_eagerly=True)
    before = model.get_weights()
    error, arguments = REFUSED[case]
    with pytest.raises(error):
        model.fit(**arguments, batch_size=None if "steps_per_epoch" in arguments else 4, verbose=0)
    edge = model.edges["x"]
    assert not edge.adapted and edge.columns == () and model.step.numpy() == 0
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    model.fit(rows(8), batch_size=8, verbose=0)
    np.testing.assert_allclose(edge.mean.numpy(), rows(8).mean(axis=0), rtol=1e-6)


def test_units_stay_when_a_step_was_taken():
    model = keras_gen.VAE.for_vectors(2, hidden=(4,))
    model.compile(run_eagerly=True)
    with pytest.raises(KeyboardInterrupt):
        model.fit(FRAME, callbacks=[Interrupts("on_train_batch_end")], verbose=0)
    assert model.edges["x"].adapted and model.edges["x"].columns == ("a", "b")


@pytest.mark.parametrize("use", ["fit", "evaluate"])
def test_edges_that_a_refused_call_has_seen_are_forgotten(use):
    model = Seeing("x", "labels")
    names = np.array(["cat", "dog", "eel", "cat"])
    with pytest.raises(ValueError, match=r"^labels have 3 columns|expected \[batch\]|lacks|shape"):
        getattr(model, use)(FLOATS, np.eye(4, 3, dtype="int32"), verbose=0)
    assert not model.training_edges
    with pytest.raises(ValueError, match="arrays of 3 and 4 examples"):
        model.fit(FLOATS[:3], names, verbose=0)
    assert model.class_names == ()


def test_numbers_that_float32_rounds_train_by_their_digits():
    """64 times in seconds since 1970, of which float32 tells 50 apart."""
    times = np.stack([1.7e9 + 100 * np.arange(64), np.arange(64)], axis=1)
    assert len(np.unique(times[:, 0].astype("float32"))) == 50
    model = keras_gen.VAE.for_vectors(2, hidden=(4,))
    model.compile(run_eagerly=True)
    trained = []
    model.terms = lambda batch: trained.append(batch["x"]) or type(model).terms(model, batch)
    model.fit(times, batch_size=16, verbose=0)
    expected = (times - times.mean(axis=0)) / times.std(axis=0)
    found = np.sort(np.concatenate(trained), axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    trained.clear()
    model.fit(times, batch_size=16, validation_split=0.25, verbose=0)
    np.testing.assert_allclose(np.sort(np.concatenate(trained), axis=0), expected, rtol=1e-5)
    trained.clear()
    model.evaluate(times, batch_size=16, verbose=0)
    np.testing.assert_allclose(np.concatenate(trained), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("source", [False, True])
def test_units_are_those_of_all_rows(source):
    """An epoch of a source has whole batches alone, one of arrays has the others too."""
    times = 1.7e9 + np.random.default_rng(0).uniform(0, 100, (63, 2))
    times[31:] += 5000
    model = keras_gen.VAE.for_vectors(2, hidden=(4,))
    model.compile(run_eagerly=True)
    model.fit(Source(times) if source else times, epochs=2, verbose=0)
    assert model.step.numpy() == (2 if source else 4)
    np.testing.assert_allclose(model.edges["x"].mean.numpy(), times.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(model.edges["x"].deviation.numpy(), times.std(axis=0))


def test_units_before_the_first_fit():
    model = keras_gen.VAE.for_vectors(2, hidden=(4,))
    model.compile(run_eagerly=True)
    for use in (model.evaluate, model.predict, model.test_on_batch):
        with pytest.warns(
            UserWarning,
            match="^VAE has not been trained: until fit has seen the data, its values .x. are",
        ):
            use(rows(4))
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"^VAE does not know .* of x yet, .* Call fit first, or"):
        model.train_on_batch(rows(4))
    with pytest.raises(ValueError, match=r"generator of more than 1000 batches as x, .*_epoch=100"):
        model.fit(iter(lambda: (rows(4),), None), verbose=0)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    model.edges["x"].adapt([rows(4)])
    model.train_on_batch(rows(4))
    assert model.step.numpy() == 1
    model.run_eagerly = False
    for use in (model.train_on_batch, model.test_on_batch):
        with pytest.raises(ValueError, match=r"^Vectors have nan in column 1 of batch row 3, "):
            use(np.where(np.arange(8).reshape(4, 2) == 7, np.nan, rows(4)))


def test_a_list_of_callbacks_of_keras():
    history = Seeing().fit(LEVELS, callbacks=keras.callbacks.CallbackList([]), verbose=0).history
    assert history["loss"] == [0.0]


def test_files_of_h5py(tmp_path):
    model = keras_gen.VAE.for_vectors(2, hidden=(4,))
    model.compile(run_eagerly=True)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["numbers"] = rows(8)
        for use in (model.fit, model.evaluate):
            with pytest.raises(
                ValueError, match=r"h5py\.File as x: .*such as file\['numbers'\]\.$"
            ):
                use(file, verbose=0)
            use(file["numbers"], verbose=0)
        np.testing.assert_array_equal(model.score(file["numbers"]), model.score(rows(8)))


class Steep(GenerativeModel):
    """Minimizes w x; once `steep`, with a loss that stays finite and a gradient that does not."""

    def __init__(self):
        super().__init__()
        ones = dict(use_bias=False, kernel_initializer="ones")
        layers = [keras.Input((1,)), keras.layers.Dense(1, **ones)]
        self.network = keras.Sequential(layers, name="slope")
        self.edges["x"] = Vectors((1,))
        self.steep = tf.Variable(0.0)

    @property
    def networks(self):
        return {"network": self.network}

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]

        def slope_loss():
            y = tf.reduce_sum(self.network(x), -1)
            return y + self.steep * tf.sqrt(tf.abs(y - tf.stop_gradient(y)))

        return self.report(loss=minimize(slope_loss, self.optimizer, self.network))


class Prepared(Call):
    """A call of any function, whose data are not looked at."""

    def prepare(self):
        pass


def bad_loss():
    tf.debugging.check_numerics(float("nan"), "keras_gen: not finite: g_loss")


class TestPlainErrors:
    def test_an_optimizer_is_left_as_it_is_and_weights_as_they_were_trained(self):
        """Keras would put the averages in the weights' place when `fit` ends."""
        model = Steep()
        optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
        model.compile(optimizer=optimizer, run_eagerly=True)
        before = set(vars(optimizer))
        model.fit(ONE, epochs=2, verbose=0)
        assert slope(model.network) == pytest.approx(0.8) and set(vars(optimizer)) == before

    def test_a_scheduler_of_keras_works_on_one_optimizer(self):
        rates = [0.1, 0.2, 0.05]
        model = Steep()
        model.compile(optimizer=keras.optimizers.SGD(0.1), run_eagerly=True)
        scheduler = keras.callbacks.LearningRateScheduler(rates.__getitem__)
        logs = model.fit(ONE, epochs=3, verbose=0, callbacks=[scheduler]).history
        # The gradient is 1.
        assert slope(model.network) == pytest.approx(1 - sum(rates))
        assert logs["learning_rate"] == pytest.approx(rates)

    @pytest.mark.parametrize("run_eagerly", [True, False], ids=["eager", "graph"])
    def test_a_gradient_that_is_not_finite(self, run_eagerly):
        model = Steep()
        model.compile(optimizer=keras.optimizers.SGD(0.1), run_eagerly=run_eagerly)
        model.fit(ONE, verbose=0)
        model.steep.assign(1.0)
        with pytest.raises(NonFiniteLossError) as caught:
            model.fit(ONE, verbose=0)
        assert str(caught.value) == (
            "slope_loss's gradient was not finite at step 1, so no trainable weight was changed. "
            "Last good checkpoint: none. Lower the learning rate, or look for bad values in the "
            "data."
        )
        assert slope(model.network) == pytest.approx(0.9) and model.step.numpy() == 1

    def test_what_moved_before_is_said_where_a_step_has_two_players(self):
        sentence = (
            r"^g_loss was not .* so its weights were not changed, but networks updated earlier"
        )
        with pytest.raises(NonFiniteLossError, match=sentence):
            Prepared(TINY["GAN"].compiled(), bad_loss, (), {}).run()

    def test_the_last_checkpoint_is_named(self):
        call = Prepared(Steep(), bad_loss, (), {})
        call.states = [
            types.SimpleNamespace(latest=None, release=lambda: None),
            types.SimpleNamespace(latest="state-7.npz", release=lambda: None),
        ]
        with pytest.raises(NonFiniteLossError, match=r"^g_loss was .* checkpoint: state-7\.npz\. "):
            call.run()

    @pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
    def test_bad_input(self, graph):
        def check(value):
            with tf.control_dependencies(
                [require(value < 3, "It is {}, and {} [least].", value, 3)]
            ):
                return tf.identity(value)

        check = tf.function(check) if graph else check
        with pytest.raises(ValueError, match=r"^It is 4, and 3 \[least\]\.$"):
            Prepared(Steep(), lambda value: check(value), (tf.constant(4),), {}).run()


def test_a_single_batch_is_not_trained_on_after_layers_were_frozen():
    model = keras_gen.VAE.for_vectors(2, hidden=(4,), standardize=False)
    model.compile(run_eagerly=True)
    model.train_on_batch(rows(4))
    before = model.get_weights()
    model.encoder.trainable = False
    with pytest.raises(ValueError, match="was frozen after compile"):
        model.train_on_batch(rows(4))
    with pytest.raises(ValueError, match="masked array that hides 2 of its values"):
        model.test_on_batch(np.ma.array(rows(4), mask=[[True, False]] * 2 + [[False] * 2] * 2))
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_random_part_of_a_source_is_held_out():
    """A folder is sorted by class, so that its last examples would be of one class."""
    images = np.arange(20, dtype="uint8")[:, None, None, None] * np.ones((2, 2, 1), "uint8")
    model = Seeing()
    model.fit(Source(images), batch_size=5, validation_split=0.25, verbose=0)
    batches = [np.round(127.5 * each["x"][:, 0, 0, 0] + 127.5) for each in model.seen_batches]
    trained, held_out = np.concatenate(batches[:3]), np.concatenate(batches[3:])
    assert sorted(np.concatenate([trained, held_out])) == list(range(20))
    assert len(held_out) == 5 and sorted(held_out) != list(range(15, 20))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (dict(epochs=3, batch_size=2), "VAE trains for 6 steps on 4 images: published runs used 5"),
        (dict(epochs=2, steps_per_epoch=1, batch_size=4), "VAE trains for 2 steps on 4 images: "),
        (dict(epochs=2, validation_split=0.5, batch_size=2), "trains for 2 steps on 2 images"),
        (dict(verbose=0), ""),
    ],
)
@pytest.mark.parametrize("source", [False, True])
def test_a_short_training_on_few_images_names_the_published_steps(capsys, options, says, source):
    model = keras_gen.VAE.for_images((4, 4, 1), latent_dim=2, filters=(2,))
    model.compile(run_eagerly=True)
    images = np.zeros((4, 4, 4, 1), "uint8")
    model.fit(Source(images) if source else images, **{"verbose": 2} | options)
    printed = capsys.readouterr().out
    assert says in printed if says else "published" not in printed


def test_a_short_training_on_few_rows_names_no_published_steps(capsys):
    model = keras_gen.VAE.for_vectors(2, hidden=(4,))
    model.compile(run_eagerly=True)
    model.fit(np.random.default_rng(0).normal(size=(4, 2)), verbose=2)
    assert "published" not in capsys.readouterr().out
