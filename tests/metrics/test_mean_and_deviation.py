"""Figures of trainings that are repeated with other seeds."""

import pytest

from keras_gen.metrics import mean_and_deviation


def test_means_and_deviations_over_seeds():
    found = [{"a": 1.0, "b": 2}, {"a": 4.0, "b": 2}, {"a": 7.0, "b": 2}]
    wanted = {"a": 4.0, "a_deviation": 3.0, "b": 2.0, "b_deviation": 0.0}
    assert mean_and_deviation(found) == wanted


def test_of_one_seed_there_is_no_deviation():
    assert mean_and_deviation([{"a": 5.0}]) == {"a": 5.0}


def test_names_and_keys_are_chosen():
    found = [{"a": 1.0, "frames": "none"}] * 2
    assert mean_and_deviation(found, "ring_{}_gan", ("a",)) == {
        "ring_a_gan": 1.0,
        "ring_a_gan_deviation": 0.0,
    }


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ([], "those of one seed at least"),
        ([{"a": 1}, {"b": 1}], "Measurement 1 lacks the figure 'a'"),
    ],
)
def test_missing_figures_are_named(found, sentence):
    with pytest.raises(ValueError, match=sentence):
        mean_and_deviation(found)
