"""Texts as characters, words, and names of classes."""

import string

import numpy as np
import pytest
import tensorflow as tf
from sklearn.feature_extraction.text import CountVectorizer

from keras_gen.data import WordCounts, characters_of, cleaned, common_words, load_tfds, words_of
from keras_gen.data.transforms.texts import code_points, sorted_names


def test_other_characters_become_spaces():
    texts = ["a\tb\x00c\x7f.", "naïve “日本”!", "one\r\ntwo\rthree\nfour", " \n both \n ends\n", ""]
    expected = ["a b c .", "na ve     !", "one\ntwo\nthree\nfour", "both \n ends", ""]
    assert cleaned(texts) == expected
    assert cleaned(expected) == expected


def test_printable_ascii_stays():
    letters = string.digits + string.ascii_letters + string.punctuation
    assert cleaned(["x" + " \n" + letters]) == ["x \n" + letters]
    assert len(characters_of(cleaned([letters + chr(9) + "\n."]))) == 96


def test_the_characters_of_texts():
    assert characters_of(["cab", "", "b\né"]) == "\nabcé"


def test_code_points():
    found = code_points("aé日😀")
    assert found.dtype == np.int32
    assert "".join(map(chr, found)) == "aé日😀"


ODD = [
    "", "!!!", "x y z", "It's 3.14%; e-mail a_b __ _x", "tab\tnl\nxx\u2028yy\u00a0zz\u3000ww",
    "Éa ÉÀ½² Ⅷx ΑΣ straße STRASSE áb 日本語 １２ ١٢", "zero\x00byte \x07bell", "DON'T a1 1a 2nd",
]  # fmt: skip


def assert_as_sklearn(texts, vocabulary):
    expected = CountVectorizer(vocabulary=vocabulary).transform(texts).toarray()
    counts = WordCounts(vocabulary)(np.array(texts, object))
    assert counts.dtype == tf.float32
    np.testing.assert_array_equal(counts, expected)


def test_odd_texts_count_as_in_sklearn():
    words = CountVectorizer().fit(ODD).get_feature_names_out().tolist()
    assert {"straße", "日本語", "ας", "byte", "__"} <= set(words)
    assert_as_sklearn(ODD, words)


@pytest.mark.thorough
@pytest.mark.data
def test_real_documents_count_as_in_sklearn(shared_data, tmp_path):
    folders = dict(data_dir=tmp_path, manual_dir=shared_data / "reuters")
    texts = [t.decode() for t in load_tfds("reuters", "test", features="text", **folders).arrays()]
    assert_as_sklearn(texts, common_words(texts, 2000))


def test_single_letters_and_unknown_words_do_not_count():
    counts = WordCounts(["aa", "cat"])(["a cat, a dog", "dog"])
    np.testing.assert_array_equal(counts, [[0, 1], [0, 0]])


def test_broken_bytes_and_no_texts():
    counter = WordCounts(["ab"])
    np.testing.assert_array_equal(counter([b"\xff\xfe ab \xff", b"ab"]), [[1], [1]])
    assert counter(tf.constant([], tf.string)).shape == (0, 1)


def test_the_commonest_words_without_stop_words():
    texts = ["the cat and the dog", "The CAT ran", "a dog", "a dog"]
    assert common_words(texts, 2) == ["cat", "dog"]
    assert common_words(texts, 1) == ["dog"]
    assert common_words(texts, 99) == ["cat", "dog", "ran"]


def test_what_is_no_vocabulary():
    for words in ([], ["cat", "dog", "cat"]):
        with pytest.raises(ValueError, match=f"has {len(words)} words"):
            WordCounts(words)


def test_words_numbers_and_signs_of_a_text():
    found = words_of('AT&T\'s so-called\nShr 12 cts vs 1,234.50, -3... ("x") <B>&lt; café.')
    expected = 'at&t\'s so-called shr N cts vs N , - N . . . ( " x " ) < b > & lt ; caf é .'
    assert found == expected.split()
    assert words_of(" \n") == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["10", "2", "1", "2"], ["1", "2", "10"]),
        (["-1", "0", "-10"], ["-10", "-1", "0"]),
        (["10", "02", "2"], ["02", "2", "10"]),
        (["10", "2", "cat"], ["10", "2", "cat"]),
        (["1.5", "10", "2", "-.5"], ["-.5", "1.5", "2", "10"]),
        ([], []),
    ],
)
def test_numbers_are_in_their_own_order(names, expected):
    assert sorted_names(names) == expected
