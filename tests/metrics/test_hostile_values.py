"""Metrics refuse in one sentence what they cannot measure; the layout of arrays changes nothing."""

import functools

import numpy as np
import pytest

from keras_gen import metrics
from keras_gen.workshop.baselines.coral import coral
from keras_gen.workshop.baselines.fairness import reweighing

RANDOM = np.random.default_rng(0)
ROWS, OTHERS = RANDOM.normal(size=(2, 40, 3))
LABELS, GROUPS = np.arange(40) % 2, np.arange(40) // 2 % 2
IMAGES = RANDOM.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
VIDEOS = RANDOM.integers(0, 256, (3, 4, 8, 8, 1), dtype=np.uint8)
FACTORS = np.stack([np.arange(200) % 4, np.arange(200) // 4 % 5], axis=1)
CODES = FACTORS + 0.01 * RANDOM.normal(size=(200, 2))
SOUNDS = RANDOM.normal(0, 0.2, (2, 1024, 1)).clip(-1, 1)
CASES = {
    "nearest_neighbors": (ROWS, OTHERS),
    "prdc": (ROWS, OTHERS),
    "kernel_distance": (ROWS, OTHERS),
    "frechet_distance": (ROWS, OTHERS),
    "memorization": (ROWS, OTHERS),
    "earth_movers_distance": (ROWS, OTHERS),
    "bin_shares": (ROWS, OTHERS),
    "inception_score": (np.full((20, 4), 0.25),),
    "active_units": (ROWS,),
    "bits_per_live_value": (ROWS[:, 0], FACTORS[:40]),
    "linear_probe": (ROWS, LABELS, OTHERS, LABELS),
    "kmeans_report": (ROWS, LABELS),
    "retrieval_curve": (ROWS, LABELS, OTHERS, LABELS),
    "attribute_leak": (ROWS, LABELS, OTHERS, LABELS),
    "decision_gaps": (GROUPS, LABELS, np.arange(40) // 4 % 2),
    "group_report": (GROUPS, LABELS, LABELS),
    "perplexity": (np.array([1.0, 2.0]),),
    "sap_score": (CODES, FACTORS),
    "squared_error": (ROWS.astype("float32"), OTHERS.astype("float32")),
    "psnr": (IMAGES, IMAGES[::-1]),
    "l1_error": (IMAGES, IMAGES[::-1]),
    "chroma_grain": (IMAGES,),
    "pyramid_distances": (IMAGES, IMAGES[::-1]),
    "motion_statistics": (VIDEOS,),
    "log_spectral_distance": (SOUNDS, SOUNDS[::-1]),
    "signal_to_noise": (SOUNDS, SOUNDS[::-1]),
    "coral": (ROWS, OTHERS),
    "reweighing": (LABELS, GROUPS),
}  # fmt: skip


def measure(name):
    return {"coral": coral, "reweighing": reweighing}.get(name) or getattr(metrics, name)


def replaced(value, array):
    array = array.astype(float)
    array.flat[0] = value
    return array


HOSTILE = {
    "nan": functools.partial(replaced, np.nan),
    "masked": lambda array: np.ma.masked_equal(array, array.flat[0]),
    "empty": lambda array: array[:0],
    "text": lambda array: array.astype(str),
    "complex": lambda array: array.astype(complex),
    "objects": lambda array: np.full(array.shape, object()),
    "None": lambda array: None,
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_measured_is_refused(name):
    arguments = CASES[name]
    for place, argument in enumerate(arguments):
        for kind, change in HOSTILE.items():
            with pytest.raises((TypeError, ValueError)) as caught:
                measure(name)(*arguments[:place], change(argument), *arguments[place + 1 :])
            text = str(caught.value)
            assert "\n" not in text and len(text) < 400 and text.endswith("."), (kind, text)


@pytest.mark.thorough
@pytest.mark.parametrize("name", CASES)
def test_the_layout_of_arrays_changes_nothing(name):
    def read_only(array):
        array = array.copy()
        array.flags.writeable = False
        return array

    expected = values(measure(name)(*CASES[name]))
    for change in (
        read_only,
        lambda array: array.astype(array.dtype.newbyteorder(">")),
        lambda array: np.repeat(array, 2, axis=0)[::2],
        lambda array: np.asfortranarray(array),
    ):
        found = values(measure(name)(*map(change, CASES[name])))
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def values(result) -> list:
    """All numbers of a result, in order."""
    if isinstance(result, dict):
        result = tuple(value for value in result.values() if value is not None)
    if isinstance(result, tuple):
        return [number for part in result for number in values(part)]
    return list(np.ravel(result))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: metrics.label_modes(LABELS, ROWS), "modes must be an integer of at least"),
        (lambda: metrics.bits_per_dimension(1.0, 784, ROWS), "dequantization must be a text"),
        (lambda: metrics.bits_per_dimension(1.0, ROWS, "none"), "dimensions must be an integer"),
        (lambda: metrics.bits_per_dimension(1.0, 1, "uniform", 0), "levels_per_unit must be above"),
        (lambda: metrics.matched_accuracy(ROWS[:0], LABELS, LABELS), "known has 0 parts: expected"),
        (lambda: metrics.matched_accuracy(3, LABELS, LABELS), "known must be a list"),
    ],
)
def test_arguments_that_are_not_numbers_of_examples(call, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
