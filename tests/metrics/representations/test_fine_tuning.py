"""Fine-tuning on a task that an encoder gives away, or does not."""

import keras
import numpy as np
import pytest

from keras_gen.metrics import fine_tuned_error
from left_half import data, encoder


@pytest.mark.slow
def test_features_that_tell_the_classes_do_and_others_do_not():
    parts, options = (data(200, 0), data(100, 1), data(400, 2)), dict(batch_size=50, epochs=5)
    good = fine_tuned_error(encoder(slice(0, 2)), *parts, learning_rate=0.1, **options)
    bad = fine_tuned_error(encoder(slice(2, 4)), *parts, **options)
    assert good["test_error"] == 0 and 40 < bad["test_error"] < 60
    assert good["epoch"] in range(1, 6) and bad["epoch"] in range(1, 6)


@pytest.mark.slow
def test_the_epoch_is_chosen_by_validation_and_nothing_else():
    """With the labels of validation turned round, the worst epoch is the best."""
    train, (images, labels), test = data(200, 0), data(100, 1), data(100, 2)
    options = dict(batch_size=100, epochs=8, learning_rate=0.02)
    right, wrong = (
        fine_tuned_error(encoder(slice(0, 4)), train, validation, test, **options)
        for validation in ((images, labels), (images, 1 - labels))
    )
    assert wrong["epoch"] < right["epoch"] and wrong["test_error"] > right["test_error"]


@pytest.mark.thorough
def test_repeats_itself_and_leaves_the_encoder_alone():
    inputs = keras.Input((4, 4, 1))
    network = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(inputs)))
    before, parts = network.get_weights(), (data(40, 0), data(20, 1), data(100, 2))
    found = [fine_tuned_error(network, *parts, batch_size=20, epochs=2) for _ in range(2)]
    assert found[0] == found[1]
    np.testing.assert_equal(network.get_weights(), before)


@pytest.mark.thorough
def test_there_are_as_many_classes_as_labels():
    images, labels = data(12, 0)
    part = images, labels + 10
    found = fine_tuned_error(encoder(slice(0, 2)), part, part, part, epochs=1)
    assert 0 <= found["test_error"] <= 100


def test_examples_without_a_label_are_refused():
    images, labels = data(12, 0)
    part = images, labels
    with pytest.raises(ValueError, match="labels of test to be integers from 0 on, found -1"):
        fine_tuned_error(encoder(slice(0, 2)), part, part, (images, labels - 1))
