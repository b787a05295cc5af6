"""Texts in a small alphabet."""

import string

import numpy as np
import pytest

from keras_gen.data import characters_of, cleaned
from keras_gen.data.transforms.characters import code_points


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
    for texts in ([], ["", ""]):
        with pytest.raises(ValueError, match="no characters: expected one at least"):
            characters_of(texts)


def test_code_points():
    found = code_points("aé日😀")
    assert found.dtype == np.int32
    assert "".join(map(chr, found)) == "aé日😀"
