"""Reads labels that are plain to see, and says how often it is right."""

import numpy as np
import pytest

from keras_gen.metrics import pixel_accuracy, train_segmenter


@pytest.mark.thorough
def test_reads_bright_and_dark_squares(rng):
    labels = np.kron(rng.integers(0, 2, (40, 4, 4)), np.ones([1, 4, 4], int))
    images = np.clip(60 + 120 * labels + rng.normal(0, 20, labels.shape), 0, 255)
    images = images[..., None].astype("uint8")
    segmenter = train_segmenter(images[:30], labels[:30], 2, filters=8, steps=200)
    assert pixel_accuracy(segmenter, images[30:], labels[30:]) > 0.9
    assert pixel_accuracy(segmenter, images[30:], 1 - labels[30:]) < 0.1
    same = train_segmenter(images[:30], labels[:30], 2, filters=8, steps=200)
    np.testing.assert_array_equal(same(images[30:])["logits"], segmenter(images[30:])["logits"])


def test_refuses_labels_of_other_classes():
    with pytest.raises(ValueError, match=r"labels \[2, 8, 8\] of 0 to 3 .* 0 to 2 for each pixel"):
        labels = np.zeros([2, 8, 8], int)
        labels[0, 0, 0] = 3
        train_segmenter(np.zeros([2, 8, 8, 1], "uint8"), labels, 3)
