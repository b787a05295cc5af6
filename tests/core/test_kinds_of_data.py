"""Edges: what each kind of data takes, what it becomes, and what it refuses in one sentence."""

import re

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.arguments import checked_names
from keras_gen.core.kinds_of_data import (
    Characters,
    Choice,
    Counts,
    Images,
    Labels,
    Levels,
    MuLaw,
    Number,
    Texts,
    Vectors,
    Waveforms,
    missing_pixels,
)
from keras_gen.data import table_columns
from keras_gen.messages import refusal

NAN = float("nan")
STRING = tf.TensorSpec([], tf.string)
WORDS = ["cat", "dog", "fish"]


def spec(edge, inner=False):
    found = edge.inner_spec() if inner else edge.spec()
    return found.shape.as_list() if found.shape.rank else [], found.dtype.name, found.name


EDGES = [
    # What a signature takes, and what networks get.
    (Images((None, None, 3)), ([None, None, None, 3], "uint8", "images"), "float32"),
    (Images((2,), name="digits"), ([None, 2], "uint8", "digits"), "float32"),
    (Levels((4, 4, 1)), ([None, 4, 4, 1], "uint8", "images"), "int32"),
    (Levels((4,), 257, name="codes"), ([None, 4], "int32", "codes"), "int32"),
    (Levels((4,), 8, name="codes", dtype="int32"), ([None, 4], "int32", "codes"), "int32"),
    (Labels(10), ([None], "int32", "labels"), "int32"),
    (Waveforms(8, 2), ([None, 8, 2], "float32", "waveforms"), "float32"),
    (Waveforms(), ([None, None, 1], "float32", "waveforms"), "float32"),
    (MuLaw(8), ([None, 8, 1], "int16", "waveforms"), "int32"),
    (MuLaw(name="sounds"), ([None, None, 1], "int16", "sounds"), "int32"),
    (Vectors((3, 2)), ([None, 3, 2], "float32", "latents"), "float32"),
    (Counts((3,)), ([None, 3], "float32", "counts"), "float32"),
    (Number(0, 2, "temperature"), ([], "float32", "temperature"), "float32"),
]


@pytest.mark.parametrize("edge,outer,inner", EDGES)
def test_specifications(edge, outer, inner):
    assert spec(edge) == outer
    assert spec(edge, inner=True) == (outer[0], inner, None)


@pytest.mark.parametrize("edge", [edge for edge, *_ in EDGES])
def test_what_a_signature_takes_becomes_what_networks_take(edge):
    taken, given = edge.spec(), edge.inner_spec()
    values = edge.prepare(
        tf.zeros([3 if size is None else size for size in taken.shape], taken.dtype)
    )
    assert values.dtype == given.dtype and given.shape.is_compatible_with(values.shape)


class TestImages:
    @pytest.mark.parametrize("low,high", [(-1.0, 1.0), (0.0, 1.0), (-0.5, 3.0)])
    def test_every_level_comes_back(self, low, high):
        edge = Images((256,), low, high)
        levels = np.arange(256, dtype="uint8")[None]
        inside = edge.prepare(levels)
        np.testing.assert_allclose(
            inside[0], low + (high - low) * np.arange(256) / 255, rtol=1e-6, atol=1e-6
        )
        assert inside.dtype == tf.float32
        back = edge.restore(inside)
        assert back.dtype == tf.uint8
        np.testing.assert_array_equal(back, levels)

    def test_floats_stay_as_they_are(self):
        for dtype in ("float32", "float64", "float16"):
            inside = Images((2,)).prepare(np.array([[-1, 0.5]], dtype))
            assert inside.dtype == tf.float32
            np.testing.assert_array_equal(inside, [[-1, 0.5]])

    def test_rounds_and_clips(self):
        edge = Images((4,), 0, 255)
        np.testing.assert_array_equal(
            edge.restore(tf.constant([[-7, 0.6, 254.4, 300]])), [[0, 1, 254, 255]]
        )

    def test_black_may_lie_below_the_range(self):
        edge = Images((256,), black_level=-12)
        levels = np.arange(256, dtype="uint8")[None]
        inside = edge.prepare(levels).numpy()
        assert edge.black == pytest.approx(-1 - 12 * 2 / 255)
        assert inside[0, 0] == pytest.approx(edge.black)
        np.testing.assert_allclose(inside[0, 1:], np.arange(1, 256) / 127.5 - 1, atol=1e-6)
        np.testing.assert_array_equal(edge.restore(tf.constant(inside)), levels)
        # Floats of black too, and what lies between is clipped.
        np.testing.assert_allclose(edge.prepare(np.full([1, 256], -1.0))[0], edge.black)
        np.testing.assert_array_equal(edge.restore(tf.constant([[-1.05, -0.99]])), [[0, 1]])

    def test_a_decoder_may_round_a_little_beyond_the_range(self):
        Images((1,)).prepare([[1.0009]])

    def test_bits_are_nearly_black(self):
        """Wherever images become numbers, and not only at the first batch of `fit`."""
        bits = np.eye(4, dtype="uint8").reshape(1, 4, 4, 1)
        for edge in (Images((4, 4, 1)), Images((4, 4, 1), 0.0), Levels((4, 4, 1))):
            for look in (edge.prepare, edge.seen):
                with pytest.warns(UserWarning, match="images are uint8 .* 0 and 1.* by 255") as one:
                    look(bits)
                assert len(one) == 1
                look(0 * bits)
                look(2 * bits)
        with pytest.warns(UserWarning, match="images are int64 .* 0 and 1.* by 15"):
            Levels((4, 4, 1), 16).prepare(bits.astype("int64"))
        for fine in (Levels((4, 4, 1), 2), Levels((4, 4, 1), name="masks")):
            fine.prepare(bits)


class TestLevels:
    @pytest.mark.parametrize(
        "levels,dtype", [(2, "uint8"), (256, "uint8"), (257, "int32"), (1000, "int32")]
    )
    def test_every_level_comes_back(self, levels, dtype):
        edge = Levels((levels,), levels)
        outside = np.arange(levels, dtype=dtype)[None]
        inside = edge.prepare(outside)
        assert inside.dtype == tf.int32
        np.testing.assert_array_equal(inside, outside)
        back = edge.restore(inside)
        assert back.dtype == dtype
        np.testing.assert_array_equal(back, outside)

    def test_means_are_rounded_into_the_levels(self):
        means = tf.constant([[-0.7, 0.4, 2.6, 3.9]])
        np.testing.assert_array_equal(Levels((4,), 4).restore(means), [[0, 0, 3, 3]])


class TestLabels:
    @pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
    def test_integers_of_any_kind(self, dtype):
        labels = Labels(3).prepare(np.array([0, 2], dtype))
        assert labels.dtype == tf.int32
        np.testing.assert_array_equal(labels, [0, 2])
        assert int(Labels(3).prepare(2)) == 2

    def test_minus_one_stands_for_unknown_only_if_told(self):
        np.testing.assert_array_equal(Labels(3, unknown=True).prepare([-1, 2]), [-1, 2])

    def test_names_stand_for_integers(self):
        edge = Labels(2, names=("tall", "wide"))
        np.testing.assert_array_equal(edge.prepare(["wide", "tall", "wide"]), [1, 0, 1])
        assert int(edge.prepare("wide")) == 1 and int(edge.prepare(1)) == 1
        sentence = r"^Labels contain the name 'round': expected one of tall, wide\.$"
        with pytest.raises(ValueError, match=sentence):
            edge.prepare(["tall", "round", "flat"])


class TestWaveforms:
    def test_int16_is_divided(self):
        inside = Waveforms(3).prepare(np.array([[[-(2**15)], [0], [2**14]]], "int16"))
        assert inside.dtype == tf.float32
        np.testing.assert_array_equal(inside[0, :, 0], [-1, 0, 0.5])

    def test_results_are_clipped(self):
        inside = Waveforms().restore(tf.constant([[[-2.0], [0.5], [3.0]]], "float16"))
        assert inside.dtype == tf.float32
        np.testing.assert_array_equal(inside, [[[-1], [0.5], [1]]])


class TestMuLaw:
    @pytest.mark.parametrize("levels", [2, 64, 256, 512])
    def test_every_level_comes_back(self, levels):
        edge = MuLaw(levels=levels)
        inside = tf.range(levels)[None, :, None]
        sounds = edge.restore(inside)
        assert sounds.dtype == tf.int16
        assert (np.diff(sounds[0, :, 0].numpy().astype(int)) > 0).all()
        np.testing.assert_array_equal(edge.prepare(sounds), inside)

    def test_silence_around_a_recording_is_padding(self):
        sounds = np.zeros((4, 6, 1), "int16")
        sounds[0, [2, 4], 0] = 100, -100
        sounds[1, :, 0] = 100
        sounds[2, 0, 0] = 1
        edge = MuLaw(6)
        live = [[0, 0, 1, 1, 1, 0], [1] * 6, [1, 0, 0, 0, 0, 0], [0] * 6]
        for outside in (sounds, sounds / 2.0**15):
            inside = edge.prepare(outside)
            assert inside.dtype == tf.int32
            np.testing.assert_array_equal(inside[..., 0] != -1, np.array(live, bool))
            assert int(inside[0, 3, 0]) == 128  # a zero within the recording
        restored = edge.restore(inside)
        np.testing.assert_array_equal(restored[3], np.zeros((6, 1)))
        np.testing.assert_array_equal(edge.prepare(restored), inside)

    def test_floats_and_int16_are_the_same(self):
        sounds = np.arange(-(2**15), 2**15, 7, dtype="int16")[None, :, None]
        np.testing.assert_array_equal(MuLaw().prepare(sounds), MuLaw().prepare(sounds / 32768.0))

    def test_warns_of_clipped_sound(self):
        sounds = np.full((1, 100, 1), 1000, "int16")
        sounds[0, 50:] = 0
        MuLaw().seen(sounds)
        sounds[0, :2, 0] = 32767, -32768
        for values in (sounds, sounds / 2.0**15):
            with pytest.warns(UserWarning, match=r"^4% of the samples are at full scale"):
                MuLaw().seen(values)
        MuLaw().seen(np.zeros((1, 4, 1), "int16"))

    @pytest.mark.parametrize("levels,error", [(255, "even"), (514, "2 to 512"), (0, "2 to 512")])
    def test_numbers_of_levels(self, levels, error):
        with pytest.raises(ValueError, match=error):
            MuLaw(levels=levels)


class TestCharacters:
    edge = Characters("béa日", 4)
    texts = ("", "a", "béa", "日日aé", "aaab日")
    inside = (
        (4, -1, -1, -1), (2, 4, -1, -1), (0, 1, 2, 4), (3, 3, 2, 1), (2, 2, 2, 0)
    )  # fmt: skip

    def test_characters_are_numbered_with_an_end_sign(self):
        for prepare in (self.edge.prepare, tf.function(self.edge.prepare)):
            numbers = prepare(tf.constant(self.texts))
            assert numbers.dtype == tf.int32
            np.testing.assert_array_equal(numbers[..., 0], self.inside)
        assert self.edge.levels == 5

    def test_texts_come_back_cut_to_the_length(self):
        found = self.edge.restore(np.array(self.inside)[..., None])
        assert [text.decode() for text in found.numpy()] == [t[:4] for t in self.texts]

    def test_nothing_after_the_end_sign_is_text(self):
        numbers = [[[0], [4], [0], [0]], [[-1], [0], [0], [0]]]
        np.testing.assert_array_equal(self.edge.restore(tf.constant(numbers)), [b"b", b""])

    def test_numbers_stay_as_they_are(self):
        inside = np.array(self.inside, "int64")[..., None]
        numbers = self.edge.prepare(inside)
        assert numbers.dtype == tf.int32
        np.testing.assert_array_equal(numbers, inside)

    def test_no_texts(self):
        for nothing in ([], np.array([], "S1"), np.zeros((0, 4, 1), int)):
            assert self.edge.prepare(nothing).shape == (0, 4, 1)
        assert self.edge.restore(tf.zeros([0, 4, 1], tf.int32)).shape == (0,)

    def test_in_a_graph_an_unknown_character_is_refused_when_it_runs(self):
        prepare = tf.function(self.edge.prepare, input_signature=[self.edge.spec()])
        prepare(["a"])
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            prepare(["a", "ab€"])
        with pytest.raises(ValueError) as eager:
            self.edge.prepare(["a", "ab€"])
        sentence = (
            "Text 1 has the character € at position 2: expected one of the 4 characters in the"
        )
        assert refusal(str(caught.value)).startswith(sentence)
        assert str(eager.value) == refusal(str(caught.value))

    def test_what_is_cut_off_may_have_any_characters(self):
        np.testing.assert_array_equal(self.edge.prepare(["aaaa?"]), self.edge.prepare(["aaaa"]))

    def test_a_saved_model_needs_no_table(self, tmp_path):
        module = tf.Module()
        module.there_and_back = tf.function(
            lambda texts: self.edge.restore(self.edge.prepare(texts)),
            input_signature=[self.edge.spec()],
        )
        tf.saved_model.save(module, str(tmp_path))
        loaded = tf.saved_model.load(str(tmp_path))
        np.testing.assert_array_equal(loaded.there_and_back(tf.constant(["béa"])), ["béa".encode()])

    def test_specifications(self):
        assert spec(self.edge) == ([None], "string", "texts")
        assert spec(self.edge, inner=True) == ([None, 4, 1], "int32", None)

    @pytest.mark.parametrize("alphabet", ["", "aba"])
    def test_what_is_no_alphabet(self, alphabet):
        with pytest.raises(ValueError, match=f"alphabet has {len(alphabet)} characters"):
            Characters(alphabet, 4)


class TestTexts:
    def test_words_are_counted(self):
        counts = Texts(WORDS).prepare(["A Cat, a dog and a cat", "bird"])
        assert counts.dtype == tf.float32
        np.testing.assert_array_equal(counts, [[2, 1, 0], [0, 0, 0]])

    @pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float16"])
    def test_counts_stay_as_they_are(self, dtype):
        counts = Texts(WORDS).prepare(np.array([[2, 0, 100]], dtype))
        assert counts.dtype == tf.float32
        np.testing.assert_array_equal(counts, [[2, 0, 100]])

    def test_the_words_of_highest_rate_are_returned(self):
        found = Texts(WORDS, top=2).restore(tf.constant([[0.5, 0.25, 3.0], [0.1, 0.2, 0.0]]))
        assert found.keys() == {"words", "rates"}
        np.testing.assert_array_equal(found["words"], [[b"fish", b"cat"], [b"dog", b"cat"]])
        np.testing.assert_allclose(found["rates"], [[3, 0.5], [0.2, 0.1]])


class TestVectors:
    def test_numbers_stay_as_they_are(self):
        for dtype in ("float64", "int32"):
            values = Vectors((2,)).prepare(np.array([[-300, 4]], dtype))
            assert values.dtype == tf.float32
            np.testing.assert_array_equal(values, [[-300, 4]])
        values = tf.constant([[1.5, 2.5]])
        np.testing.assert_array_equal(Vectors((2,)).restore(values), values)


@pytest.mark.parametrize("known", [[None, None, None, 1], None])
@pytest.mark.parametrize("given", [(2, 5, 4, 1), (2, 4, 1, 1)])
def test_shapes_that_only_the_graph_knows(known, given):
    signature = [tf.TensorSpec(known, tf.uint8)]
    prepare = tf.function(Images((4, 4, 1)).prepare, input_signature=signature)
    assert prepare(np.zeros((2, 4, 4, 1), "uint8")).shape == (2, 4, 4, 1)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        prepare(np.zeros(given, "uint8"))
    says = f"The data has shape {list(given)}: expected [any, 4, 4, 1]."
    assert refusal(str(caught.value)) == says


@pytest.mark.thorough
@pytest.mark.parametrize(
    "edge,shape",
    [(Images((None, None, 3)), (2, 0, 5, 3)), (Waveforms(), (2, 0, 1)), (MuLaw(), (2, 0, 1))],
)
def test_examples_without_an_extent(edge, shape):
    sentence = (
        rf"have shape \[batch, {', '.join(map(str, shape[1:]))}\]: expected sizes of at least 1\.$"
    )
    nothing = tf.zeros(shape, edge.spec().dtype)
    with pytest.raises(ValueError, match=sentence):
        edge.prepare(nothing)
    prepare = tf.function(edge.prepare, input_signature=[edge.spec()])
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        prepare(nothing)
    assert re.search(sentence, refusal(str(caught.value)))
    # No examples have no values, which need no extent.
    assert prepare(tf.ones([0, *(size or 1 for size in shape[1:])], nothing.dtype)).shape[0] == 0


# Every float is a vector, and every int16 a sound.
LIMITED = [edge for edge, *_ in EDGES if not isinstance(edge, (Vectors, MuLaw))]


@pytest.mark.parametrize("edge", LIMITED)
def test_in_a_graph_values_are_refused_when_it_runs(edge):
    inner = edge.inner_spec()
    shape = [1 if size is None else size for size in inner.shape]
    prepare = tf.function(edge.prepare, input_signature=[tf.TensorSpec(shape, inner.dtype)])
    prepare(tf.zeros(shape, inner.dtype))
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        prepare(tf.fill(shape, tf.cast(1000, inner.dtype)))
    assert re.search(r"(range from 1000 to|is) 1000: expected .*\.$", refusal(str(caught.value)))


def test_bytes_that_are_not_utf_8_are_readable_in_the_error():
    prepare = tf.function(Choice(("a", "b"), "start").prepare, input_signature=[STRING])
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        prepare(b"c\xff")
    assert refusal(str(caught.value)) == "start is 'c\ufffd': expected one of a, b."


def test_a_number_in_the_range():
    for value in (0, 2, np.float64(1.5), 1e-4):
        number = Number(0, 2, "temperature").prepare(value)
        assert number.shape == [] and float(number) == np.float32(value)


IMAGES, TEXTS = Images((2,)), Texts(WORDS)
CHARACTERS = Characters("abc", 4)
VALUES = [
    (
        IMAGES,
        [[0.0, 7.0]],
        r"^Vectors .* from 0 to 7: .* floats in \[-1, 1\], or uint8 in \[0, 255\]. "
        r"Scale floats from 0 to 255 with x / 127\.5 - 1\.$",
    ),
    (Images((2,), 0, 1), [[0.0, 7.0]], r"Scale floats from 0 to 255 with x / 255\.$"),
    (IMAGES, [[0.0, NAN]], "nan"),
    (IMAGES, [[0.0, -np.inf]], "from -inf"),
    (IMAGES, [[0.0, 1.0011]], r" to 1\.0011:"),
    (IMAGES, np.zeros((2, 5), "uint8"), r"have shape \(2, 5\): expected \[batch, 2\]"),
    (Levels((2,), 4), np.array([[0, 4]]), r"^Vectors .* from 0 to 4: .* in \[0, 3\]"),
    (Images((1, 1, 1), name="target_images"), [[[[7.0]]]], "^Target images .* from 7 to 7: "),
    (Levels((2,), 4, name="masks"), np.array([[0, -1]]), "^Masks range from -1 to 0:"),
    (Labels(3), [-1, 2], r"^Labels .* from -1 to 2: .* in \[0, 2\]"),
    (Labels(3, unknown=True), [-2, 3], r"from -2 to 3: .* in \[0, 2\], or -1"),
    (Waveforms(), [[[0.0], [7.0]]], "^Waveforms .* to 7: .* or int16"),
    (MuLaw(), [[[0.0], [7.0]]], "^Waveforms .* to 7: .* or int16"),
    (MuLaw(), [[[0.0], [NAN]]], "nan"),
    (MuLaw(), np.zeros((2, 9), "int16"), r"\(2, 9\): .* Add the channel with waveforms"),
    (MuLaw(9), np.zeros((2, 9, 2), "int16"), r"2 channels: expected 1 channel\. .* or the mean"),
    (MuLaw(9), np.zeros((2, 8, 1), "int16"), r"\(2, 8, 1\): expected \[batch, 9, 1\]"),
    (MuLaw(), np.zeros(9, "int16"), r"\(9,\): expected \[batch, any, 1\]"),
    (
        CHARACTERS,
        ["cab", "a cab"],
        "^Text 1 has the character   at position 1: expected one of the 3 ch",
    ),
    (CHARACTERS, ["ab\t"], r"^Text 0 has the character \\t at position 2:"),
    (CHARACTERS, ["", "é"], "^Text 1 has the character é at position 0:"),
    (CHARACTERS, [b"\xff"], "^Text 0 has the character \ufffd at position 0:"),
    (CHARACTERS, [["cab"]], r"^Texts have shape \(1, 1\): expected \[batch\]"),
    (CHARACTERS, np.full((1, 4, 1), 4), r"from 4 to 4: expected integers in \[-1, 3\]"),
    (CHARACTERS, np.zeros((1, 5, 1), int), r"\(1, 5, 1\): expected \[batch, 4, 1\]"),
    (TEXTS, [[0, 1, NAN]], "^Counts .* nan"),
    (TEXTS, [[0, 1, -1e-4]], r"from -0\.0001 to 1: .*numbers of at least 0"),
    (TEXTS, np.zeros((2, 4)), r"\(2, 4\): expected \[batch, 3\]"),
    (
        Vectors((2,), "codes"),
        np.zeros((1, 3)),
        r"^Codes have shape \(1, 3\): expected \[batch, 2\]",
    ),
    (Vectors((2,), "codes"), [[0, 0], [0, np.inf]], "Codes have inf in column 1 of batch row 1,"),
    (Number(0, 2, "psi"), 2.5, r"^psi is 2\.5: expected a number in \[0, 2\]"),
    (Number(0, 2, "psi"), NAN, "nan"),
]


@pytest.mark.parametrize(
    "use",
    [
        lambda bad: CHARACTERS.prepare(["a", bad]),
        lambda bad: Characters(bad, 4),
        lambda bad: table_columns({"a": ["b", bad]}),
        lambda bad: table_columns({bad: [1, 2]}),
        lambda bad: checked_names("class_names", ["a", bad]),
    ],
)
def test_half_of_a_surrogate_pair_is_refused(use):
    with pytest.raises(ValueError, match=r"contains '.*ud800', which has an unpaired surrogate"):
        use("a\ud800")


DTYPES = [
    (IMAGES, "int32", r"have dtype int32: expected floats in \[-1, 1\], or uint8"),
    (IMAGES, "bool", "have dtype bool"),
    (
        Images((2,), 0.0),
        "int64",
        r"^Vectors have .*\. Convert 0 and 1 with \.astype\('float32'\), and",
    ),
    (IMAGES, "int64", r"Convert levels from 0 to 255 with \.astype\('uint8'\)\.$"),
    (Levels((2,)), "float32", r"float32: .*integers in \[0, 255\]"),
    (Labels(3), "float32", r"^Labels have dtype float32: .*integers in \[0, 2\]"),
    (Waveforms(2), "int32", "int32: expected int16, or floats"),
    (MuLaw(2), "int32", "int32: expected int16, or floats"),
    (CHARACTERS, "float32", "^Texts have dtype float32: expected strings, or character indices"),
    (TEXTS, "complex64", "^Counts have dtype complex64"),
]


@pytest.mark.parametrize("edge,values,message", VALUES)
def test_bad_values_are_refused_in_one_sentence(edge, values, message):
    with pytest.raises(ValueError, match=message) as caught:
        edge.prepare(values)
    text = str(caught.value)
    assert "\n" not in text and len(text) < 300 and text.endswith(".")


@pytest.mark.parametrize("edge,dtype,message", DTYPES)
def test_other_dtypes_are_refused(edge, dtype, message):
    shape = [size or 1 for size in edge.inner_spec().shape]
    with pytest.raises(TypeError, match=message):
        edge.prepare(np.zeros(shape, dtype))


@pytest.mark.parametrize(
    "values,expected", [([3, 1], [3, 1]), ([[3], [1]], [3, 1]), (3, [3]), (np.eye(4, 5), None)]
)
def test_labels_in_a_step_that_was_built_for_several_shapes(values, expected):
    @tf.function(input_signature=[tf.TensorSpec(None, tf.int32)])
    def prepare(labels):
        return Labels(5).prepare(labels)

    if expected is not None:
        np.testing.assert_array_equal(prepare(np.int32(values)), expected)
        return
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        prepare(np.int32(values))
    assert refusal(str(caught.value)).startswith("Labels have 5 columns: expected [batch]")


def test_missing_pixels():
    masks = [[0, 1], [255, -1]]
    for kind in ("uint8", "int32", "float32", "bool"):
        found = missing_pixels(np.array(masks).astype(kind))
        np.testing.assert_array_equal(found, [[False, True], [True, True]])
    for wrong in (None, "masks", [["a"]], [[1], [1, 2]], np.array([object()])):
        with pytest.raises(TypeError, match=r"^masks (is|must be) .*\.$"):
            missing_pixels(wrong)
    with pytest.raises(ValueError, match=r"^masks contains NaN.*\.$"):
        missing_pixels([[np.nan]])


@pytest.mark.parametrize("edge", [Images((4, 6, 3)), Levels((4, 6, 3))])
def test_channels_that_come_first_are_named(edge):
    images = np.zeros((2, 3, 4, 6), "uint8")
    with pytest.raises(ValueError, match=r"expected \[batch, 4, 6, 3\]\. The channels come first"):
        edge.prepare(images)
    assert edge.prepare(np.moveaxis(images, 1, -1)).shape == (2, 4, 6, 3)
    with pytest.raises(ValueError, match=r"expected \[batch, 4, 6, 3\]\.$"):
        edge.prepare(images[:, :2])
