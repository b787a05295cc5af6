"""Texts as an image."""

import numpy as np

from keras_gen.workshop.visualize import text_page


def test_more_lines_make_a_higher_image_and_other_texts_another_one():
    one = text_page(["A short text."])
    two = text_page(["A short text.", "It costs $5 to $7.\nA line."])
    long = text_page(["word " * 60])
    assert one.dtype == np.uint8 and one.shape[1:] == two.shape[1:] == long.shape[1:]
    assert one.shape[0] < two.shape[0] and one.shape[0] < long.shape[0]
    assert one.std() > 0
    assert (text_page(["a"]) != text_page(["b"])).any()
