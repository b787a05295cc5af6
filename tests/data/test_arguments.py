"""Calls of functions of data that are refused, and what the sentence says."""

import functools

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from keras_gen import data
from keras_gen.data import Source
from keras_gen.data.batches.weighted import inverse_density, weighted_stream
from keras_gen.vae.sampling_weights import SamplingWeights

SEED = np.array([1, 2], np.int64)
IMAGES = np.zeros([6, 8, 8, 1], "uint8")
LABELS = np.arange(6) % 3
SQUARE = np.eye(4, dtype=int)
LABELED, UNLABELED = Source((IMAGES, LABELS)), Source(IMAGES)
NAMED, TURNED = Source({"x": IMAGES, "label": LABELS}), Source((LABELS, IMAGES))
NUMBERS = Source(np.arange(5))
FRAMES = Source((np.zeros([3, 5, 1, 1, 1], "uint8"), np.zeros([3, 5, 1, 1, 1]), np.arange(3)))
ROWS = np.array([["3", "cat", "1.5"], ["5", "dog", "1.5"], ["7", "cat", "1.5"]])
NAMES = ["age", "kind", "height"]
COLUMNS = data.table_columns(ROWS, NAMES, numbers=["age", "height"])


def of_labels(labels):
    """The functions that choose examples by labels, called with these."""
    return [
        functools.partial(data.even_order, labels),
        functools.partial(data.few_labels, labels, 3),
        functools.partial(data.stacked_digits, IMAGES[:4], labels, 3),
    ]


def partly(few=LABELED, many=UNLABELED, batch_size=4, **options):
    return data.partly_labeled(few, many, batch_size=batch_size, **options)


def weighted(size=5, batch_size=4, **options):
    return weighted_stream(NUMBERS, SamplingWeights(size), batch_size, **options)


def vectors(*row):
    return data.RowVectors(COLUMNS)(tf.constant([*ROWS.tolist(), row]))


REFUSED = [
    (lambda: list(Source(np.zeros([2, 3])).batches(2, augment=data.clips(4))),
     "frames is 4: expected at most 3"),
    (lambda: FRAMES.stream(3, augment=data.episode(shots=5)),
     "shots is 5: expected fewer than the 5 frames per person"),
    (lambda: data.few_labels(LABELS, 2),
     "^count is 2 for 6 labels in 3 classes: expected at least 3"),
    (lambda: data.few_labels(LABELS, 6), "and at most 5, so that at least one label is hidden.$"),
    (lambda: data.few_labels(LABELS - 1, 4), "The smallest label is -1: expected integers"),
    *((call, r"labels have shape \(4, 4\): expected \[n\]") for call in of_labels(SQUARE)),
    *((call, "labels have dtype float64: expected integers") for call in of_labels([0.5, 1.5])),
    *((functools.partial(make, *sources), r": expected \(example, label\) with")
      for make, *sources in (
          (partly, NAMED), (partly, LABELED, NAMED), (partly, TURNED),
          (lambda source: data.class_triples(source, 2), NAMED),
          (lambda source: data.class_triples(source, 2), TURNED),
          (lambda source: data.class_triples(source, 2), UNLABELED),
          (lambda source: data.class_triples(source, 2), Source((IMAGES, LABELS, LABELS))),
          (data.rare_color, NAMED), (data.rare_group, NAMED))),
    (lambda: partly(batch_size=5), "batch_size is 5, but half of the batch should have labels"),
    (lambda: partly(labels_per_batch=4), "labels_per_batch is 4: expected an integer from 1 to 3"),
    (lambda: data.class_triples(Source((IMAGES, 0 * LABELS)), 2),
     r"examples per class are \[6\]"),
    (lambda: data.class_triples(Source((IMAGES[:3], np.array([0, 0, 5]))), 2),
     r"The numbers of examples per class are \[2, 1\]"),
    (lambda: data.unpaired(np.arange(5), np.arange(2), 3), "expected at most 2"),
    (lambda: weighted(batch_size=0), "batch_size is 0: expected an integer of at least 1"),
    (lambda: weighted(start=-1), "start is -1: expected an integer of at least 0"),
    (lambda: weighted(4), r"4 sampling weights for 5 examples \(arrays in memory"),
    (lambda: inverse_density(np.zeros([1, 1]), np.inf), "alpha is inf: expected a number"),
    (lambda: inverse_density(np.zeros([1, 1]), 0.1, -1),
     "bin_width is -1: expected a positive numb"),
    (lambda: inverse_density(np.zeros(3), 0.1),
     r"^latents has shape .*: expected \[n, latents\] with"),
    (lambda: inverse_density(np.array([[0.0], [np.nan]]), 0.1), "latents contains NaN or infinity"),
    (lambda: data.character_texts("bbc"), "name is 'bbc': expected 'reuters' or '20newsgroups'"),
    (lambda: data.Factors({}), "at least one factor"),
    (lambda: data.Factors({"a": 2, "b": 1}),
     "values of factor 'b' is 1: expected an integer of at least 2"),
    (lambda: data.Factors({"a": 2, "b": 3}).sample_with_fixed(
        1, np.array([0, 3]), np.random.default_rng(0)), "'b' has the value 3 in row 1: expected"),
    (lambda: data.near_duplicates([IMAGES[0]], []), "1 training and 0 test images"),
    (lambda: data.near_duplicates([IMAGES[0]], [IMAGES[0]], 1.5),
     "correlation is 1.5: expected a number from -1 to 1"),
    (lambda: data.rare_color(LABELED, rare=1.5), r"rare is 1\.5: expected a number from 0 to 1"),
    (lambda: data.rare_group(LABELED, 1.0), r"rare is 1\.0: expected a fraction of at least 0 and"),
    (lambda: data.Shapes(size=8), "size is 8: expected an integer of at least 16"),
    (lambda: data.Shapes(scales=1), "scales is 1: expected an integer of at least 2"),
    (lambda: data.Shapes(turn=1.5), "turn is 1.5: expected a number of at most 1"),
    (lambda: data.photos_and_paintings(8, photos="x"), "Only one of --photos and --paintings"),
    (lambda: data.photos_and_paintings(8, paintings="x"), "Only one of --photos and --paintings"),
    (lambda: data.shrunk(np.zeros([10, 8, 3], "uint8"), 4),
     "10x8 cannot be shrunk by a factor of 4: crop their"),
    (lambda: data.shrunk(np.zeros([8, 8, 3], "float32"), 4),
     r"images has dtype float32 and shape \(8, 8, "),
    (lambda: Source(np.zeros([0, 3])), "at least one"),
    (lambda: Source(np.float32(3)), "axis 0"),
    (lambda: Source((np.zeros(3), np.zeros(4))), r"\[3, 4\]"),
    (lambda: Source(()), r"lengths \[\]"),
    (lambda: Source(np.array([object()])), "array of objects"),
    (lambda: Source([np.zeros(2), np.zeros(3)]), "examples of several shapes"),
    (lambda: Source([np.zeros([2, 4]), np.zeros([2, 3])]), "several shapes: re"),
    (lambda: NUMBERS.stream(6), "6: expected at most 5"),
    (lambda: NUMBERS.stream(0), "batch_size is 0: expected an integer of at least 1"),
    (lambda: NUMBERS.stream(2.0), "integer"),
    (lambda: NUMBERS.batches(True), "batch_size is True: expected an integer"),
    (lambda: NUMBERS.stream(2, start=-1), "start is -1: expected an integer of at least 0"),
    (lambda: NUMBERS.stream(2, seed=-1), "seed is -1: expected an integer from 0 to"),
    (lambda: NUMBERS.take(0), "count"),
    (lambda: NUMBERS.select(slice(0)), "at least one"),
    (lambda: data.on_photographs(IMAGES, np.zeros((1, 5, 4, 3), "uint8")),
     r"\(8, 8\), but the photographs have size \(5, 4\)"),
    (lambda: data.on_photographs(IMAGES, IMAGES / 255),
     "photographs has .*: expected uint8 levels from 0 to 255"),
    (lambda: data.characters_of(["", ""]), "no characters: expected at least one"),
    (lambda: data.edge_maps(IMAGES / 255), "images has dtype float64 and shape .*: expected uint8"),
    (lambda: data.resize_cover(IMAGES[0] / 255, 4),
     r"image has dtype float64 and shape \(8, 8, 1"),
    (lambda: data.pad_to(IMAGES[0], 4), "8x8 cannot be padded to 4x4"),
    (lambda: data.random_crop_flip((8, 0)), "crop is 0: expected an integer of at least 1"),
    (lambda: data.random_crop_flip((8, 6), 0.5), "crop is .8, 6. and smallest is 0.5: expected"),
    (lambda: data.random_crop_flip(8, unchanged=1.0), r"unchanged is 1.0: .* \[0, 1\)"),
    (lambda: data.random_crop_flip(8, 1.5), r"smallest is 1.5: .* \(0, 1\]"),
    (lambda: data.binarize(tf.zeros([4, 4, 1]), SEED), "is float32 .*: expected uint8"),
    (lambda: data.random_levels(1.5), r"rate is 1.5: expected a number from 0 to 1"),
    (lambda: data.draw_normal(tf.zeros([4, 3]), SEED), r"has shape \(4, 3\): expected means"),
    *((functools.partial(augment, {"label": tf.constant(3), "image": tf.constant(IMAGES[0])}, SEED),
       "The example is a dict with the keys label, image: expected")
      for augment in (
          data.binarize, data.draw_normal, data.random_crop_flip(2), data.random_shift(1))),
    (lambda: data.moving_images(1), "frames is 1: expected an integer of at least 2"),
    (lambda: data.moving_images(slowest=3.0, fastest=1.0),
     "^slowest is 3.0 and fastest is 1.0: expected 0 <= slow"),
    (lambda: data.moving_images(size=7)(tf.constant(IMAGES), SEED),
     "^An image of size 8x8 cannot move within 7x7: shrink it"),
    (lambda: vectors("4", "cow", "1"), "column kind has the value cow: expected one of cat, dog"),
    *((functools.partial(vectors, "4", "cat", wrong),
       f"column height has the value {wrong}: expected a number")
      for wrong in ("", "four", "nan", "1e999", "1e99", "1,5")),
    *((functools.partial(data.table_columns, np.array([["3"], [wrong]]), ["x"], ["x"]),
       f"column x has the value {wrong} in row 1: expected a number. Leave out")
      for wrong in ("inf", "1,5", "1_000", "1e999")),
    (lambda: data.RowVectors(COLUMNS)(tf.constant([["3", "cat", "1.5", "more"]])),
     "rows have 4 columns: expected 3"),
    (lambda: data.table_columns(ROWS, NAMES, ["age", "hight"]), "There is no column hight"),
    (lambda: data.table_columns(ROWS, ["age", "kind", "age"], ["age"]), "unique names"),
    (lambda: data.table_columns(ROWS, NAMES, "age"), "numbers is 'age': expected a list"),
    (lambda: data.table_columns(ROWS, ["a", "b"], []),
     r"shape \(3, 3\): expected \[n, 2\], with the columns a"),
    (lambda: data.table_rows({"age": [1], "kind": ["cat", "dog"]}, ["age", "kind"]),
     r"different lengths \(age 1, kind 2\)"),
    (lambda: data.table_rows({"age": [[1, 2]]}, ["age"]),
     r"column age has shape \(1, 2\): expected one value per"),
    (lambda: data.table_rows({"age": [3], "height": [1.0]}, NAMES),
     r"lacks the columns kind: exp"),
    (lambda: data.table_rows({name: [4] for name in (*NAMES, "legs")}, NAMES),
     r"has the unexpected columns legs"),
    (lambda: data.RowVectors([]), "at least one column"),
    (lambda: partly(many=Source(IMAGES / 255)), "uint8 images .* but unlabeled has float64"),
    (lambda: UNLABELED.stream(2, augment=data.random_crop_flip(9)),
     r"crop is 9: expected a crop of at most the image size, \(8, 8\)"),
    (lambda: UNLABELED.stream(2, augment=data.random_crop_flip(4, images=2)),
     "images is 2: expected tuples that begin with 2 images"),
    (lambda: data.random_crop_flip(4, images=0), "images is 0: expected an integer of at least 1"),
    (lambda: UNLABELED.stream(2, augment=data.random_shift_flip(8)),
     "shift is 8: expected a shift smaller than both image"),
    (lambda: Source(np.zeros([3, 20])).stream(2, augment=data.random_shift(5)),
     r"A waveform has shape \(20,\): expected \[samples, channels\]"),
    (lambda: data.near_duplicates(IMAGES, IMAGES),
     r"uint8 image of shape \[8, 8, 1\]: expected .* np.repeat"),
    (lambda: data.common_words(["a b a"], 5), "texts contain only English stop words"),
    *((functools.partial(data.WordCounts, [word]), "which no text can contain as a word")
      for word in ("Cat", "a cat", "don't", "u.s", "n-gram", "a\tb", "x", "")),
    (lambda: data.mu_law_waveform([300, -5]), "level ranges from -5 to 300: expected 0 to 255"),
    (lambda: data.table_columns({"a": np.array([b"\xff", b"a"])}),
     r"column a contains b'\\xff', which is not UTF-8: expected strings"),
    (lambda: data.table_columns([["\u0663"]], ["i"], numbers=["i"]),
     "column i has the value \u0663 in row 0: expected a number"),
    (lambda: NUMBERS.map(lambda x: None), r"function passed to source\.map returned nothing"),
    (lambda: NUMBERS.map(lambda x: tf.range(x + 1)),
     r"examples have different shapes, such as \[1\] and \[2\]: expected one shape"),
    (lambda: inverse_density(np.zeros([0, 2]), 1.0), "at least one row"),
    (lambda: inverse_density([[1.0], [2.0]], 0.0, 1e-320), "bin_width is .*: expected a width"),
    (lambda: data.NormalScores(ROWS, COLUMNS, most=0),
     "most is 0: expected an integer of at least 1"),
    (lambda: data.NormalScores(ROWS[:0], COLUMNS), "There are no rows"),
    (lambda: data.NormalScores([["3", None, "1"]], COLUMNS), "column kind lacks 1 of 1 values"),
    (lambda: Source(np.zeros(3, "longdouble")), "dtype (longdouble|float128): expected a dtype"),
    *((functools.partial(data.stacked_digits, IMAGES, labels, 3),
       "labels range from .* expected classes from 0 to 9") for labels in (LABELS - 1, LABELS + 9)),
    (lambda: data.two_moons().log_density([[np.nan, 0.0]]), "points is .* without NaN"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "sentence"), REFUSED)
def test_refused(call, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        call()


def test_labels_without_a_sign_get_one():
    _, labels = next(iter(partly(Source((IMAGES, LABELS.astype("uint8"))))))
    assert labels.dtype == tf.int64 and sorted(labels.numpy()[2:]) == [-1, -1]


def test_normal_scores_of_a_frame_are_those_of_its_rows():
    frame = pd.DataFrame(ROWS, columns=NAMES)
    scores = data.NormalScores(frame[NAMES[::-1]], COLUMNS)
    expected = data.NormalScores(ROWS, COLUMNS).levels(ROWS)
    for rows in (frame, ROWS, ROWS.tolist()):
        np.testing.assert_array_equal(scores.levels(rows), expected)
