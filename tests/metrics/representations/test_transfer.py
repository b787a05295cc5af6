"""Transfer with few labels, on classes that one kind of feature tells and another does not."""

import keras
import numpy as np
import pytest

from keras_gen.metrics import transfer_report
from left_half import data, encoder


@pytest.mark.slow
def test_features_that_tell_the_classes_do_and_others_do_not():
    train, test = data(300, 0), data(400, 1)
    good = transfer_report(encoder(slice(0, 2)), train, test, 150, draws=1, epochs=150)
    bad = transfer_report(encoder(slice(2, 4)), train, test, draws=2, epochs=2)
    assert good["probed"] == 1 and good["tuned"] > 0.95
    assert abs(bad["probed"] - 0.5) < 0.1 and abs(bad["tuned"] - 0.5) < 0.1
    assert "probed_error" not in good and bad["probed_error"] > 0


@pytest.mark.thorough
def test_repeats_itself_and_leaves_the_encoder_alone():
    inputs = keras.Input((4, 4, 1))
    network = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(inputs)))
    before, (train, test) = network.get_weights(), (data(40, 0), data(100, 1))
    options = dict(labels_per_class=10, draws=1, epochs=2)
    reports = [transfer_report(network, train, test, **options) for _ in range(2)]
    assert reports[0] == reports[1] and reports[0].keys() == {"tuned", "probed"}
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_refused():
    images, labels = data(4, 0)
    test = images, labels
    for wrong, sentence in (
        (0 * labels, "labels 0: expected each from 0 to 1"),
        (5 * labels, "labels 0, 5: expected each from 0 to 5"),
        (labels - 1, "labels of train to be integers from 0 on, found -1"),
    ):
        with pytest.raises(ValueError, match=sentence):
            transfer_report(encoder(slice(0, 2)), (images, wrong), test)
    with pytest.raises(ValueError, match="draws must be at least 1, found 0"):
        transfer_report(encoder(slice(0, 2)), test, test, draws=0)
